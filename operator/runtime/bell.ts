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

  /**
   * Resolves when it has rung since `seen`, after `ms`, or when one of the signals aborts. Nothing of a wait is left on what
   * outlives it: one a minute goes on for as long as the process.
   */
  async wait(seen: number, ms: number, clock: Clock, ...signals: readonly AbortSignal[]): Promise<void> {
    if (this.#rings > seen || signals.some(({ aborted }) => aborted)) return;
    const over = new AbortController();
    const rung = Promise.withResolvers<void>();
    const wake = (): void => rung.resolve();
    this.#waiting.add(wake);
    for (const signal of signals) signal.addEventListener("abort", wake, { once: true });
    const late = clock.sleep(ms, over.signal).catch(() => undefined);
    await Promise.race([rung.promise, late]);
    this.#waiting.delete(wake);
    for (const signal of signals) signal.removeEventListener("abort", wake);
    over.abort(new Error("woken"));
  }
}
