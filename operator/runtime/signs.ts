// The signs by which a leader knows its duty, read with the rights that its release has.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { type GoingCrds, goingCrds, type Look, signsOf } from "#drain/lead.ts";
import type { Signs } from "#drain/trigger.ts";
import { KnownError } from "#wire/errors.ts";
import { readStanding } from "./crd-standing.ts";
import type { LeaderParts } from "./leader.ts";

/** @param stoodBy see `Signs`. Throws when the server cannot tell. */
export async function signsFor(parts: LeaderParts, stoodBy: boolean, signal: AbortSignal): Promise<Signs> {
  const { reader: read, release, state, clusterWide } = parts;
  const going: Look["going"] = clusterWide
    ? async (deleted, ending) => await goingCrds(read, deleted, ending)
    : async (deleted, ending) => await goingWithin(parts, deleted, ending);
  return await signsOf({ read, release, state, stoodBy, going }, signal);
}

/** Without a right outside the namespaces: a CRD that goes is then seen by its objects, and by what its kind may not make. */
async function goingWithin(parts: LeaderParts, deleted: string | undefined, signal: AbortSignal): Promise<GoingCrds> {
  const saw = parts.sawTerminating();
  if (saw || deleted === undefined) return { any: saw, first: saw };
  const { namespace } = parts.release;
  const standing = await readStanding({ ...parts, clusterWide: false, namespace }, KubernetesOperator, signal);
  if (standing.is === "unknown")
    throw new KnownError("transient", `whether the KubernetesOperator's kind stays is not known: ${standing.why}`);
  return { any: standing.is === "terminating", first: standing.is === "terminating" };
}
