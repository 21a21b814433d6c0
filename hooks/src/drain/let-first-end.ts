// Two `helm uninstall` of one release at once. Helm 3 takes the first hook's Job, which the second Helm deletes, for one that
// succeeded, and goes on: from then on both would make and delete the same hooks of the cleanup, each under the other, and
// nobody's cleanup would come to its end. So the second one's drain lets the first one come to its end before its own Helm
// goes on (F2); the first one's cleanup leaves the rest to it (drain/sweep.ts).
import { allow, type Rule } from "#api/rbac.ts";
import { namesOf, type Release } from "#api/release.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { stateRef } from "#drain/state.ts";
import { hasEnded } from "#drain/sweep.ts";
import type { Connection } from "#kube/connection.ts";
import { ConfigMap, Job } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { follow } from "#kube/watch.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass } from "#wire/errors.ts";

/** So long after it has begun to delete the release a Helm has made the Job of its cleanup, or is no more. */
const APPEARS_WITHIN_MS = 15_000;
/** So long after its end Helm has deleted a Job, or is no more. */
const DELETED_WITHIN_MS = 5_000;
/** After the Job Helm deletes the rights beside it, and its own record. */
const HELM_ENDS_MS = 2_000;

export const letFirstEndRights: readonly Rule[] = [
  allow(Job, ["get", "list", "watch"], {
    scope: "release",
    named: "cleanupJob",
    why: "let another helm uninstall of this release, which is past its drain, come to its end first",
  }),
];

export interface LetFirstEnd {
  readonly connection: Connection;
  readonly read: Reader;
  readonly release: Release;
  readonly clock: Clock;
  /** Longest wait. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
  say(word: string, sentence: string): void;
}

/** Whether there was another one past its drain; then it has ended, or the time is over. */
export async function letFirstEnd(work: LetFirstEnd): Promise<boolean> {
  const { read, release, clock, budgetMs, signal, say } = work;
  const name = namesOf(release).cleanupJob;
  const isThere = await read.get(Job, { name, namespace: release.namespace }, signal).catch((error: unknown) => {
    // A right that is late, or missing: the preflight comes next, and names it.
    if (isClass(error, "invalid") && error.status === 403) return undefined;
    throw error;
  });
  if (isThere === undefined && !(await isBeingDeleted(work))) return false;
  say("waiting", "another helm uninstall of this release is past its drain, or was: it may end first");
  const began = clock.now();
  await jobIsGone(work, name);
  if (clock.now() - began < budgetMs) await clock.sleep(HELM_ENDS_MS, signal);
  return true;
}

/** Helm deletes the Deployments, then the drain state; a person who deletes the state leaves the pods running. */
async function isBeingDeleted({ read, release, signal }: LetFirstEnd): Promise<boolean> {
  if ((await read.get(ConfigMap, stateRef(release), signal)) !== undefined) return false;
  const pods = await podsOfRelease(read, release, signal);
  return pods.every(({ metadata }) => metadata.deletionTimestamp !== undefined);
}

/** Until the Job has been there and is deleted; at most as long as each step of another Helm takes. */
async function jobIsGone({ connection, release, clock, budgetMs, signal }: LetFirstEnd, name: string): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const end = (): void => over.abort(new Error("the wait is over"));
  const endAfter = (ms: number): void => void clock.sleep(ms, until).then(end, () => {});
  let seen = false;
  endAfter(budgetMs);
  const handlers = {
    changed(job: Parameters<typeof hasEnded>[0]) {
      seen = true;
      if (hasEnded(job)) endAfter(DELETED_WITHIN_MS);
    },
    removed: end,
    synced() {
      if (seen) return;
      const appears = clock.sleep(APPEARS_WITHIN_MS, until);
      appears.then(
        () => void (seen || end()),
        () => {},
      );
    },
  };
  const only = { namespace: release.namespace, fieldSelector: `metadata.name=${name}` };
  await follow(connection, Job, { ...only, clock }, handlers, until).catch(() => {});
  signal.throwIfAborted();
}
