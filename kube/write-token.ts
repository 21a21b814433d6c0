// A held Lease: renewed every two seconds after the state was read anew, refused to every write past its deadline, freed
// only when no write of ours can take effect any more.
import { unlessAborted } from "#wire/abort.ts";
import { type Clock, type Instant, instantOf, msSince } from "#wire/clock.ts";
import { FenceLost, isClass, KnownError } from "#wire/errors.ts";
import type { Fence, SentOutcome } from "#wire/fence.ts";
import type { Connection } from "./connection.ts";
import type { Ref } from "./kind.ts";
import type { LeaseObject } from "./kinds.ts";
import { getLease, microTime, putLease } from "./lease-calls.ts";

/** The right to write, until it ends. Disposing it waits for the calls that were sent with it and frees the Lease. */
export interface WriteToken extends Fence, AsyncDisposable {
  readonly holder: string;
  /** "yielded": no write leaves any more, calls in flight may end; disposing yields too. "lost": `signal` has aborted with FenceLost. */
  readonly ended: Promise<"yielded" | "lost">;
}

export interface LeaseTiming {
  /** Milliseconds between renewals. */
  readonly renewMs: number;
  /** Milliseconds after the last renewal at which the holder stops by itself. */
  readonly giveUpMs: number;
  /** Milliseconds without a change after which others take it; must leave time for writes in flight after giveUpMs. */
  readonly durationMs: number;
}

export const LEASE_TIMING: LeaseTiming = { renewMs: 2_000, giveUpMs: 10_000, durationMs: 15_000 };

export type LeaseNews =
  | { readonly is: "waiting"; readonly holder: string }
  | { readonly is: "held" }
  | { readonly is: "yielded" }
  | { readonly is: "lost"; readonly why: string }
  | { readonly is: "freed" }
  | { readonly is: "trouble"; readonly error: KnownError };

export interface TokenOptions {
  /** Name and namespace of the Lease; it is created when it is not there. */
  readonly lease: Ref;
  /** holderIdentity: `pod/<name>/<uid>` or `cli/<uuid>`; opaque here. */
  readonly holder: string;
  /**
   * Asked after the taking, before any work, and before each renewal: reads the drain state anew. "yield" ends the hold.
   * Failing or hanging means no renewal: who cannot read the state must not go on writing.
   */
  readonly onRenew: (signal: AbortSignal) => Promise<"keep" | "yield">;
  /** Ends the wait (throws its reason); a token that is held yields. */
  readonly signal: AbortSignal;
  readonly timing?: LeaseTiming;
  /** For logs and leader_election_* metrics. */
  readonly tell?: (news: LeaseNews) => void;
}

/** The Lease as the server stored it, and the instant before that write was sent: the hold counts from there. */
export interface Renewed {
  readonly lease: LeaseObject;
  readonly at: Instant;
}

/** open: writes may leave. closing: none may, those in flight end. over: lost or freed. */
type State = "open" | "closing" | "over";

/** After a failed renewal the next try comes sooner than the next renewal: so long after the failed one began. */
const RETRY_MS = 500;
const ASK_MS = 3_000;
/**
 * Where all standing connections have gone silent, the state's read hangs first and a renewal after it: a third try still fits.
 * No shorter, since what a slow disk of etcd stores after that is never answered, and the Lease would be lost to it.
 */
const RENEW_MS = 3_500;
const FREE_WITHIN_MS = 3_000;

export class Token implements WriteToken {
  readonly holder: string;
  readonly ended: Promise<"yielded" | "lost">;
  readonly #connection: Connection;
  readonly #options: TokenOptions;
  readonly #clock: Clock;
  readonly #timing: LeaseTiming;
  readonly #lost = new AbortController();
  /** Ends sleeps and questions of the renewing, not calls in flight. */
  readonly #stop = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #onAbort = (): void => this.#close();
  #resolveEnded: (how: "yielded" | "lost") => void = () => undefined;
  #state: State = "open";
  #renewed: Renewed;
  #renewing: Promise<unknown> | undefined;
  #freeing: Promise<void> | undefined;

