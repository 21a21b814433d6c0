// Looking at a Lease that somebody else may hold. Time is counted on our own monotonic clock from the last change that we
// saw: renewTime was written by another clock and is never read as a time.
import type { Clock } from "#wire/clock.ts";
import { asError, KnownError } from "#wire/errors.ts";
import type { Connection, WatchEvent } from "./connection.ts";
import type { Ref } from "./kind.ts";
import { Lease, type LeaseObject } from "./kinds.ts";
import { getLease, LEASE_VERSION } from "./lease-calls.ts";
import { listPath } from "./paths.ts";

export interface LeaseView {
  /** holderIdentity; "" when the Lease is free or does not exist. */
  readonly holder: string;
  /** The Lease as it was seen; undefined when it does not exist. */
  readonly lease: LeaseObject | undefined;
  /** When what it says was first seen, on our own clock (`clock.now()`): its age is how long nobody renewed or freed it. */
  readonly changedAt: number;
  /** It was held when we last saw it, and then deleted: its holder may not know yet. */
  readonly vanished: boolean;
}

export interface LeaseObserver extends Disposable {
  /** A consistent GET. Throws KnownError when the server does not tell. */
  look(signal: AbortSignal): Promise<LeaseView>;
  /** Waits for the next change for `ms` at most; returns what is known then. Throws KnownError as look does. */
  next(ms: number, signal: AbortSignal): Promise<LeaseView>;
}

/** Where the Lease cannot be watched, it is looked at this often: the rhythm of its renewals. */
const LOOK_MS = 2_000;
/** Nobody waits longer than this without coming back to decide anew (a timer also holds no more than 24 days). */
const LONGEST_MS = 60_000;

export function observeLease(connection: Connection, at: Ref, clock: Clock): LeaseObserver {
  return new Observer(connection, at, clock);
}

class Observer implements LeaseObserver {
  readonly #connection: Connection;
  readonly #at: Ref;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #view: LeaseView | undefined;
  #events: AsyncIterator<WatchEvent> | undefined;
  #coming: Promise<IteratorResult<WatchEvent>> | undefined;
  /** The watch that is open, or was last, has told something. */
  #hasTold = false;

  constructor(connection: Connection, at: Ref, clock: Clock) {
    this.#connection = connection;
    this.#at = at;
    this.#clock = clock;
  }

  async look(signal: AbortSignal): Promise<LeaseView> {
    return this.#saw(await getLease(this.#connection, this.#at, signal));
  }

  async next(ms: number, signal: AbortSignal): Promise<LeaseView> {
    const view = this.#view ?? (await this.look(signal));
    this.#watch(view);
    const coming = this.#coming;
    if (coming === undefined) {
      await this.#clock.sleep(Math.min(ms, LOOK_MS), signal);
      return await this.look(signal);
    }
    const over = new AbortController();
    const stop = (): void => over.abort(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    try {
      const late = this.#clock.sleep(Math.min(ms, LONGEST_MS), over.signal).then(
        () => "late" as const,
        () => "late" as const,
      );
      const first = await Promise.race([coming, late]);
      signal.throwIfAborted();
      if (first === "late") return this.#view ?? view;
      this.#coming = undefined;
      if (first.done !== true) {
        this.#hasTold = true;
        return this.#heard(first.value, view);
      }
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      // The watch failed or may not be: the pause keeps this from being a tight poll.
      this.#events = undefined;
      this.#coming = undefined;
      await this.#clock.sleep(Math.min(ms, LOOK_MS), signal);
      return await this.look(signal);
    } finally {
      over.abort(new Error("heard"));
      signal.removeEventListener("abort", stop);
    }
    this.#events = undefined;
    // So a server that is going down ends each: begun again as fast, that would be hundreds a second.
    if (!this.#hasTold) await this.#clock.sleep(Math.min(ms, LOOK_MS), signal);
    return await this.look(signal);
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new KnownError("transient", "the Lease is no longer observed", { code: "Closed" }));
  }

  /** One watch stays open from one call of next to the following. */
  #watch(view: LeaseView): void {
    if (this.#events === undefined && view.lease !== undefined) {
      const resourceVersion = view.lease.metadata.resourceVersion;
      const events = this.#connection.watch({
        path: listPath(Lease, LEASE_VERSION, this.#at.namespace),
        query: { fieldSelector: `metadata.name=${this.#at.name}`, resourceVersion, timeoutSeconds: 300 },
        signal: this.#closed.signal,
      });
      this.#events = events[Symbol.asyncIterator]();
      this.#hasTold = false;
    }
    this.#coming ??= this.#events?.next();
    this.#coming?.catch(() => undefined);
  }

  #heard(event: WatchEvent, view: LeaseView): LeaseView {
    if (event.type === "BOOKMARK") return this.#view ?? view;
    if (event.type !== "DELETED") return this.#saw(event.object as LeaseObject);
    this.#events = undefined;
    return this.#saw(undefined);
  }

  #saw(lease: LeaseObject | undefined): LeaseView {
    const before = this.#view;
    const same = before !== undefined && wordsOf(before.lease) === wordsOf(lease);
    const changedAt = same ? before.changedAt : this.#clock.now();
    const vanished = lease === undefined && before !== undefined && (before.vanished || before.holder !== "");
    this.#view = { holder: lease?.spec?.holderIdentity ?? "", lease, changedAt, vanished };
    return this.#view;
  }
}

/** All that a holder changes, compared as text and never understood. */
function wordsOf(lease: LeaseObject | undefined): string {
  if (lease === undefined) return "";
  const { holderIdentity = "", renewTime = "", acquireTime = "", leaseTransitions = 0 } = lease.spec ?? {};
  return [lease.metadata.uid, holderIdentity, renewTime, acquireTime, leaseTransitions].join(" ");
}
