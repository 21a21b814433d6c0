// Two `helm uninstall` of one release at once. Helm takes the first hook's Job, which the second one deletes and makes anew,
// for one that succeeded, and goes on: from then on both would make and delete the same hooks of the cleanup, each under the
// other, and nobody's cleanup would come to its end. So the second one's drain lets the first one come to its end before its
// own Helm goes on (F2); the first one's cleanup leaves the rest to it (drain/sweep.ts).
import { allow, type Rule } from "#api/rbac.ts";
import { namesOf, type Release } from "#api/release.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { parseState, stateRef } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import { type Ending, followUntil } from "#kube/follow-until.ts";
import { hasEnded } from "#kube/job.ts";
import { ConfigMap, Job, type JobObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { Handlers } from "#kube/watch.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass } from "#wire/errors.ts";

/** So long after the operator's pods have gone a Helm has made the Job of its cleanup, or is no more. */
const APPEARS_WITHIN_MS = 15_000;
/** So long after its end Helm has deleted a Job, or is no more. */
const DELETED_WITHIN_MS = 5_000;
/** After the Job Helm deletes the rights beside it, and its own record; nothing of ours shows that it is done. */
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

/**
 * What came of another uninstall: there is `none`; there was one and nothing is known of its end (`lost`); its cleanup has
 * ended well (`ended`), or so and the release was installed `anew` since.
 */
export type FirstEnd = "none" | "lost" | "ended" | "anew";

/** Waits for another uninstall that is past its drain, where there is one; not longer than each step of a Helm takes. */
export async function letFirstEnd(work: LetFirstEnd): Promise<FirstEnd> {
  const { read, release, clock, budgetMs, signal } = work;
  const name = namesOf(release).cleanupJob;
  const job = await cleanupOf(work, name);
  if (job === undefined && !(await isBeingDeleted(work))) return "none";
  const most = Math.max(0, Math.round(budgetMs / 1000));
  work.say(
    "waiting",
    `another helm uninstall of this release is past its drain: it ends first, for which ${most}s are given`,
  );
  if (!(await isDeleted(work, name, job !== undefined))) return "lost";
  await clock.sleep(HELM_ENDS_MS, signal);
  const state = await read.get(ConfigMap, stateRef(release), signal);
  return state !== undefined && parseState(state).phase === "Open" ? "anew" : "ended";
}

/** The Job of a cleanup that is none of an earlier install's. */
async function cleanupOf({ read, release, signal }: LetFirstEnd, name: string): Promise<JobObject | undefined> {
  const job = await read.get(Job, { name, namespace: release.namespace }, signal).catch((error: unknown) => {
    // A right that is late, or missing: the preflight names it.
    if (isClass(error, "invalid") && error.status === 403) return undefined;
    throw error;
  });
  const state = job && (await read.get(ConfigMap, stateRef(release), signal));
  return state !== undefined && bornAt(job) < bornAt(state) ? undefined : job;
}

function bornAt(object: JobObject | undefined): number {
  return Date.parse(object?.metadata.creationTimestamp ?? "");
}

/** Helm deletes the Deployments, and some way behind them the drain state; who deletes the state alone leaves pods that run. */
async function isBeingDeleted({ read, release, signal }: LetFirstEnd): Promise<boolean> {
  const pods = await podsOfRelease(read, release, signal);
  if (pods.length > 0) return pods.every(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return (await read.get(ConfigMap, stateRef(release), signal)) === undefined;
}

/** Whether the Job was there and Helm has deleted it, as it does with one that succeeded. @param seen it was there a moment ago */
async function isDeleted(work: LetFirstEnd, name: string, seen: boolean): Promise<boolean> {
  const { connection, read, release, clock, budgetMs, signal } = work;
  const only = { namespace: release.namespace, fieldSelector: `metadata.name=${name}`, clock };
  let isGone = false;
  let isThere = seen;
  let isTold = false;
  const handlersOf = ({ end, until }: Ending): Handlers<JobObject> => {
    const after = (ms: number, act: () => unknown): void => void clock.sleep(ms, until).then(act, () => {});
    const deleted = (): void => {
      isGone = true;
      end();
    };
    /** With --cascade=foreground Helm waits for the pods before it makes the Job. */
    const isLost = async (): Promise<void> => {
      if (isThere) return;
      const pods = await podsOfRelease(read, release, until).catch(() => undefined);
      if (pods?.length === 0) end();
      else after(APPEARS_WITHIN_MS, isLost);
    };
    after(budgetMs, end);
    after(APPEARS_WITHIN_MS, isLost);
    return {
      changed(job) {
        isThere = isTold = true;
        if (hasEnded(job)) after(DELETED_WITHIN_MS, end);
      },
      removed: deleted,
      // It went between two looks.
      synced() {
        if (isThere && !isTold) deleted();
      },
    };
  };
  await followUntil(connection, Job, only, handlersOf, signal);
  return isGone;
}
