// What is asked before the mark: whatever would make this uninstall stick, or destroy what is not ours, is refused here,
// and nothing has changed then.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { type MissingRight, missingRights } from "#kube/access.ts";
import type { Connection } from "#kube/connection.ts";
import { Namespace } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { type Backoff, waitBefore } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, known, KnownError } from "#wire/errors.ts";
import { appliedByKubectl } from "./applied.ts";
import { RBAC_SETTLES_MS } from "./budget.ts";
import { inventory, surroundingsOf } from "./inventory.ts";
import { rows } from "./kinds.ts";
import { othersDepend, type OthersWork, type Refusal } from "./others.ts";
import { isOurs } from "./ours.ts";
import { questionsOf } from "./questions.ts";
import { relaxCommand, type StateObject } from "./state.ts";
import { takenBack } from "./taken-back.ts";

export interface Preflight extends OthersWork {
  readonly connection: Connection;
  readonly ngrok: NgrokPort | undefined;
  readonly policy: DrainPolicy;
  readonly rights: readonly Rule[];
  /** The drain state as it was before; the mark itself looks once more. */
  readonly state: StateObject | undefined;
  /** UID of the hook's Job, by whose age a rollback is known to have come later. */
  readonly job?: string | undefined;
  readonly clock: Clock;
}

export async function preflight(work: Preflight): Promise<Refusal | undefined> {
  return (
    (await rightsMissing(work)) ??
    appliedByKubectl(work.state, work.release) ??
    (await takenBack(work, work.signal)) ??
    (await othersDepend(work)) ??
    (await keyNeeded(work))
  );
}

const ASK_AGAIN: Backoff = { baseMs: 250, capMs: 2_000 };

/** RBAC may reach the API server after the pod did: asked again for a while before it is an answer. */
async function rightsMissing({
  connection,
  read,
  release,
  rights,
  clusterWide,
  revision,
  clock,
  signal,
}: Preflight): Promise<Refusal | undefined> {
  const began = clock.now();
  for (let attempt = 0; ; attempt += 1) {
    const missing = await missedRights({ connection, read, release, rights, clusterWide, signal });
    if (missing.length === 0) return undefined;
    if (clock.now() - began > RBAC_SETTLES_MS) {
      const [first] = missing;
      return {
        reason: `this hook's ServiceAccount may not ${missing
          .slice(0, 3)
          .map((one) => one.text)
          .join(", nor ")}${missing.length > 3 ? ` and ${missing.length - 3} more` : ""}`,
        remedies: [
          `give back the right to ${first?.text ?? "these"} (chart/RBAC.md lists all), then run the same helm uninstall again`,
          ...watchedIsGone(release, clusterWide, revision),
        ],
      };
    }
    const ms = waitBefore(new KnownError("transient", "RBAC has not settled"), attempt, ASK_AGAIN, Math.random);
    await clock.sleep(ms === "never" ? ASK_AGAIN.capMs : ms, signal);
  }
}

/** The rights that are missing; `parallel` reviews at once. Throws KnownError when the server cannot tell. */
export async function missedRights(
  work: Pick<Preflight, "connection" | "read" | "release" | "rights" | "clusterWide" | "signal">,
  parallel?: number,
): Promise<readonly MissingRight[]> {
  const { connection, read, release, rights, clusterWide, signal } = work;
  const missing = await missingRights(connection, questionsOf(rights, release, clusterWide), signal, parallel);
  // With a watched namespace its Role goes; for what is left in it the hook has rights of the cluster.
  const inWatched = missing.length > 0 && missing.every(({ namespace }) => namespace === release.watchNamespace);
  return inWatched && clusterWide && (await isGoing(read, release.watchNamespace, signal)) ? [] : missing;
}

async function isGoing(read: Reader, name: string | undefined, signal: AbortSignal): Promise<boolean> {
  if (name === undefined) return false;
  const namespace = await read.get(Namespace, { name }, signal).catch(() => "unknown" as const);
  if (namespace === "unknown") return false;
  return namespace === undefined || namespace.metadata.deletionTimestamp !== undefined;
}

/** Without rights outside, a namespace that was deleted cannot be told from one that may not be read: its Role went along. */
export function watchedIsGone(release: Release, clusterWide: boolean, revision: string): readonly string[] {
  const { watchNamespace, namespace, name } = release;
  if (clusterWide || watchNamespace === undefined || watchNamespace === namespace) return [];
  return [
    `or, if namespace ${watchNamespace} was deleted, make it once more for the time of the uninstall:`,
    `kubectl create namespace ${watchNamespace}`,
    `helm rollback ${name} ${revision} -n ${namespace}`,
    `helm uninstall ${name} -n ${namespace}`,
  ];
}

/** Only while something is left: the end of an uninstall, whose Secret may be gone already, needs no key. */
async function keyNeeded(work: Preflight): Promise<Refusal | undefined> {
  const refusal = await keyMissing(work);
  return refusal === undefined || (await isOver(work)) ? undefined : refusal;
}

/** Unknown is not over. */
async function isOver({ read, release, clusterWide, signal }: Preflight): Promise<boolean> {
  const scope = { release, clusterWide };
  const surroundings = await surroundingsOf(read, scope, signal);
  for await (const page of inventory(read, rows, scope, surroundings, signal)) {
    if ("unknown" in page || page.found.some(({ whose }) => isOurs(whose))) return false;
  }
  const { name, namespace } = release;
  return (await read.get(KubernetesOperator, { name, namespace }, signal)) === undefined;
}

/** Delete without a working key would keep every finalizer: better said before anything has changed. */
export async function keyMissing({
  ngrok,
  policy,
  release,
  revision,
  signal,
}: Pick<Preflight, "ngrok" | "policy" | "release" | "signal"> & { readonly revision?: string }): Promise<
  Refusal | undefined
> {
  if (policy !== "Delete") return undefined;
  const remedies = [
    `put a valid key into the credentials Secret under API_KEY, then run the same helm uninstall again`,
    `or keep what is at ngrok: ${relaxCommand(release)}, then run it again`,
  ];
  if (ngrok === undefined) {
    // A Secret made by hand would lack Helm's metadata: Helm 4 leaves it behind, and the next install refuses it.
    const back =
      revision === undefined
        ? []
        : [
            `if the chart made the Secret and it is gone: helm rollback ${release.name} ${revision} -n ${release.namespace}`,
          ];
    return { reason: "policy Delete needs ngrok's API, and there is no API key", remedies: [...back, ...remedies] };
  }
  try {
    await ngrok.verifyKey(signal);
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    // Who was asked to wait has not been told that the key is wrong; the drain keeps the same wait, and says so.
    if (isClass(error, "throttled")) return undefined;
    const { message, hint } = known(error);
    return {
      reason: `policy Delete needs ngrok's API: ${message}`,
      remedies: hint === undefined ? remedies : [hint, ...remedies.slice(1)],
    };
  }
}
