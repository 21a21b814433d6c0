// What an older release left in a status goes; what others write beside us stays.
import { expect, test } from "vitest";
import { leftovers } from "./write-status.ts";

const at = "2026-01-01T00:00:00Z";
const one = (type: string) => ({ type, status: "True" as const, reason: "R", message: "", lastTransitionTime: at });
const ours = { id: "x", observedGeneration: 1, conditions: [one("Ready")] };

test("a status that holds only ours needs no second write", () => {
  expect(leftovers(ours, ours, undefined)).toBeUndefined();
  const drained = { ...ours, drain: {}, conditions: [one("Ready"), one("Draining")] };
  expect(leftovers(drained, ours, { fields: ["drain"], conditions: ["Draining"] })).toBeUndefined();
});

test("fields and conditions that nobody writes any more go", () => {
  const old = { ...ours, region: "us", conditions: [one("RulesConfigured"), one("Ready")] };
  expect(leftovers(old, ours, undefined)).toEqual({ region: null, conditions: [one("Ready")] });
});
