// What the other commands say: the policy in force and its source, and the status.
import { describe, expect, test } from "vitest";
import { aKubernetesOperator } from "#test/support/builders.ts";
import type { DrainState } from "#drain/state.ts";
import { policyInForce } from "./in-force.ts";
import { changeLine, type Status, statusPage } from "./status-page.ts";

const mark = { driver: "hook", by: "pod/drain-x/1", since: "2026-01-02T03:04:05Z" } as const;
const open: DrainState = { phase: "Open", explicit: false };
const operator = aKubernetesOperator({ spec: { drain: { policy: "Delete" } } });

test.for([
  ["what is sealed", { phase: "Draining", policy: "Retain", ...mark }, "Delete", "Retain", "the drain state"],
  ["what a person asked for", { ...open, wish: "Retain" }, "Delete", "Retain", "the drain state"],
  ["what the chart was told", open, "Retain", "Retain", "the chart"],
  ["what the KubernetesOperator says", open, undefined, "Delete", "the KubernetesOperator"],
] as const)("the policy is %s", ([, state, chart, policy, from], { expect }) => {
  expect(policyInForce(state, chart, operator)).toEqual({ policy, from });
});

describe("the status", () => {
  const draining: Status = {
    command: "status",
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" },
    state: { phase: "Draining", policy: "Delete", ...mark },
    policy: "Delete",
    policyFrom: "the drain state",
    writer: "pod/drain-x/1",
    operator: { deleting: false, ready: null },
    drain: { drainedResources: 541, totalResources: 2000, failedResources: 1, errors: ["domain dev/x: 403"] },
  };
  test("says how far it is, what failed, how to go on and how to go back", () => {
    expect(statusPage(draining).slice(-4)).toEqual([
      "done      541 of 2000, 1 failed",
      "failed    domain dev/x: 403",
      "next      helm uninstall ngrok -n ops, as often as it takes; it goes on where the last run ended",
      "back      ngrok-drain cancel",
    ]);
    expect(changeLine(draining)).toBe("draining  Delete  pod drain-x  541 of 2000, 1 failed  domain dev/x: 403");
  });
  test("offers no way back once the KubernetesOperator is being deleted", () => {
    const going = statusPage({ ...draining, operator: { deleting: true, ready: null } });
    expect(going.join("\n")).not.toContain("cancel");
  });
});
