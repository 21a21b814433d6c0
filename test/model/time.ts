// Time and order in the model. Time is virtual and belongs to processes that can be stopped, resumed and killed; in which
// order messages arrive is fast-check's scheduler's choice.
import type { Scheduler } from "fast-check";
import type { Clock } from "#wire/clock.ts";
import { asError } from "#wire/errors.ts";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** Milliseconds that pass with each message that arrives. */
const STEP_MS = 2;
/** Far in the future, so that no comparison with the machine's own clock depends on the day of the run. */
const BEGIN = Date.parse("2100-01-01T00:00:00Z");

export class Time {
  now = 0;
  /** How many messages have arrived, and how long a pause in which nothing was under way. */
  messages = 0;
  readonly #scheduler: Scheduler;
  readonly #timers = new Set<Timer>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  date(skewMs = 0): Date {
    return new Date(BEGIN + this.now + skewMs);
  }

  /** Calls `fire` after `ms`; returns how to call it off. */
  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.after(ms, resolve));
  }

  /** Resolves when the scheduler has chosen this message among all that are under way. */
  async arrival(label: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), label);
  }

  /** One message arrives, or, when none is under way, time goes on to whatever is due next. False when there is nothing. */
  async step(): Promise<boolean> {
    await settled();
    if (this.#scheduler.count() > 0) {
      this.messages += 1;
      await this.#scheduler.waitNext(1);
      await this.#goTo(this.now + STEP_MS);
      return true;
    }
    const next = this.#next(Number.POSITIVE_INFINITY);
    if (next === undefined) return false;
    await this.#goTo(next.at);
    return true;
  }

  async #goTo(instant: number): Promise<void> {
    for (let next = this.#next(instant); next !== undefined; next = this.#next(instant)) {
      this.#timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.fire();
      await settled();
    }
    this.now = Math.max(this.now, instant);
  }

  #next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= until && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  }
}

/** All that can run without a message and without time has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A process: it may be stopped for a while (nothing reaches it, its timers wait), and it may be killed. */
export class Process {
  readonly name: string;
  alive = true;
  /** Called once, when it is killed. */
  onKill: () => void = () => undefined;
  #stopped = false;
  readonly #time: Time;
  readonly #skewMs: number;
  readonly #waiting: (() => void)[] = [];
  readonly #resumed = new Set<() => void>();

  constructor(time: Time, name: string, skewMs = 0) {
    this.#time = time;
    this.name = name;
    this.#skewMs = skewMs;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#waiting.length = 0;
    this.#goOn();
    this.onKill();
  }

  /** SIGSTOP for `ms`. */
  stop(ms: number): void {
    if (this.#stopped || !this.alive) return;
    this.#stopped = true;
    this.#time.after(ms, () => {
      if (!this.alive) return;
      this.#stopped = false;
      this.#goOn();
      // What came over sockets first, then the timers: Node is one thread.
      for (const each of this.#waiting.splice(0)) each();
    });
  }

  /** Resolves when it is not stopped. */
  async running(): Promise<void> {
    if (this.#stopped && this.alive) await new Promise<void>((resolve) => this.#resumed.add(resolve));
  }

  /** Something reaches the process: now, when it is resumed, or never. */
  reach(what: () => void): void {
    if (!this.alive) return;
    if (this.#stopped) this.#waiting.push(what);
    else what();
  }

  #goOn(): void {
    for (const each of this.#resumed) each();
    this.#resumed.clear();
  }

  readonly clock: Clock = {
    now: () => this.#time.now,
    date: () => this.#time.date(this.#skewMs),
    sleep: async (ms, signal) =>
      await new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(asError(signal.reason));
          return;
        }
        const end = (): void => {
          off();
          reject(asError(signal?.reason));
        };
        const off = this.#time.after(ms, () =>
          this.reach(() => {
            signal?.removeEventListener("abort", end);
            resolve();
          }),
        );
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}
