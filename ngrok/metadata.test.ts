// The text by which our objects are told from others at ngrok.
import { describe, test } from "vitest";
import { isOurOperator, isOurs, metadataText, operatorMetadata } from "./metadata.ts";

describe("spec.metadata becomes", () => {
  test.for([
    ["nothing", undefined, ""],
    ["null", null, ""],
    ["a text, as it is", '{ "b": 1,  "a": 2 }', '{ "b": 1,  "a": 2 }'],
    ["an object of texts, compact and sorted", { b: "2", a: "1" }, '{"a":"1","b":"2"}'],
    ["an empty object", {}, "{}"],
    ["an object of more, as it is", { b: 2, a: { c: [1] } }, '{"b":2,"a":{"c":[1]}}'],
    ["a list", ["x"], '["x"]'],
    ["a number", 7, "7"],
  ] as const)("%s", ([, given, text], { expect }) => {
    expect(metadataText(given)).toBe(text);
  });
});

describe("an object is ours", () => {
  test("only with exactly our metadata, and never by having none", ({ expect }) => {
    expect(isOurs({ metadata: '{"owned-by":"ngrok-operator"}' }, '{"owned-by":"ngrok-operator"}')).toBe(true);
    expect(isOurs({ metadata: "{}" }, '{"owned-by":"ngrok-operator"}')).toBe(false);
    expect(isOurs({ metadata: "" }, "")).toBe(false);
  });
});

describe("a registration", () => {
  test("says in which namespace of which cluster it lives", ({ expect }) => {
    expect(operatorMetadata('{"owned-by":"ngrok-operator"}', "u-1")).toBe(
      '{"namespace.uid":"u-1","owned-by":"ngrok-operator"}',
    );
    expect(operatorMetadata({ team: "a" }, "u-1")).toBe('{"namespace.uid":"u-1","team":"a"}');
    expect(operatorMetadata(undefined, "u-1")).toBe('{"namespace.uid":"u-1"}');
  });

  test("keeps metadata that has no room for it", ({ expect }) => {
    expect(operatorMetadata("plain words", "u-1")).toBe("plain words");
    expect(operatorMetadata("[1]", "u-1")).toBe("[1]");
  });

  test("is ours by that namespace, or when it is older than this rule; a namesake of another cluster is not", ({
    expect,
  }) => {
    expect(isOurOperator({ metadata: operatorMetadata('{"a":"b"}', "u-1") }, "u-1")).toBe(true);
    expect(isOurOperator({ metadata: "" }, "u-1")).toBe(true);
    expect(isOurOperator({ metadata: operatorMetadata({}, "u-2") }, "u-1")).toBe(false);
    expect(isOurOperator({ metadata: '{"a":"b"}' }, "u-1")).toBe(false);
    expect(isOurOperator({ metadata: "plain words" }, "u-1")).toBe(false);
  });
});
