// When a status has to be written, and what is told of an object.
import { expect, test } from "vitest";
import type { GatewayStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { problemEvent, statusToWrite } from "./plan.ts";

function condition(type: string, status: "True" | "False" = "True"): StrangerCondition {
  return { type, status, reason: type, message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
}

const wanted: GatewayStatus = {
  addresses: [],
  conditions: [condition("Accepted"), condition("Programmed")],
  listeners: [
    { name: "a", attachedRoutes: 1, supportedKinds: [], conditions: [condition("Accepted")] },
    { name: "b", attachedRoutes: 0, supportedKinds: [], conditions: [condition("Accepted")] },
  ],
};

test("a status that shows what is wanted is not written, whatever else is in it and in whichever order", () => {
  const [a, b] = wanted.listeners ?? [];
  const stored: GatewayStatus = {
    conditions: [condition("example.com/Seen"), condition("Programmed"), condition("Accepted")],
    listeners: [b!, { name: "a", attachedRoutes: 1, conditions: [...a!.conditions, condition("example.com/Seen")] }],
  };
  expect(statusToWrite(stored, wanted)).toBeUndefined();
});

const [listener] = wanted.listeners ?? [];

test.for<{ what: string; stored: GatewayStatus | undefined }>([
  { what: "no status at all", stored: undefined },
  { what: "another status of a condition", stored: { ...wanted, conditions: [condition("Accepted", "False")] } },
  {
    what: "a condition of ours that holds no more",
    stored: { ...wanted, conditions: [...(wanted.conditions ?? []), condition("ResolvedRefs")] },
  },
  { what: "an address that is gone", stored: { ...wanted, addresses: [{ type: "Hostname", value: "a.example.com" }] } },
  {
    what: "a listener that is gone",
    stored: { ...wanted, listeners: [...(wanted.listeners ?? []), { ...listener!, name: "c" }] },
  },
  { what: "another number of routes", stored: { ...wanted, listeners: [{ ...listener!, attachedRoutes: 2 }] } },
])("$what is a reason to write", ({ stored }) => {
  expect(statusToWrite(stored, wanted)).toBe(wanted);
});

test("all that is wrong with one object is one event, with fields and remedies; of others it says nothing", () => {
  const problem = { object: "Gateway shop/edge", effect: "refused" as const };
  const problems = [
    { ...problem, field: "spec.listeners[0].port", reason: "is 8080: use 80" },
    { ...problem, field: "spec.listeners[1].hostname", reason: "is missing: write one" },
    { ...problem, object: "Gateway shop/other", field: "spec", reason: "is wrong: write another" },
  ];
  expect(problemEvent(problems, "Gateway shop/edge")).toEqual({
    type: "Warning",
    reason: "ConfigError",
    note: "spec.listeners[0].port: is 8080: use 80; spec.listeners[1].hostname: is missing: write one",
    action: "Translate",
  });
  expect(problemEvent(problems, "Gateway shop/good")).toBeUndefined();
});

test("what is refused is told before what is ignored, since the end of a long note is cut", () => {
  const problem = { object: "Gateway shop/edge", reason: "is wrong" };
  const problems = [
    { ...problem, field: "metadata", effect: "ignored" as const },
    { ...problem, field: "spec", effect: "refused" as const },
  ];
  expect(problemEvent(problems, "Gateway shop/edge")?.note).toBe("spec: is wrong; metadata: is wrong");
});
