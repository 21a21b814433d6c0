// From what a controller has seen to the status that is written: only our own fields, only when something changed.
import { isDeepStrictEqual } from "node:util";
import { setConditions } from "#api/conditions.ts";
import type { CommonStatus, OwnObject } from "#api/define-kind.ts";
import type { KubeObject } from "#kube/kind.ts";
import { isClass } from "#wire/errors.ts";
import type { LeaderController, Outcome, Shown } from "./define-controller.ts";

type Leaves = NonNullable<LeaderController["leaves"]>;

const nothing: Leaves = { fields: [], conditions: [] };

/**
 * The whole of our part of the status after `shown`, or undefined when the object shows it already.
 * @param at RFC 3339, used where a condition's status turns.
 */
export function nextStatus<T extends KubeObject>(
  object: T & { readonly status?: CommonStatus },
  shown: Shown<T>,
  at: string,
  leaves: Leaves = nothing,
): CommonStatus | undefined {
  const { generation } = object.metadata;
  const before = ownPart(object.status, leaves);
  const kept = (before.conditions ?? []).filter((one) => shown.findings.some((finding) => finding.type === one.type));
  const conditions = setConditions(kept, shown.findings, { at, generation });
  const after: CommonStatus = {
    ...withoutUndefined(shown.fields),
    conditions: [...conditions],
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return isDeepStrictEqual(byType(before), byType(after)) ? undefined : after;
}

/** The fields of a status that is not of our making, or undefined when the object shows them already. */
export function nextFields(
  object: KubeObject & { readonly status?: object },
  fields: object | undefined,
): object | undefined {
  if (fields === undefined) return undefined;
  const shown = Object.entries(object.status ?? {}).filter(([name]) => name in fields);
  return isDeepStrictEqual(filled(Object.fromEntries(shown)), filled(fields)) ? undefined : fields;
}

/** Without what is empty: of some kinds the server stores an empty list, of others nothing. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, filled(inner)] as const);
  return Object.fromEntries(fields.filter(([, inner]) => !isEmpty(inner)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** What the status shows already, said again: only its generation moves. For an object whose remote side needs nothing. */
export function asShown<T extends OwnObject>(object: T, leaves: Leaves = nothing): Shown<T> {
  const { conditions = [], observedGeneration: _, ...fields } = ownPart(object.status, leaves);
  const findings = conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  return { fields: fields as Shown<T>["fields"], findings };
}

/**
 * Whether all that failed is a look at what is at ngrok already, for a spec that has been seen: it came too soon, so there is
 * nothing new to show. Said in the status, one answer "too many requests" would turn every object, and whatever hears of it,
 * and all of them back.
 */
export function isPutOff(
  {
    metadata,
    status,
  }: KubeObject & { readonly status?: { readonly id?: string; readonly observedGeneration?: number } },
  outcome: Outcome,
): boolean {
  if (outcome.is !== "failed" || !isClass(outcome.error, "throttled")) return false;
  return Boolean(status?.id) && status?.observedGeneration === metadata.generation;
}

function ownPart(status: CommonStatus | undefined, leaves: Leaves): CommonStatus {
  const fields = Object.entries(status ?? {}).filter(([name]) => !leaves.fields.includes(name));
  const part: CommonStatus = Object.fromEntries(fields);
  if (part.conditions === undefined) return part;
  return { ...part, conditions: part.conditions.filter((one) => !leaves.conditions.includes(one.type)) };
}

/** The order of conditions means nothing: the API server merges them by type. */
function byType(status: CommonStatus): CommonStatus {
  const conditions = (status.conditions ?? []).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return { ...status, conditions };
}

/** As the server will store it: a field that is undefined is not there. */
export function withoutUndefined(fields: object): object {
  return JSON.parse(JSON.stringify(fields)) as object;
}
