import { describe, expect, test } from "vitest";
import {
  fails,
  findCondition,
  foldReady,
  holds,
  isTrue,
  setConditions,
  withoutConditions,
  type Observed,
} from "./conditions.ts";

const morning: Observed = { at: "2026-01-01T08:00:00Z", generation: 1 };
const noon: Observed = { at: "2026-01-01T12:00:00Z", generation: 2 };
const created = holds("DomainCreated", "DomainCreated", "Domain successfully reserved");

describe("setting conditions", () => {
  test("the first time notes when", () => {
    expect(setConditions(undefined, [created], morning)).toEqual([
      { ...created, observedGeneration: 1, lastTransitionTime: morning.at },
    ]);
  });

  test("again with the same finding changes nothing, to be seen by identity", () => {
    const before = setConditions([], [created], morning);
    expect(setConditions(before, [created], { ...noon, generation: 1 })).toBe(before);
  });

  test("with another reason keeps the time, since the status has not turned", () => {
    const before = setConditions([], [fails("Ready", "Pending", "waiting")], morning);
    const after = setConditions(before, [fails("Ready", "ProvisioningError", "no CNAME")], noon);
    expect(after).toMatchObject([
      { reason: "ProvisioningError", lastTransitionTime: morning.at, observedGeneration: 2 },
    ]);
  });

  test("with another status moves the time", () => {
    const before = setConditions([], [fails("Ready", "Pending", "waiting")], morning);
    const after = setConditions(before, [holds("Ready", "DomainActive")], noon);
    expect(findCondition(after, "Ready")).toMatchObject({ status: "True", lastTransitionTime: noon.at });
  });

  test("leaves those of others alone and in their place", () => {
    const before = setConditions([], [holds("A", "Fine"), holds("B", "Fine"), holds("C", "Fine")], morning);
    const after = setConditions(before, [fails("B", "Broken", "why")], noon);
    expect(after.map((one) => one.type)).toEqual(["A", "B", "C"]);
    expect(after[0]).toBe(before[0]);
    expect(before[1]).toMatchObject({ status: "True" });
  });

  test("cuts what the API server would refuse", () => {
    const [one] = setConditions([], [fails("Ready", "Failed", "x".repeat(40_000))], morning);
    expect(one?.message).toHaveLength(32_768);
  });
});

test("a condition is true only when it says so", () => {
  const conditions = setConditions([], [created, { ...fails("Ready", "X", ""), status: "Unknown" }], morning);
  expect(isTrue(conditions, "DomainCreated")).toBe(true);
  expect(isTrue(conditions, "Ready")).toBe(false);
  expect(isTrue(conditions, "Absent")).toBe(false);
  expect(isTrue(undefined, "Ready")).toBe(false);
});

test("conditions of former releases go, and the rest is not written again", () => {
  const conditions = setConditions([], [holds("RulesConfigured", "Old"), created], morning);
  expect(withoutConditions(conditions, ["RulesConfigured"]).map((one) => one.type)).toEqual(["DomainCreated"]);
  expect(withoutConditions(conditions, ["Absent"])).toBe(conditions);
});

describe("Ready", () => {
  const ready = { reason: "CloudEndpointActive", message: "CloudEndpoint is active and ready" };

  test("holds when every part does", () => {
    expect(foldReady([created], ready)).toEqual({ type: "Ready", status: "True", ...ready });
  });

  test("says of the first part that is missing why", () => {
    const parts = [created, fails("DomainReady", "DomainCreating", "being made"), fails("Other", "No", "later")];
    expect(foldReady(parts, ready)).toEqual(fails("Ready", "DomainCreating", "being made"));
  });

  test("does not hold while a part is unknown", () => {
    expect(foldReady([{ ...created, status: "Unknown" }], ready).status).toBe("False");
  });
});
