// What the holder of the write token has to do, as a table of signs.
import { test } from "vitest";
import type { DrainState } from "./state.ts";
import { dutyOf } from "./trigger.ts";

const open: DrainState = { phase: "Open", explicit: false };
const unknown: DrainState = { phase: "Unknown", why: "not there" };
const by = (driver: "hook" | "leader", phase: "Draining" | "Drained" = "Draining"): DrainState => ({
  phase,
  policy: "Delete",
  driver,
  by: "pod/x/1",
  since: "",
});
const living = { deleting: false, policy: "Delete" } as const;
const dying = { deleting: true, policy: "Delete" } as const;

test.for([
  ["open: the ordinary work", open, living, false, false, "reconcile"],
  ["open without a KubernetesOperator: it is made by the ordinary work", open, undefined, false, false, "reconcile"],
  ["open, KubernetesOperator deleted by hand: drain by its policy", open, dying, false, false, "drive Delete"],
  ["open with a wish for Retain: the wish wins", { ...open, wish: "Retain" }, dying, false, false, "drive Retain"],
  ["open, a CRD of ours terminates: drain, and Retain whatever the policy", open, living, true, false, "drive Retain"],
  ["open, a CRD that goes as well may have taken it along: Retain", open, dying, true, false, "drive Retain"],
  ["a hook has marked: yield", by("hook"), living, false, false, "yield"],
  ["a hook has marked and is gone: go on", by("hook"), living, false, true, "drive Delete"],
  ["our own drain after a restart: go on", by("leader"), dying, false, false, "drive Delete"],
  ["drained: nothing, though there is no KubernetesOperator", by("hook", "Drained"), undefined, false, true, "idle"],
  [
    "drained, the last step is missing and nobody does it: do it",
    by("hook", "Drained"),
    dying,
    false,
    true,
    "drive Delete",
  ],
  ["drained a moment ago, the hook is at its last step: nothing", by("hook", "Drained"), dying, false, false, "idle"],
  ["unknown: nothing", unknown, living, true, true, "idle"],
  ["unknown, but the KubernetesOperator is being deleted: that suffices", unknown, dying, false, false, "drive Delete"],
  ["unknown, and a CRD may have taken it along: Retain", unknown, dying, true, false, "drive Retain"],
] as const)("%s", ([, state, operator, crdTerminating, stoodBy, expected], { expect }) => {
  const duty = dutyOf({ state, operator, crdTerminating, stoodBy });
  expect(duty.is === "drive" ? `drive ${duty.policy}` : duty.is).toBe(expected);
});
