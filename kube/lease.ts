// The Lease as write token: whoever holds it, writes; to hold it is to know that nobody else does. Taken by
// compare-and-swap only, given up 10 s after the last renewal, free for others 15 s after the last change that they saw.
import { type Clock, type Instant, instantOf, systemClock } from "#wire/clock.ts";
import { isClass, KnownError } from "#wire/errors.ts";
import { waitInLoop } from "#wire/backoff.ts";
import type { Connection } from "./connection.ts";
import type { LeaseObject } from "./kinds.ts";
import { microTime, postLease, putLease } from "./lease-calls.ts";
import { observeLease, type LeaseObserver, type LeaseView } from "./lease-observer.ts";
import { LEASE_TIMING, Token, type Renewed, type TokenOptions, type WriteToken } from "./write-token.ts";

export type { LeaseNews, WriteToken } from "./write-token.ts";

export interface HoldOptions extends TokenOptions {
  readonly clock?: Clock;
  /**
   * How many milliseconds the Lease must have said the same before it is taken. Default: 0 when free, durationMs when held
   * (by an earlier life of ours too: its last writes may be under way). Infinity: never while it says this.
   */
  readonly patience?: (view: LeaseView) => number;
  /** An observer that has been counting already. */
  readonly observer?: LeaseObserver;
  /** Labels of a Lease that we create. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of a Lease that we create. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Waits until the Lease may be taken, takes it, asks onRenew, and returns the token (which has ended already when onRenew
 * said "yield", or the state could not be read in time). Throws the signal's reason; failures are told and tried again.
 */
export async function hold(connection: Connection, options: HoldOptions): Promise<WriteToken> {
  const clock = options.clock ?? systemClock;
  const observer = options.observer ?? observeLease(connection, options.lease, clock);
  let taken: Renewed;
  try {
    taken = await acquire(connection, options, observer, clock);
  } finally {
    if (options.observer === undefined) observer[Symbol.dispose]();
  }
  const token = new Token(connection, options, clock, options.timing ?? LEASE_TIMING, taken);
  await token.start();
  return token;
}

async function acquire(
  connection: Connection,
  options: HoldOptions,
  observer: LeaseObserver,
  clock: Clock,
): Promise<Renewed> {
  const { signal, holder } = options;
  const durationMs = (options.timing ?? LEASE_TIMING).durationMs;
  const patience = options.patience ?? ((view: LeaseView) => (view.holder === "" && !view.vanished ? 0 : durationMs));
  const failures = new Failures(options, clock);
  let told: string | undefined;
  let attempt: { at: Instant; stamp: string } | undefined;
  let isDue = true;
  let left = 0;
  while (true) {
    try {
      const view: LeaseView = isDue ? await observer.look(signal) : await observer.next(left, signal);
      // A write of ours whose answer was lost: its stamp tells it from an earlier life's.
      if (attempt !== undefined && view.lease?.spec?.acquireTime === attempt.stamp && view.holder === holder) {
        return { lease: view.lease, at: attempt.at };
      }
      left = patience(view) - (clock.now() - view.changedAt);
      isDue = false;
      if (left > 0) {
        if (told !== view.holder) options.tell?.({ is: "waiting", holder: view.holder });
        told = view.holder;
        continue;
      }
      attempt = { at: instantOf(clock), stamp: microTime(clock) };
      return { lease: await take(connection, options, view, attempt.stamp, durationMs), at: attempt.at };
    } catch (error) {
      isDue = true;
      await failures.pause(error);
    }
  }
}

/** Compare-and-swap: a Lease that changed since it was seen, or that another created meanwhile, is a conflict. */
async function take(
  connection: Connection,
  options: HoldOptions,
  view: LeaseView,
  now: string,
  durationMs: number,
): Promise<LeaseObject> {
  const { holder, lease: at, signal, labels, annotations } = options;
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: now,
    renewTime: now,
  };
  if (view.lease === undefined) {
    const metadata = {
      name: at.name,
      ...(at.namespace === undefined ? {} : { namespace: at.namespace }),
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    };
    return await postLease(connection, { metadata, spec: { ...spec, leaseTransitions: 0 } }, signal);
  }
  const leaseTransitions = (view.lease.spec?.leaseTransitions ?? 0) + 1;
  return await putLease(connection, { ...view.lease, spec: { ...spec, leaseTransitions } }, signal);
}

/** Waits between tries by the error's class; conflicts are looked at again almost at once. */
class Failures {
  readonly #options: HoldOptions;
  readonly #clock: Clock;
  #count = 0;

  constructor(options: HoldOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async pause(error: unknown): Promise<void> {
    const { signal, tell } = this.#options;
    signal.throwIfAborted();
    if (!(error instanceof KnownError)) throw error;
    // A missing right may still be on its way to the API server; a 403 is told and asked again, for the caller's deadline.
    if (!isClass(error, "conflict")) tell?.({ is: "trouble", error });
    const wait = waitInLoop(error, this.#count, { baseMs: 100, capMs: 2_000 }, Math.random);
    this.#count += 1;
    await this.#clock.sleep(wait, signal);
  }
}
