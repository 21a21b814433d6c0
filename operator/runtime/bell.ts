// What wakes the leader: a ring that comes while it is busy is not lost.
import type { Clock } from "#wire/clock.ts";

/** Rings when the duty may have changed: the drain state, the KubernetesOperator's deletion, a CRD that goes. */
export class Bell {
  #rings = 0;
  readonly #waiting = new Set<() => void>();

  ring(): void {
    this.#rings += 1;
    for (const wake of this.#waiting) wake();
  }

  get rings(): number {
    return this.#rings;
  }

  /** Resolves when it has rung since `seen`, after `ms`, when `or` settles, or when the signal aborts. */
  async wait(seen: number, ms: number, clock: Clock, signal: AbortSignal, or?: Promise<unknown>): Promise<void> {
    if (this.#rings > seen || signal.aborted) return;
    const over = new AbortController();
    const rung = Promise.withResolvers<void>();
    const wake = (): void => rung.resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    const late = clock.sleep(ms, over.signal).catch(() => undefined);
    await Promise.race([rung.promise, late, ...(or === undefined ? [] : [or])]);
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
    over.abort(new Error("woken"));
  }
}
