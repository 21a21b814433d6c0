// What a Service shows of us in its status: where it is reached, and in a condition of our own whether it is as it asks.
import { type Finding, setConditions } from "#api/conditions.ts";
import type { Condition } from "#api/define-kind.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { nextFields } from "../../runtime/status.ts";

/** Conditions of other types are other controllers'. */
export const PROGRAMMED = "ngrok.com/Programmed";

export interface Showing {
  readonly status?: NonNullable<ServiceObject["status"]>;
}

/**
 * Our part of the status, whole; nothing where the Service shows it already. `loadBalancer`: undefined where nothing
 * new is known, so that it stays. `at`: RFC 3339, for a condition that turns.
 */
export function showing(
  { metadata, status }: ServiceObject,
  loadBalancer: object | undefined,
  finding: Finding,
  at: string,
): Showing {
  const before = (status?.conditions ?? []).filter(isOurs) as readonly Condition[];
  const conditions = setConditions(before, [finding], { at, generation: metadata.generation });
  const fields = { loadBalancer: loadBalancer ?? status?.loadBalancer ?? {} };
  const stands = conditions === before && nextFields({ metadata, ...(status && { status }) }, fields) === undefined;
  return stands ? {} : { status: { ...fields, conditions: [...conditions] } };
}

/** A Service that is ours no more says nothing of us. */
export function takenBack(service: ServiceObject): Showing {
  return says(service) ? { status: { loadBalancer: {}, conditions: [] } } : {};
}

export function says({ status }: ServiceObject): boolean {
  return status?.conditions?.some(isOurs) === true;
}

function isOurs({ type }: { readonly type: string }): boolean {
  return type === PROGRAMMED;
}
