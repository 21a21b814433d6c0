// Whether an uninstall that begins now would come to its end: the condition UninstallReady, from facts that the operator
// has anyway: no call is made here. What only the drain's own lists can tell is not asked (`ngrok-drain plan` asks it).
import { type Finding, fails, holds } from "#api/conditions.ts";
import { Domain } from "#api/domain.ts";
import type { UnderDelete, UninstallReadyReason } from "#api/kubernetes-operator.ts";
import { namesOf, type Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { KubeObject } from "#kube/kind.ts";
import { turnDue } from "#wire/turn.ts";
import { budgetOf, helmSecondsFor } from "./budget.ts";
import { undoneOnPaper } from "./dry-run.ts";
import type { Undone } from "./hands.ts";
import type { Row } from "./kinds.ts";
import { nameOf } from "./names.ts";
import { carriesOurs, foreignFinalizers, isOurs, whose } from "./ours.ts";
import { callsUnder, secondsOf } from "./reckoning.ts";

export const UNINSTALL_READY = "UninstallReady";

/** An answer to a question of yes and no; what nobody answered is neither. */
export type Answer = { readonly is: "yes" } | { readonly is: "no" | "unknown"; readonly why: string };

/** Our objects in numbers, and the first of those that somebody else holds too. */
export interface Tally {
  objects: number;
  /** To ngrok under Delete, at most, counted as `ngrok-drain plan` does. */
  calls: number;
  held: { readonly object: string; readonly finalizers: readonly string[] } | undefined;
  heldCount: number;
  underDelete: UnderDelete;
}

export interface UninstallFacts {
  readonly release: Release;
  readonly policy: DrainPolicy;
  /** Whether Helm deletes our CRDs with the release. */
  readonly crdsGo: boolean;
  /** Whether the chart has its drain hook. */
  readonly hook: boolean;
  /** Helm's timeout as the hook reckons with it. */
  readonly helmSeconds: number;
  /** Undefined without a limit of our own. */
  readonly callsPerMinute: number | undefined;
  /** Whether the install is registered at ngrok. */
  readonly registered: boolean;
  readonly tally: Tally;
  /** Whether ngrok takes the API key. */
  readonly key: Answer;
  /** Whether all rights of a drain are there: those of the operator, since the hook gets the same and exists only then. */
  readonly rights: Answer;
  /** Whether quotas and ranges of the release's namespace would let the pods of the hooks be made. */
  readonly room: Answer;
}

/** Counts what is ours by stamp or label; of several held objects the first by name, so that the word does not change. */
export async function tallyOf(
  kinds: Iterable<{ readonly row: Row; readonly objects: Iterable<KubeObject> }>,
  release: Release,
  signal: AbortSignal,
): Promise<Tally> {
  const underDelete: UnderDelete = { deleted: {}, domainsKept: 0 };
  const tally: Tally = { objects: 0, calls: 0, held: undefined, heldCount: 0, underDelete };
  for (const { row, objects } of kinds) {
    for (const object of objects) {
      if (!carriesOurs(row, object) || !isOurs(whose(row, object, { release, others: "unknown" }))) continue;
      tally.objects += 1;
      // Thousands are counted, and no call is made: the renewal of the Lease has its turn in between.
      await turnDue();
      const { calls, undone } = await undoneOnPaper(row, object, release, signal);
      tally.calls += calls;
      if (row.whose !== "ours") continue;
      count(underDelete, row, undone);
      const finalizers = foreignFinalizers(row, object);
      if (finalizers.length === 0) continue;
      tally.heldCount += 1;
      const name = nameOf(row, object);
      if (tally.held === undefined || name < tally.held.object) tally.held = { object: name, finalizers };
    }
  }
  return tally;
}

/** A Domain stays as far as the object itself says it; undo/domain.ts asks ngrok as well. */
function count(into: UnderDelete, { kind }: Row, { remote }: Undone): void {
  into.deleted[kind.kind] = (into.deleted[kind.kind] ?? 0) + 1;
  if (kind.kind === Domain.kind && remote === "kept") into.domainsKept += 1;
}

type Verdict = { readonly reason: UninstallReadyReason; readonly message: string } | undefined;

/** False with the first thing in the way, Unknown with the first that nobody answered, else True. */
export function uninstallReadiness(facts: UninstallFacts): Finding {
  const no =
    hookOff(facts) ??
    rightsMissing(facts) ??
    noRoom(facts) ??
    keyRefused(facts) ??
    heldByOthers(facts) ??
    tooLong(facts);
  if (no !== undefined) return fails(UNINSTALL_READY, no.reason, no.message);
  const unknown = unanswered(facts);
  if (unknown !== undefined) return { type: UNINSTALL_READY, status: "Unknown", ...unknown };
  const reason: UninstallReadyReason = "NothingInTheWay";
  return holds(UNINSTALL_READY, reason, `helm uninstall under ${facts.policy} would come to its end in one run`);
}

function hookOff({ hook, release }: UninstallFacts): Verdict {
  if (hook) return undefined;
  const { reason, remedy } = withoutHooks(release);
  return { reason: "HookOff", message: `${reason}; ${remedy}` };
}

/** What stands in the way of an uninstall whose hooks are switched off, and what to do. */
export function withoutHooks({ name, namespace }: Release): { readonly reason: string; readonly remedy: string } {
  const first = `kubectl -n ${namespace} delete kubernetesoperator ${name}`;
  return {
    reason: "cleanupHook.enabled=false: helm uninstall would free nothing",
    remedy: `set it to true, or run first: ${first}`,
  };
}

function rightsMissing({ rights }: UninstallFacts): Verdict {
  if (rights.is !== "no") return undefined;
  const remedy = "give the right back (chart/RBAC.md lists all), for example by helm upgrade";
  return { reason: "RightMissing", message: `${rights.why}, and the drain hook gets the same rights; ${remedy}` };
}

/** Helm would wait for a Job that gets no pod, until its time is over. */
function noRoom({ room, release }: UninstallFacts): Verdict {
  if (room.is !== "no") return undefined;
  return {
    reason: "NoRoomForHook",
    message: `no pod of a hook could be made in namespace ${release.namespace}: ${room.why}`,
  };
}

/** Under Retain an uninstall needs ngrok for nothing but the deregistration, and ends without that too. */
function keyRefused({ policy, key, release }: UninstallFacts): Verdict {
  if (policy !== "Delete" || key.is !== "no") return undefined;
  // The hook's pod will read the Secret; the operator's has read it at its start.
  const remedy = `put a valid key into the credentials Secret under API_KEY, then ${restartCommand(release)}; or set drainPolicy=Retain`;
  return { reason: "KeyRefused", message: `policy Delete needs ngrok's API: ${key.why}; ${remedy}` };
}

/** Has the operator read its Secret anew: a pod does so as it starts. */
export function restartCommand(release: Release): string {
  return `kubectl -n ${release.namespace} rollout restart deployment/${namesOf(release).manager}`;
}

/** Our finalizer goes all the same; but an object that is deleted, alone or with its CRD, would wait for the other. */
function heldByOthers({ policy, crdsGo, tally: { held, heldCount } }: UninstallFacts): Verdict {
  if (held === undefined || (policy === "Retain" && !crdsGo)) return undefined;
  const more = heldCount > 1 ? ` (and ${heldCount - 1} more)` : "";
  const remedy = crdsGo ? "upgrade with crds.keep=true" : "set drainPolicy=Retain";
  return {
    reason: "ForeignFinalizer",
    message: `${held.object} is held by finalizer ${held.finalizers.join(", ")} of another controller${more}, and would outlive its deletion; ask its owner to let go, or ${remedy}`,
  };
}

/** Nothing would be lost, and the next run would go on: but one run would not do. */
function tooLong({ policy, tally, registered, callsPerMinute, helmSeconds }: UninstallFacts): Verdict {
  const calls = callsUnder(policy, { calls: tally.calls, registered });
  const seconds = secondsOf(tally.objects, calls, callsPerMinute);
  if (seconds * 1000 <= budgetOf(helmSeconds).runMs) return undefined;
  const needed = helmSecondsFor(seconds);
  return {
    reason: "LongerThanHelm",
    message: `a drain would take longer than Helm's timeout of ${helmSeconds}s; set cleanupHook.timeout=${needed} and uninstall with --timeout ${needed}s, or run helm uninstall again until it is done`,
  };
}

function unanswered({ rights, room, key, policy }: UninstallFacts): Verdict {
  if (rights.is === "unknown") return { reason: "RightsUnknown", message: rights.why };
  if (room.is === "unknown") return { reason: "RoomUnknown", message: room.why };
  if (policy === "Delete" && key.is === "unknown") return { reason: "KeyUnknown", message: key.why };
  return undefined;
}
