// The signs by which a leader knows its duty, read with the rights that its release has.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { anyCrdTerminating, signsOf } from "#drain/lead.ts";
import type { Signs } from "#drain/trigger.ts";
import { readStanding } from "./crd-standing.ts";
import type { LeaderParts } from "./leader.ts";

/** @param stoodBy see `Signs`. Throws when the server cannot tell. */
export async function signsFor(parts: LeaderParts, stoodBy: boolean, signal: AbortSignal): Promise<Signs> {
  const { reader, release, state, clusterWide } = parts;
  const crdTerminating = async (deleting: boolean, ending: AbortSignal): Promise<boolean> =>
    clusterWide ? await anyCrdTerminating(reader, ending) : await mayBeGoing(parts, deleting, ending);
  return await signsOf({ read: reader, release, state, stoodBy, crdTerminating }, signal);
}

/** What cannot be told is asked so many times more, a second apart. */
const TRIES = 5;

/**
 * Without a right outside the namespaces: a CRD that goes is then seen by its objects, and by what its kind may not make. True
 * as well where that cannot be told: a KubernetesOperator that nobody drains is stuck for ever, and Retain loses nothing.
 */
async function mayBeGoing(parts: LeaderParts, deleting: boolean, signal: AbortSignal): Promise<boolean> {
  if (parts.heardTerminating()) return true;
  const place = { ...parts, namespace: parts.release.namespace };
  for (let tried = 0; deleting && tried <= TRIES; tried += 1) {
    if (tried > 0) await parts.clock.sleep(1_000, signal);
    const standing = await readStanding(place, KubernetesOperator, signal);
    if (standing.is !== "unknown") return standing.is === "terminating";
    parts.log.warn({ why: standing.why }, "cannot tell whether the KubernetesOperator goes with its CRD");
  }
  return deleting;
}
