// What a leader still does after SIGTERM when its namespace is being deleted: the pods go first there, while rights, drain
// state and Lease still stand. Once they are gone nobody is left to free what would then hold the namespace for ever.
import { dutyOf } from "#drain/trigger.ts";
import { Namespace } from "#kube/kinds.ts";
import { known } from "#wire/errors.ts";
import { drive, handsOf, type LeaderParts, type Standing, takeLease } from "./leader.ts";
import { signsFor } from "./signs.ts";

/** Of the 30 s that the chart gives a pod; a pod that has less is killed in the middle, which a drain survives. */
const GRACE_MS = 24_000;
/** An API server that does not answer must not hold up an ordinary end. */
const ASK_MS = 2_000;

/**
 * Drains by the policy of the KubernetesOperator if the release's namespace is terminating, and does nothing otherwise.
 * Never throws. With `rbac.cluster=false` the Role of the release lets it read that one namespace.
 *
 * @param parts of the leader whose `signal` has aborted; of several pods the first one to take the Lease drains
 */
export async function leave(parts: LeaderParts): Promise<void> {
  if (!(await within(parts, ASK_MS, async (signal) => await isNamespaceGoing(parts, signal)))) return;
  parts.log.warn({ namespace: parts.release.namespace }, "the namespace of the release is being deleted");
  await within(parts, GRACE_MS, async (signal) => await drainAtLast({ ...parts, signal }));
}

async function isNamespaceGoing({ reader, release }: LeaderParts, signal: AbortSignal): Promise<boolean> {
  const namespace = await reader.get(Namespace, { name: release.namespace }, signal);
  return namespace?.metadata.deletionTimestamp !== undefined;
}

async function drainAtLast(parts: LeaderParts): Promise<boolean> {
  const standing: Standing = { stoodBy: false };
  await using token = await takeLease(parts, standing);
  const signs = await signsFor(parts, standing.stoodBy, AbortSignal.any([parts.signal, token.signal]));
  // Its deletion is on its way: the namespace takes the KubernetesOperator with it.
  const operator = signs.operator && { ...signs.operator, deleting: true };
  const duty = dutyOf({ ...signs, operator });
  return duty.is === "drive" && (await drive(parts, handsOf(parts, token), duty));
}

/** False when it throws or takes longer. */
async function within(
  { clock, log }: LeaderParts,
  ms: number,
  work: (signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  const over = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => over.abort(new Error(`not done within ${ms} ms`)),
    () => {},
  );
  try {
    return await work(over.signal);
  } catch (error) {
    log.warn({ err: known(error).message }, "cannot look after the namespace any more");
    return false;
  } finally {
    done.abort(new Error("done"));
  }
}
