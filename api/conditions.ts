// Conditions as data: set, found, folded. Pure, so the time comes from the caller.
import type { Condition } from "./define-kind.ts";

/** A condition before anybody has looked at the clock. */
export interface Finding {
  readonly type: string;
  readonly status: Condition["status"];
  readonly reason: string;
  readonly message: string;
}

/** What a set of conditions is set at: an RFC 3339 time and the generation that was looked at. */
export interface Observed {
  readonly at: string;
  readonly generation?: number | undefined;
}

/** The limits of the schema; the API server refuses a status that breaks them. */
const MESSAGE_LIMIT = 32_768;
const REASON_LIMIT = 1024;

export function holds(type: string, reason: string, message = ""): Finding {
  return { type, status: "True", reason, message };
}

export function fails(type: string, reason: string, message: string): Finding {
  return { type, status: "False", reason, message };
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((one) => one.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/**
 * The conditions after `findings`: those of other types stay, and lastTransitionTime moves only where the status did.
 * Nothing changed = the same array, so that a caller sees by identity that there is nothing to write.
 */
export function setConditions(
  conditions: readonly Condition[] | undefined,
  findings: readonly Finding[],
  observed: Observed,
): readonly Condition[] {
  let after = conditions ?? [];
  for (const finding of findings) after = setCondition(after, finding, observed);
  return after;
}

function setCondition(conditions: readonly Condition[], finding: Finding, observed: Observed): readonly Condition[] {
  const before = findCondition(conditions, finding.type);
  const after: Condition = {
    type: finding.type,
    status: finding.status,
    reason: finding.reason.slice(0, REASON_LIMIT),
    message: finding.message.slice(0, MESSAGE_LIMIT),
    lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : observed.at,
    ...(observed.generation === undefined ? {} : { observedGeneration: observed.generation }),
  };
  if (before === undefined) return [...conditions, after];
  if (sameCondition(before, after)) return conditions;
  return conditions.map((one) => (one === before ? after : one));
}

export function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.type === b.type &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration &&
    a.lastTransitionTime === b.lastTransitionTime
  );
}

/** The conditions without those of `types`; the same array when there were none. */
export function withoutConditions(
  conditions: readonly Condition[] | undefined,
  types: readonly string[],
): readonly Condition[] {
  const before = conditions ?? [];
  return before.some((one) => types.includes(one.type)) ? before.filter((one) => !types.includes(one.type)) : before;
}

/** Ready: the first of `parts` that does not hold says why not, in the order given; else `ready`. */
export function foldReady(parts: readonly Finding[], ready: { reason: string; message: string }): Finding {
  const missing = parts.find((part) => part.status !== "True");
  if (missing === undefined) return holds("Ready", ready.reason, ready.message);
  return fails("Ready", missing.reason, missing.message);
}
