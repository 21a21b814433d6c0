// How a driver comes by the write token: the operator's leader yields when it sees the mark; one that does not, hung or of the
// Go operator, loses its pod, so that the API server refuses its token; a living hook or CLI is followed, never evicted.
import { namesOf, type Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import { observeLease, type LeaseObserver, type LeaseView } from "#kube/lease-observer.ts";
import { hold, type WriteToken } from "#kube/lease.ts";
import { Pod } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { Clock } from "#wire/clock.ts";
import { FenceLost, isClass, KnownError } from "#wire/errors.ts";
import { RBAC_SETTLES_MS } from "./budget.ts";
import { isComponentPod, podsOfRelease } from "./pods.ts";
import { mark, type Mark, parseState, policyUnder, type StateReader } from "./state.ts";

export interface Takeover {
  readonly connection: Connection;
  readonly read: Reader;
  readonly release: Release;
  /** `pod/<name>/<uid>` or `cli/<uuid>` */
  readonly identity: string;
  /** Fed at each renewal, so that a relaxed policy acts in mid-run. */
  readonly state: StateReader;
  /** What holds now; written back when somebody wipes it. */
  readonly mark: Mark;
  /** Milliseconds until the token must be held: for waiting for another driver, and for taking it. */
  readonly budgetMs: number;
  readonly clock: Clock;
  /** Ends the waiting. What is held then is held until it is disposed: who is told to end has its last words to write. */
  readonly signal: AbortSignal;
  say(word: string, sentence: string): void;
}

/** A holder that says nothing for this long is dead or hung (the duration of the Lease). */
const SILENT_MS = 15_000;
/** A holder that renews, but does not yield to the mark for this long, is of no use either; within a Helm timeout of 60 s. */
const STUBBORN_MS = 30_000;
/** The API server accepts the token of a deleted pod for 10 s more: its cache. */
const TOKEN_DIES_MS = 15_000;
/** The same, when the pod was gone before we looked. */
const POD_GONE_MS = 12_000;
/** Trouble that passes sooner is nothing to speak of. */
const TROUBLE_LASTS_MS = 5_000;

/**
 * Waits for the token, takes it, and says how. Throws KnownError when another driver keeps it beyond the budget, or the API
 * server refuses it for so long; FenceLost when the drain is cancelled meanwhile.
 */
export async function takeOver(work: Takeover): Promise<WriteToken> {
  const { connection, release, clock, signal, state } = work;
  const began = clock.now();
  using observer = observeLease(connection, { name: namesOf(release).lease, namespace: release.namespace }, clock);
  for (;;) {
    const unseated = await unseat(work, observer, await observer.look(signal), began);
    const token = await takeFrom(work, observer, unseated, work.budgetMs - (clock.now() - began));
    if (token === undefined) continue;
    await state.fresh(signal);
    const seconds = ((clock.now() - began) / 1000).toFixed(1);
    const driver = work.identity.startsWith("cli/") ? "run" : "hook";
    work.say("operator", `${unseated.how} after ${seconds}s; this ${driver} drains`);
    return token;
  }
}

class Overtaken extends Error {}

/** Undefined when another took it first: that one is asked to yield, too, and not just waited for. */
async function takeFrom(
  work: Takeover,
  observer: LeaseObserver,
  unseated: Unseated,
  leftMs: number,
): Promise<WriteToken | undefined> {
  const { connection, release, identity, clock, signal } = work;
  const taking = new AbortController();
  const over = new AbortController();
  const stop = (): void => over.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const trouble = troubleOf(work, (error) => over.abort(error));
  // The timer ends with the taking: what the token is used for has a budget of its own.
  const late = (): void => over.abort(trouble.last ?? notTaken());
  void clock.sleep(Math.max(1, leftMs), taking.signal).then(late, () => {});
  try {
    return await hold(connection, {
      lease: { name: namesOf(release).lease, namespace: release.namespace },
      holder: identity,
      clock,
      observer,
      signal: over.signal,
      patience(view) {
        if (view.holder === "" || view.holder === unseated.holder) return 0;
        throw new Overtaken();
      },
      onRenew: async (until) => await stillOurs(work, until),
      tell: (news) => {
        if (news.is === "trouble" && !taking.signal.aborted) trouble.meets(news.error);
      },
    });
  } catch (error) {
    if (error instanceof Overtaken) return undefined;
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    taking.abort(new Error("taken"));
  }
}

interface Trouble {
  readonly last: KnownError | undefined;
  meets(error: KnownError): void;
}

/** A quota or a policy may refuse Leases for ever: it is said, and what is still refused when rights have settled is an answer. */
function troubleOf(work: Takeover, refused: (error: KnownError) => void): Trouble {
  const began = work.clock.now();
  let last: KnownError | undefined;
  let told = "";
  return {
    get last() {
      return last;
    },
    meets(error) {
      last = error;
      const lasts = work.clock.now() - began;
      if (lasts >= TROUBLE_LASTS_MS && told !== error.message) {
        told = error.message;
        work.say("waiting", `for the write token: ${told}`);
      }
      if (isClass(error, "invalid") && lasts > RBAC_SETTLES_MS) refused(error);
    },
  };
}

/** Who was waited for, and how it ended; the token may be taken from this holder at once. */
interface Unseated {
  readonly holder: string;
  readonly how: string;
}

async function unseat(work: Takeover, observer: LeaseObserver, first: LeaseView, since: number): Promise<Unseated> {
  const { clock, signal, identity } = work;
  if (!first.vanished) {
    if (first.lease === undefined) return { holder: "", how: "no operator ever led here: the Lease is new" };
    if (first.holder === "") return { holder: "", how: "no leader held the write token: free" };
  }
  const began = clock.now();
  const name = podOf(first.holder)?.name ?? (first.holder || "whoever led");
  const seat = await seatOf(work, first.holder);
  let evictedAt: number | undefined;
  let view = first;
  for (;;) {
    if (view.holder === "" && !view.vanished) return { holder: "", how: `leader ${name} yielded` };
    if (view.holder !== "" && view.holder !== first.holder) return await unseat(work, observer, view, since);
    // Whoever waits for a drain that nobody wants any more would evict leaders that are right to stay.
    if ((await stillOurs(work, signal)) === "yield") throw new FenceLost("the drain was cancelled");
    const now = clock.now();
    const silent = now - view.changedAt;
    if (now - since > work.budgetMs) throw stillHolding(name);
    if (view.holder === identity || seat.is === "other") {
      // Another run of ours, a hook or a person's CLI: it is followed as long as it lives.
      if (silent >= SILENT_MS) return { holder: view.holder, how: `${name} has been silent for ${SILENT_MS / 1000}s` };
    } else if (seat.is === "gone") {
      if (now - began >= POD_GONE_MS) return { holder: view.holder, how: `the pod of leader ${name} is gone` };
    } else if (evictedAt === undefined) {
      const stubborn = now - began >= STUBBORN_MS;
      if (silent >= SILENT_MS || stubborn) {
        // Looked at once more: after a stall of our own what was seen last is old, and the leader may be well.
        const latest = await observer.look(signal);
        const isAsSeen = latest.holder === view.holder && (stubborn || latest.changedAt === view.changedAt);
        view = latest;
        if (!isAsSeen) continue;
        await evict(work, seat);
        evictedAt = clock.now();
        work.say(
          "operator",
          `leader ${name} ${whatItDoes(view, silent)}: its pod was deleted, so that its token is refused`,
        );
      }
    } else if (now - evictedAt >= TOKEN_DIES_MS) {
      return { holder: view.holder, how: `leader ${name} was evicted` };
    }
    view = await observer.next(nextLookMs({ now, began, silent, seat: seat.is, evictedAt }), signal);
  }
}

/** A Lease that somebody deletes is none that was freed: its holder may not know, with a write on its way. */
function whatItDoes({ vanished }: LeaseView, silent: number): string {
  if (vanished) return "has lost its Lease, which was deleted, and says nothing";
  return silent >= SILENT_MS ? "neither yields nor renews" : "renews, but does not yield";
}

/** Until the next of the instants above; a change of the Lease comes earlier by itself. */
function nextLookMs(at: {
  now: number;
  began: number;
  silent: number;
  seat: Seat["is"];
  evictedAt: number | undefined;
}): number {
  const waited = at.now - at.began;
  if (at.seat === "gone") return Math.max(1, POD_GONE_MS - waited);
  if (at.evictedAt !== undefined) return Math.max(1, TOKEN_DIES_MS - (at.now - at.evictedAt));
  return Math.max(
    1,
    Math.min(SILENT_MS - at.silent, at.seat === "operator" ? Math.max(1, STUBBORN_MS - waited) : SILENT_MS),
  );
}

/** operator: a pod of the three components, there. gone: it is not there any more. other: a hook, a CLI, or unknown. */
type Seat =
  | { readonly is: "operator"; readonly name: string; readonly uid: string | undefined }
  | { readonly is: "gone" }
  | { readonly is: "other" };

async function seatOf({ read, release, signal }: Takeover, holder: string): Promise<Seat> {
  const named = podOf(holder);
  if (named === undefined) return { is: "other" };
  const pod = await read.get(Pod, { name: named.name, namespace: release.namespace }, signal);
  // Whose holder tells no uid may as well have named a machine: that there is no such pod says nothing of it.
  if (pod === undefined && named.uid === undefined) return { is: "other" };
  if (pod === undefined || (named.uid ?? pod.metadata.uid) !== pod.metadata.uid) return { is: "gone" };
  return isComponentPod(pod, release) ? { is: "operator", name: named.name, uid: pod.metadata.uid } : { is: "other" };
}

/**
 * The pod that a holder names: ours stand as `pod/<name>/<uid>`, the Go operator as client-go does, `<host name>_<uuid>`. That
 * one leads on where an upgrade from 0.24 hangs, and knows no mark.
 */
function podOf(holder: string): { readonly name: string; readonly uid?: string | undefined } | undefined {
  const [kind, name, uid] = holder.split("/");
  if (kind === "pod" && name !== undefined) return { name, uid };
  const [, host] = /^([^/]+)_[^/_]+$/.exec(holder) ?? [];
  return host === undefined ? undefined : { name: host };
}

/** Deletes the holder's pod, that very one, without grace: its ServiceAccount token dies with it. */
async function evict(
  { connection, release, signal }: Takeover,
  { name, uid }: Seat & { is: "operator" },
): Promise<void> {
  try {
    await connection.request({
      method: "DELETE",
      path: `/api/v1/namespaces/${release.namespace}/pods/${name}`,
      body: { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, preconditions: { uid } },
      signal,
    });
  } catch (error) {
    if (!isClass(error, "gone", "conflict")) throw error;
  }
}

/**
 * Asked at each renewal. An explicit Open is a cancel: yield. A mark that somebody wiped is written back, with the policy
 * that it was relaxed to before; so is a policy that somebody turned back to Delete. A failed read throws: who cannot read
 * the state does not go on writing.
 */
async function stillOurs(work: Takeover, signal: AbortSignal): Promise<"keep" | "yield"> {
  const { connection, read, release, state } = work;
  const object = await state.read(signal);
  const { now } = state;
  if (now.phase === "Open" && now.explicit) return "yield";
  const policy = policyUnder(work.mark, now);
  const said = parseState(object);
  if (!("policy" in said) || (said.phase === "Draining" && said.policy !== policy)) {
    const running = await podsOfRelease(read, release, signal);
    const again = { ...work.mark, policy };
    await mark(connection, read, release, again, running.length > 0 ? "create" : "skip", signal);
  }
  return "keep";
}

/** Whoever it is: a drain that is at work, or one that we may not end. */
function stillHolding(name: string): KnownError {
  return new KnownError("transient", `${name} still holds the Lease of this release and renews it`, {
    hint: "wait until it has ended, or end it, then run the same helm uninstall again",
  });
}

function notTaken(): KnownError {
  return new KnownError("transient", "the write token could not be taken in the time of this run");
}
