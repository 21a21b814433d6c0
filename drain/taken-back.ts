// `helm rollback` takes an uninstall back whose hook has not begun. Nothing ends that hook's Job: its pod may start when a node or
// a quota has room again, and would drain a release that works. A rollback changes nothing in the release that a pod could
// see, so the chart has Helm make a ConfigMap anew at each, whose age tells.
import { allow, type Rule } from "#api/rbac.ts";
import { namesOf, type Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Job } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { Refusal } from "./others.ts";
import { parseState, type StateObject } from "./state.ts";

export const takenBackRights: readonly Rule[] = [
  allow(Job, ["get"], { scope: "release", named: "drainJob", why: "see when this uninstall began" }),
  allow(ConfigMap, ["get"], { scope: "release", named: "rollback", why: "see whether a helm rollback came after it" }),
];

interface TakenBackWork {
  readonly read: Reader;
  readonly release: Release;
  readonly state: StateObject | undefined;
  readonly job?: string | undefined;
}

/**
 * Why a hook whose uninstall was rolled back does not begin. A drain that is marked goes on: only an explicit Open ends it.
 * @param state the drain state; `job`: UID of the hook's Job, undefined when it is not known
 */
export async function takenBack(
  { read, release, state, job }: TakenBackWork,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  if (job === undefined || parseState(state).phase !== "Open") return undefined;
  const { name, namespace } = release;
  const { drainJob, rollback } = namesOf(release);
  const uninstall = await read.get(Job, { name: drainJob, namespace }, signal);
  const back = await read.get(ConfigMap, { name: rollback, namespace }, signal);
  if (uninstall?.metadata.uid !== job || back === undefined) return undefined;
  // Both by the API server's clock; of one second they are when a rollback is followed by an uninstall.
  if (!(bornAt(back) > bornAt(uninstall))) return undefined;
  return {
    reason: `helm rollback has taken this uninstall of ${namespace}/${name} back, at ${back.metadata.creationTimestamp}`,
    remedies: [`to uninstall all the same: helm uninstall ${name} -n ${namespace}`],
  };
}

function bornAt({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
