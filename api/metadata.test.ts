import fc from "fast-check";
import { expect, test } from "vitest";
import { nestedText } from "#test/support/nested.ts";
import { metadataText } from "./metadata.ts";

test.for([
  ["nothing", undefined, ""],
  ["null", null, ""],
  ["text, as it is", '{"owned-by": "ngrok-operator"}', '{"owned-by": "ngrok-operator"}'],
  ["an object of strings, its keys sorted", { b: "2", a: "1" }, '{"a":"1","b":"2"}'],
  ["an empty object", {}, "{}"],
  ["any other object, as it comes", { b: 2, a: [true] }, '{"b":2,"a":[true]}'],
  ["a list", ["a", 1], '["a",1]'],
  ["a number", 7, "7"],
] as const)("metadata may be %s", ([, given, text], { expect }) => {
  expect(metadataText(given)).toBe(text);
});

test("equal objects become equal texts, whatever the order of their keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).toReversed());
      expect(metadataText(reversed)).toBe(metadataText(object));
    }),
  );
});

test("what is nested deeper than a walk can go becomes the text that it was: ngrok says that it is too long", () => {
  const text = `{"text":"a","none":null,"b":[1,true,{}],"deep":${nestedText()}}`;
  expect(metadataText(JSON.parse(text) as Record<string, unknown>)).toBe(text);
});
