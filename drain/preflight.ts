// What is asked before the mark: whatever would make this uninstall stick, or destroy what is not ours, is refused here,
// and nothing has changed then.
import { ownKinds } from "#api/own-kinds.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import type { Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import { ownerOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { missingRights } from "#kube/access.ts";
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { type Backoff, waitBefore } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { known, KnownError } from "#wire/errors.ts";
import { RBAC_SETTLES_MS } from "./budget.ts";
import { questionsOf } from "./questions.ts";
import { otherInstalls } from "./inventory.ts";

/** Why the uninstall does not begin, and what to do; nothing has changed. */
export interface Refusal {
  readonly reason: string;
  readonly remedies: readonly string[];
}

export interface Preflight {
  readonly connection: Connection;
  readonly read: Reader;
  readonly ngrok: NgrokPort | undefined;
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly rights: readonly Rule[];
  readonly clusterWide: boolean;
  /** Whether Helm will delete our CRDs with this release (`crds.keep=false`). */
  readonly crdsGo: boolean;
  readonly revision: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export async function preflight(work: Preflight): Promise<Refusal | undefined> {
  return (await rightsMissing(work)) ?? (await othersDepend(work)) ?? (await keyMissing(work));
}

const ASK_AGAIN: Backoff = { baseMs: 250, capMs: 2_000 };

/** RBAC may reach the API server after the pod did: asked again for a while before it is an answer. */
async function rightsMissing({
  connection,
  release,
  rights,
  clusterWide,
  clock,
  signal,
}: Preflight): Promise<Refusal | undefined> {
  const questions = questionsOf(rights, release, clusterWide);
  const began = clock.now();
  for (let attempt = 0; ; attempt += 1) {
    const missing = await missingRights(connection, questions, signal);
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
        ],
      };
    }
    const ms = waitBefore(new KnownError("transient", "RBAC has not settled"), attempt, ASK_AGAIN, Math.random);
    await clock.sleep(ms === "never" ? ASK_AGAIN.capMs : ms, signal);
  }
}

/** Our CRDs go with this release: then nobody else may depend on them. */
export async function othersDepend({
  read,
  release,
  crdsGo,
  clusterWide,
  revision,
  signal,
}: Omit<Preflight, "ngrok" | "policy" | "rights" | "clock">): Promise<Refusal | undefined> {
  if (!crdsGo || !clusterWide) return undefined;
  const others = await otherInstalls(read, release, signal);
  const foreign = others.length > 0 ? undefined : await strangersObject(read, release, signal);
  if (others.length === 0 && foreign === undefined) return undefined;
  const who =
    others.length > 0
      ? `the install ${others[0]}${others.length > 1 ? ` and ${others.length - 1} more` : ""}`
      : foreign;
  const at = `${release.name} -n ${release.namespace}`;
  return {
    reason: `this release owns the CRDs and would delete them (crds.keep=false), but ${who} still needs them`,
    remedies: [
      `helm rollback ${at.replace(" -n", ` ${revision} -n`)}`,
      `helm upgrade ${at} <chart> --reset-then-reuse-values --set crds.keep=true`,
      `helm uninstall ${at}`,
    ],
  };
}

/** The first object of our kinds that another install has stamped. */
async function strangersObject(read: Reader, release: Release, signal: AbortSignal): Promise<string | undefined> {
  for (const kind of ownKinds) {
    for await (const page of read.pages(kind, {}, signal)) {
      const other = page.items.find((object) => {
        const stamp = object.metadata.annotations?.[DRAIN_OWNER];
        return stamp !== undefined && stamp !== ownerOf(release);
      });
      if (other !== undefined) {
        return `${kind.kind.toLowerCase()} ${other.metadata.namespace}/${other.metadata.name} of ${other.metadata.annotations?.[DRAIN_OWNER]}`;
      }
    }
  }
  return undefined;
}

/** Delete without a working key would keep every finalizer: better said before anything has changed. */
export async function keyMissing({
  ngrok,
  policy,
  release,
  signal,
}: Pick<Preflight, "ngrok" | "policy" | "release" | "signal">): Promise<Refusal | undefined> {
  if (policy !== "Delete") return undefined;
  const state = `${release.fullname}-drain-state`;
  const remedies = [
    `put a valid key into the credentials Secret under API_KEY, then run the same helm uninstall again`,
    `or keep what is at ngrok: kubectl -n ${release.namespace} patch configmap ${state} --type merge -p 'data: {policy: Retain}', then run it again`,
  ];
  if (ngrok === undefined) return { reason: "policy Delete needs ngrok's API, and there is no API key", remedies };
  try {
    await ngrok.verifyKey(signal);
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    const { message, hint } = known(error);
    return {
      reason: `policy Delete needs ngrok's API: ${message}`,
      remedies: hint === undefined ? remedies : [hint, ...remedies.slice(1)],
    };
  }
}
