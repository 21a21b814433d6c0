// Keys waiting for work: each at most once, each worked on by one worker at a time, later ones in their own time.
import type { Clock } from "#wire/clock.ts";
import { type KnownError, known } from "#wire/errors.ts";
import { turnDue } from "#wire/turn.ts";

/** What becomes of a key after its work. */
export type Next =
  | { readonly is: "done" }
  | { readonly is: "later"; readonly ms: number }
  | { readonly is: "retry"; readonly error: KnownError };

export interface QueueMetrics {
  added(): void;
  depth(keys: number): void;
  /** Seconds between being added and being started. */
  waited(seconds: number): void;
  /** Seconds of one piece of work. */
  worked(seconds: number): void;
  retried(): void;
  active(workers: number): void;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** Keys worked on at once. */
  readonly concurrency: number;
  /** Never expected to throw; what it throws all the same is retried as a transient error. */
  work(key: string): Promise<Next>;
  /** Milliseconds until the next try after `failures` failures in a row, or undefined when only a change helps. */
  backoff(error: KnownError, failures: number): number | undefined;
  readonly metrics: QueueMetrics;
}

const DAY_MS = 86_400_000;
/** One for all timers: without a reason each abort would make an exception with its stack. */
const ANSWERED = new Error("the key was added, or is forgotten");

interface Timer {
  readonly due: number;
  readonly cancel: AbortController;
}

export class Queue {
  readonly #options: QueueOptions;
  /** Key -> when it was added; a Map keeps the order. */
  readonly #pending = new Map<string, number>();
  readonly #running = new Set<string>();
  /** Added while they were worked on: they come again. */
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();
  readonly #idle = new Set<() => void>();
  #stopped = false;
  #scheduled = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Adds the key now; a delayed add of the same key is thereby answered. */
  add(key: string): void {
    if (this.#stopped) return;
    this.#cancelTimer(key);
    if (this.#running.has(key)) {
      this.#dirty.add(key);
      return;
    }
    if (this.#pending.has(key)) return;
    this.#pending.set(key, this.#options.clock.now());
    this.#options.metrics.added();
    this.#options.metrics.depth(this.#pending.size);
    this.#schedule();
  }

  /** Adds the key after `ms`, at most a day; of several delayed adds the earliest counts. */
  addAfter(key: string, wanted: number): void {
    if (this.#stopped) return;
    // A timer of more than 24 days would fire at once.
    const ms = Math.min(wanted, DAY_MS);
    const due = this.#options.clock.now() + ms;
    const earlier = this.#timers.get(key);
    if (earlier !== undefined && earlier.due <= due) return;
    this.#cancelTimer(key);
    const cancel = new AbortController();
    this.#timers.set(key, { due, cancel });
    this.#options.clock.sleep(ms, cancel.signal).then(
      () => {
        this.#timers.delete(key);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** Nothing is known about the key any more: its failures and its timer are dropped. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#cancelTimer(key);
  }

  /** Starts nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pending.clear();
    this.#options.metrics.depth(0);
    for (const key of this.#timers.keys()) this.#cancelTimer(key);
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  /**
   * Later, so that whoever adds (a watch) has finished its event before the work looks at the cache; and after others had
   * their turn, where work without calls has gone on for long.
   */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const pump = (): void => {
      this.#scheduled = false;
      this.#pump();
    };
    const turn = turnDue();
    if (turn === undefined) queueMicrotask(pump);
    else void turn.then(pump);
  }

  #pump(): void {
    for (const [key, since] of this.#pending) {
      if (this.#running.size >= this.#options.concurrency) break;
      this.#pending.delete(key);
      this.#options.metrics.depth(this.#pending.size);
      this.#options.metrics.waited((this.#options.clock.now() - since) / 1000);
      this.#running.add(key);
      this.#options.metrics.active(this.#running.size);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    const started = this.#options.clock.now();
    const next = await this.#options.work(key).catch((error: unknown): Next => ({ is: "retry", error: known(error) }));
    this.#options.metrics.worked((this.#options.clock.now() - started) / 1000);
    this.#running.delete(key);
    this.#options.metrics.active(this.#running.size);
    if (!this.#stopped) this.#settle(key, next);
    if (this.#dirty.delete(key)) this.add(key);
    if (this.#running.size === 0) for (const resolve of this.#idle) resolve();
    this.#schedule();
  }

  #settle(key: string, next: Next): void {
    if (next.is !== "retry") {
      this.#failures.delete(key);
      if (next.is === "later") this.addAfter(key, next.ms);
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const ms = this.#options.backoff(next.error, failures);
    if (ms === undefined) return;
    this.#options.metrics.retried();
    this.addAfter(key, ms);
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.cancel.abort(ANSWERED);
    this.#timers.delete(key);
  }
}
