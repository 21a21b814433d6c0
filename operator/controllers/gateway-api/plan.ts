// What of a status is ours, whether it has to be written, and what people are told of an object that cannot be served as it
// is written. Pure.
import type { GatewayStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { sameJson } from "../../endpoint/difference.ts";
import type { ObjectEvent } from "../../runtime/define-controller.ts";
import type { Problem } from "../../translate/model.ts";
import { noteOf } from "../../translate/note.ts";

/** The conditions that we write; those of other types are somebody else's. */
const OURS = ["Accepted", "Programmed", "ResolvedRefs", "Conflicted", "OverlappingTLSConfig"];

/** `wanted` where the status does not show it, or shows more of ours than that; undefined where there is nothing to write. */
export function statusToWrite<S extends GatewayStatus>(stored: S | undefined, wanted: S): S | undefined {
  return sameJson(ownPart(stored ?? {}), ownPart(wanted)) ? undefined : wanted;
}

/** Empty lists say what no list says; the order of conditions and listeners means nothing. */
function ownPart({ addresses = [], conditions, listeners = [] }: GatewayStatus): object {
  return {
    addresses,
    conditions: ownConditions(conditions),
    listeners: listeners
      .map((one) => ({ ...one, supportedKinds: one.supportedKinds ?? [], conditions: ownConditions(one.conditions) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function ownConditions(conditions: readonly StrangerCondition[] = []): StrangerCondition[] {
  return conditions.filter(({ type }) => OURS.includes(type)).toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/** What cannot be served as it is written, in one event; `object` is `Kind namespace/name`. */
export function problemEvent(problems: readonly Problem[], object: string): ObjectEvent | undefined {
  const own = problems.filter((one) => one.object === object);
  if (own.length === 0) return undefined;
  return { type: "Warning", reason: "ConfigError", note: noteOf(own), action: "Translate" };
}
