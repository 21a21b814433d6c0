// How many of the drain's calls are with the API server at once: as many as it answers without letting anybody wait for
// them, since a cluster that is being uninstalled from is a cluster that others work with.
import type { Writer } from "#kube/writer.ts";
import type { Clock } from "#wire/clock.ts";
import { PARALLEL } from "./execute.ts";

/** A limit is judged by at least so many calls. */
const ROUND = 8;
/** So many rounds the server's best is believed; then it is asked one call at a time, for a round, how fast it is now. */
const BELIEVED = 100;
/** Calls of ours in the server's queue: with fewer one more goes, with more one less. */
const SOME = 0.5;
const MANY = 1.6;
/** A call that hangs is in nobody's way: after this long another may go beside it. */
const HANGS_MS = 1_000;
/** One for all: an abort without a reason makes an exception with a stack for each call, which costs more than the rest here. */
const OVER = new Error("the call has ended");

/**
 * Learns from the answers' times, as TCP Vegas does of packets: of `limit` calls in flight, those that stretch the answer
 * beyond its best are in a queue. Medians, so that a few calls that hang or were asked to wait mean nothing.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #times: number[] = [];
  #running = 0;
  #limit = 1;
  #crowded = false;
  /** The median of calls that had the server for themselves, or better. */
  #best = Infinity;
  #rounds = 0;
  /** The limit to go back to, while the best is asked for. */
  #before: number | undefined;
  /** Calls that began before a question tell nothing of its answer. */
  #question = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls in flight at once, just now. */
  get limit(): number {
    return this.#limit;
  }

  /** Runs `call` when it is its turn; ends as the call ends. */
  async through<T>(call: () => Promise<T>): Promise<T> {
    await this.#enter();
    const began = this.#clock.now();
    const question = this.#question;
    const over = new AbortController();
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      this.#leave();
    };
    this.#clock.sleep(HANGS_MS, over.signal).then(leave, () => undefined);
    try {
      return await call();
    } finally {
      over.abort(OVER);
      if (question === this.#question) this.#learn(this.#clock.now() - began);
      leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#limit) {
      this.#running += 1;
      return;
    }
    this.#crowded = true;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Who waits takes the place over, as long as there is one. */
  #leave(): void {
    this.#running -= 1;
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }

  #learn(ms: number): void {
    this.#times.push(ms);
    if (this.#times.length < Math.max(ROUND, 2 * this.#limit)) return;
    const median = this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1] ?? 0;
    this.#times = [];
    if (this.#before === undefined) this.#judge(median);
    else this.#answered(median, this.#before);
  }

  #judge(median: number): void {
    // One call at a time has the server for itself, and is the answer whenever it comes.
    this.#best = this.#limit === 1 ? median : Math.min(this.#best, median);
    const queued = median === 0 ? 0 : this.#limit * (1 - this.#best / median);
    // A limit at which nobody waited says nothing about a higher one.
    if (queued < SOME && this.#crowded) this.#limit = Math.min(PARALLEL, this.#limit + 1);
    if (queued > MANY) this.#limit = Math.max(1, this.#limit - 1);
    this.#crowded = this.#waiting.length > 0;
    this.#rounds += 1;
    if (this.#rounds < BELIEVED) return;
    this.#before = this.#limit;
    this.#limit = 1;
    this.#question += 1;
  }

  #answered(best: number, before: number): void {
    this.#best = best;
    this.#limit = before;
    this.#before = undefined;
    this.#rounds = 0;
  }
}

/** The writer, each of its writes at this pace. */
export function paced(write: Writer, pace: Pace): Writer {
  return {
    create: async (...args) => await pace.through(async () => await write.create(...args)),
    remove: async (...args) => await pace.through(async () => await write.remove(...args)),
    patch: async (...args) => await pace.through(async () => await write.patch(...args)),
    patchStatus: async (...args) => await pace.through(async () => await write.patchStatus(...args)),
    addFinalizer: async (...args) => await pace.through(async () => await write.addFinalizer(...args)),
    removeFinalizer: async (...args) => await pace.through(async () => await write.removeFinalizer(...args)),
  };
}
