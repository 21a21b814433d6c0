// What Helm does not own and would stay behind: the Lease, the drain state when it was made anew, the drain hook's own
// objects. Only the post-delete hook sweeps, when nobody is left who needs them.
import { allow, type Rule } from "#api/rbac.ts";
import { namesOf, type Release, reportPieces } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import { hasEnded } from "#kube/job.ts";
import type { Kind } from "#kube/kind.ts";
import {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Job,
  Lease,
  NetworkPolicy,
  Pod,
  Role,
  RoleBinding,
  ServiceAccount,
} from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { Clock } from "#wire/clock.ts";
import { followUntil } from "#kube/follow-until.ts";
import type { Hands } from "./hands.ts";
import { dropStalePieces } from "./keep.ts";
import { isComponentPod, mayWrite, podsOfRelease, selectorOf } from "./pods.ts";

const drainHookKinds: readonly Kind[] = [
  Job,
  NetworkPolicy,
  ServiceAccount,
  RoleBinding,
  Role,
  ClusterRoleBinding,
  ClusterRole,
];

/** Under which of the release's names the drain hook's object of this kind stands. */
function nameOf({ namespaced }: Kind): "drainJob" | "drainClusterRole" {
  return namespaced ? "drainJob" : "drainClusterRole";
}

export const sweepRights: readonly Rule[] = [
  allow(Pod, ["list", "watch"], { scope: "release", why: "wait until the pods of this release have ended" }),
  allow(Lease, ["get", "delete"], {
    scope: "release",
    named: "lease",
    why: "the write token was made at run time, Helm does not know it",
  }),
  allow(ConfigMap, ["get", "delete"], {
    scope: "release",
    named: "drainState",
    why: "a drain state that was made anew in the drain is not in Helm's list",
  }),
  allow(ConfigMap, ["get", "delete"], {
    scope: "release",
    named: "rollback",
    why: "the trace of a rollback is a hook, which Helm leaves",
  }),
  allow(ConfigMap, ["delete"], {
    scope: "release",
    named: reportPieces.slice(1),
    why: "take away the pieces of a longer report that a shorter one has replaced",
  }),
  ...drainHookKinds.map((kind) =>
    allow(kind, ["get", "delete"], {
      scope: kind.namespaced ? "release" : "cluster",
      named: nameOf(kind),
      why: "the drain hook's objects stay until now, so that its pod keeps its rights to the end",
    }),
  ),
];

/** Whose turn it is: changes when another `helm uninstall` makes the drain hook anew, of which this is the first object. */
export async function drainHookOf(read: Reader, release: Release, signal: AbortSignal): Promise<string | undefined> {
  const at = { name: namesOf(release).drainJob, namespace: release.namespace };
  return (await read.get(ServiceAccount, at, signal))?.metadata.uid;
}

/**
 * Deletes what is left and names it: `lease a-leader`. The report stays: it is for the day after. Of a drain that still works,
 * or one that is not the `seen` one (drainHookOf), nothing is deleted, but "working" returned: it is another `helm uninstall`,
 * and has a cleanup of its own.
 */
export async function sweep(
  hands: Hands,
  release: Release,
  clusterWide: boolean,
  seen: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[] | "working"> {
  const { drainJob } = namesOf(release);
  const drain = await hands.read.get(Job, { name: drainJob, namespace: release.namespace }, signal);
  if (drain !== undefined && drain.metadata.deletionTimestamp === undefined && !hasEnded(drain)) return "working";
  const now = await drainHookOf(hands.read, release, signal);
  // Absent is what an earlier try of this sweep may have left.
  if (now !== undefined && now !== seen) return "working";
  const swept: string[] = [];
  for (const [kind, name] of leftBehind(release, clusterWide)) {
    const ref = kind.namespaced ? { name, namespace: release.namespace } : { name };
    const object = await hands.read.get(kind, ref, signal);
    if (object === undefined) continue;
    const answer = await hands.write.remove({ kind, ref, uid: object.metadata.uid ?? "" }, signal);
    if (answer === "deleted") swept.push(`${kind.kind.toLowerCase()} ${name}`);
  }
  await dropStalePieces(hands, release, signal);
  return swept;
}

/** What a person types where the Helm whose cleanup would have swept is no more: the same objects by their names, no others. */
export function sweepCommand(release: Release, clusterWide: boolean): string {
  const objects = leftBehind(release, clusterWide).map(([kind, name]) => `${kind.plural}/${name}`);
  return `kubectl -n ${release.namespace} delete ${objects.join(" ")} --ignore-not-found`;
}

function leftBehind(release: Release, clusterWide: boolean): readonly (readonly [Kind, string])[] {
  const names = namesOf(release);
  return [
    [Lease, names.lease],
    [ConfigMap, names.drainState],
    [ConfigMap, names.rollback],
    ...drainHookKinds
      .filter(({ namespaced }) => namespaced || clusterWide)
      .map((kind) => [kind, names[nameOf(kind)]] as const),
  ];
}

const PODS_END_WITHIN_MS = 60_000;

/** Waits for the pods of the three components, at most 60 s; returns the names of those that still run. */
export async function waitForPods(work: {
  connection: Connection;
  read: Reader;
  release: Release;
  clock: Clock;
  signal: AbortSignal;
}): Promise<readonly string[]> {
  const { read, release, signal } = work;
  if ((await podsOfRelease(read, release, signal)).length === 0) return [];
  const running = new Set<string>();
  let isListed = false;
  await followUntil(
    work.connection,
    Pod,
    { namespace: release.namespace, labelSelector: selectorOf(release) },
    ({ end, until }) => {
      // Not before: one that has ended may be listed before one that runs.
      const settle = (): void => void (isListed && running.size === 0 && end());
      work.clock.sleep(PODS_END_WITHIN_MS, until).then(end, () => {});
      return {
        changed(pod) {
          if (isComponentPod(pod, release) && mayWrite(pod)) running.add(pod.metadata.name);
          else running.delete(pod.metadata.name);
          settle();
        },
        removed(pod) {
          running.delete(pod.metadata.name);
          settle();
        },
        synced() {
          isListed = true;
          settle();
        },
      };
    },
    signal,
  );
  return [...running];
}
