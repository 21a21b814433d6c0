// The report's lines over several runs and several objects.
import { expect, test } from "vitest";
import { countsIn, cut, merged, parseTold } from "./told.ts";

test.for([
  ["domain shop/a rd_1", { kind: "domain", object: "shop/a", id: "rd_1", why: null }],
  ["domain shop/a rd_1: its reclaimPolicy is Retain", { id: "rd_1", why: "its reclaimPolicy is Retain" }],
  ["cloudendpoint shop/a: 2 endpoints at https://x.y:8, none", { id: null, why: "2 endpoints at https://x.y:8, none" }],
  [
    "service shop/db 1.tcp.ngrok.io:20345",
    { kind: "service", object: "shop/db", id: "1.tcp.ngrok.io:20345", why: null },
  ],
  ["service shop/db 1.tcp.ngrok.io:2: was being deleted", { id: "1.tcp.ngrok.io:2", why: "was being deleted" }],
  ["gatewayclass ngrok", { kind: "gatewayclass", object: "ngrok", id: null }],
] as const)("the line %s is read back", ([line, expected], { expect }) => {
  expect(parseTold(line)).toMatchObject(expected);
});

test("a second run adds to what the first told, and its word on an object is the last (F27)", () => {
  const first = { kept: ["domain shop/a rd_1", "domain shop/b rd_2"], removed: ["ippolicy shop/p ipp_1"] };
  const second = { kept: ["domain shop/c rd_3"], removed: ["domain shop/b rd_2"] };
  expect(merged(first, second)).toEqual({
    kept: ["domain shop/a rd_1", "domain shop/c rd_3"],
    removed: ["domain shop/b rd_2", "ippolicy shop/p ipp_1"],
  });
});

test("what is too long for one object goes into the next, and what no object holds is counted (F27)", () => {
  const told = { kept: ["domain a/1", "domain a/2", "domain a/3"], removed: ["domain a/4", "domain a/5"] };
  expect(cut(told, 22, 8)).toEqual({
    pieces: [
      { kept: ["domain a/1", "domain a/2"], removed: [] },
      { kept: ["domain a/3"], removed: ["domain a/4"] },
      { kept: [], removed: ["domain a/5"] },
    ],
    omitted: 0,
  });
  expect(cut(told, 22, 2).omitted).toBe(1);
  expect(cut({ kept: [], removed: [] }, 22, 2)).toEqual({ pieces: [], omitted: 0 });
  expect([countsIn(told.kept), countsIn([])]).toEqual(["domain 3", "nothing"]);
});