  constructor(connection: Connection, options: TokenOptions, clock: Clock, timing: LeaseTiming, taken: Renewed) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = clock;
    this.#timing = timing;
    this.#renewed = taken;
    this.holder = options.holder;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  assertMayWrite(): void {
    if (this.#state === "open" && this.#leftMs() <= 0) this.#lose("it was not renewed in time");
    if (this.#state !== "open")
      throw new FenceLost(`no write without the Lease ${this.#options.lease.name}: ${this.#state}`);
  }

  sent(outcome: Promise<SentOutcome>, mayLastMs: number): void {
    const until = this.#clock.now() + mayLastMs;
    const ended = outcome
      .then(async (how) => {
        if (how === "unknown") await this.#clock.sleep(Math.max(0, until - this.#clock.now()));
      })
      .finally(() => this.#inFlight.delete(ended));
    this.#inFlight.add(ended);
  }

  /** Right after the taking: the state is read before any work, and only then is the token anybody's. */
  async start(): Promise<void> {
    this.#options.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#options.signal.aborted) this.#close();
    this.#options.tell?.({ is: "held" });
    const guarding = this.#guard();
    while (this.#state === "open" && !(await this.#mayKeep())) await this.#slept(RETRY_MS);
    this.#renewing = Promise.all([guarding, this.#renewForever()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#freeing ??= this.#free();
    await this.#freeing;
  }

  #leftMs(): number {
    return this.#timing.giveUpMs - msSince(this.#renewed.at, this.#clock);
  }

  /** True when the state was read and wants us to go on. Failing is not a yield: the deadline decides. */
  async #mayKeep(): Promise<boolean> {
    if (this.#state !== "open") return this.#state === "closing";
    try {
      const verdict = await this.#ask();
      if (verdict === "yield") this.#close();
      return true;
    } catch (error) {
      this.#trouble(error);
      return false;
    }
  }

  /** A state that does not answer soon is asked again: hanging once must not cost the whole hold. */
  async #ask(): Promise<"keep" | "yield"> {
    const over = new AbortController();
    const stop = (): void => over.abort(new FenceLost("the hold has ended"));
    this.#stop.signal.addEventListener("abort", stop, { once: true });
    if (this.#stop.signal.aborted) stop();
    const late = new KnownError("transient", `the drain state was not read within ${ASK_MS} ms`, { code: "Timeout" });
    this.#clock.sleep(ASK_MS, over.signal).then(
      () => over.abort(late),
      () => undefined,
    );
    try {
      return await unlessAborted(over.signal, this.#options.onRenew(over.signal));
    } finally {
      over.abort(new Error("asked"));
      this.#stop.signal.removeEventListener("abort", stop);
    }
  }

  async #renewForever(): Promise<void> {
    let wait = this.#timing.renewMs;
    while (await this.#slept(wait)) {
      const began = this.#clock.now();
      const renewed = (await this.#mayKeep()) && (await this.#renew());
      wait = renewed ? this.#timing.renewMs : Math.max(0, RETRY_MS - (this.#clock.now() - began));
    }
  }

  async #renew(): Promise<boolean> {
    if (this.#state === "over") return false;
    const at = instantOf(this.#clock);
    const { lease } = this.#renewed;
    const timeoutMs = Math.max(1, Math.min(RENEW_MS, this.#leftMs()));
    try {
      const next = { ...lease, spec: { ...lease.spec, renewTime: microTime(this.#clock) } };
      const stored = await putLease(this.#connection, next, this.#lost.signal, timeoutMs);
      this.#renewed = { lease: stored, at };
      return true;
    } catch (error) {
      if (isClass(error, "gone")) this.#lose("the Lease was deleted");
      else if (isClass(error, "conflict")) return await this.#lookAgain();
      else this.#trouble(error);
      return false;
    }
  }

  /** Somebody wrote it: another holder, a label of a person, or a renewal of ours whose answer was lost. */
  async #lookAgain(): Promise<boolean> {
    try {
      const lease = await getLease(this.#connection, this.#options.lease, this.#lost.signal);
      const isOurs =
        lease?.spec?.holderIdentity === this.holder && lease.metadata.uid === this.#renewed.lease.metadata.uid;
      // Counted from the last renewal that was answered: this one may be older than it looks.
      if (lease !== undefined && isOurs) this.#renewed = { lease, at: this.#renewed.at };
      else this.#lose(lease === undefined ? "the Lease was deleted" : "another took the Lease");
    } catch (error) {
      this.#trouble(error);
    }
    return false;
  }

  /** Notices the deadline by itself, for the calls in flight; writes check it without waiting for this. */
  async #guard(): Promise<void> {
    while (await this.#slept(this.#leftMs()));
  }

  /** No write leaves from now on. Calls in flight may end for as long as a renewal lasts. */
  #close(): void {
    if (this.#state !== "open") return;
    // A process that was stopped may wish to yield before it has noticed that its time is over.
    if (this.#leftMs() <= 0) return this.#lose("it was not renewed in time");
    this.#state = "closing";
    this.#options.tell?.({ is: "yielded" });
    this.#resolveEnded("yielded");
    const tooLong = async (): Promise<void> => {
      if (await this.#slept(this.#timing.giveUpMs)) this.#lose("its calls did not end");
    };
    void tooLong();
  }

  #lose(why: string): void {
    if (this.#state === "over") return;
    this.#end();
    this.#resolveEnded("lost");
    this.#options.tell?.({ is: "lost", why });
    this.#lost.abort(new FenceLost(`the Lease ${this.#options.lease.name} is lost: ${why}`));
  }

  #end(): void {
    this.#state = "over";
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#stop.abort(new Error("the hold has ended"));
  }

  async #free(): Promise<void> {
    this.#close();
    while (this.#inFlight.size > 0 && this.#state === "closing") {
      await unlessAborted(this.#stop.signal, Promise.race(this.#inFlight)).catch(() => undefined);
    }
    const wasLost = this.#state === "over";
    if (!wasLost) this.#end();
    await this.#renewing;
    if (wasLost) return;
    try {
      await this.#putFree(AbortSignal.timeout(FREE_WITHIN_MS));
      this.#options.tell?.({ is: "freed" });
    } catch (error) {
      // Nobody is harmed: others take it when they have seen it unrenewed for long enough.
      this.#trouble(error);
    }
    this.#lost.abort(new FenceLost(`the Lease ${this.#options.lease.name} was freed`));
  }

  async #putFree(signal: AbortSignal): Promise<void> {
    let { lease } = this.#renewed;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        const spec = { ...lease.spec, holderIdentity: "", renewTime: microTime(this.#clock) };
        await putLease(this.#connection, { ...lease, spec }, signal, FREE_WITHIN_MS);
        return;
      } catch (error) {
        if (isClass(error, "gone")) return;
        if (!isClass(error, "conflict")) throw error;
      }
      const seen = await getLease(this.#connection, this.#options.lease, signal);
      if (seen === undefined || seen.spec?.holderIdentity !== this.holder) return;
      lease = seen;
    }
  }

  /** False when the hold has ended meanwhile: with the machine all timers may have slept for longer than they were asked to. */
  async #slept(ms: number): Promise<boolean> {
    try {
      await this.#clock.sleep(ms, this.#stop.signal);
      if (this.#leftMs() <= 0) this.#lose("it was not renewed in time");
      return this.#state !== "over";
    } catch {
      return false;
    }
  }

  #trouble(error: unknown): void {
    if (this.#state === "over" || error instanceof FenceLost) return;
    const known = error instanceof KnownError ? error : new KnownError("transient", String(error), { cause: error });
    this.#options.tell?.({ is: "trouble", error: known });
  }
}
