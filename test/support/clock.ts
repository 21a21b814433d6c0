// Time that a test owns: it stands still until the test moves it.
import type { Clock } from "#wire/clock.ts";

export interface TestClock extends Clock {
  /** Moves time on by `ms`, ending each sleep at its instant, in order; what a sleeper does next happens in between. */
  advance(ms: number): Promise<void>;
  /** How long each sleep was asked to last, in order. */
  readonly sleeps: readonly number[];
  /** Sleeps that have not ended. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/**
 * A clock at 0 ms, whose wall clock starts at `date`. With `hurry`, whoever sleeps moves time on by as much and goes on at
 * once: for code that sleeps one after the other.
 */
export function testClock({ hurry = false, date = new Date("2026-01-01T00:00:00Z") } = {}): TestClock {
  let now = 0;
  const sleeps: number[] = [];
  const sleepers = new Set<Sleeper>();

  return {
    sleeps,
    get sleeping() {
      return sleepers.size;
    },
    now: () => now,
    date: () => new Date(date.getTime() + now),
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleeps.push(ms);
      if (hurry) {
        now += Math.max(0, ms);
        return;
      }
      let sleeper: Sleeper | undefined;
      const slept = new Promise<void>((wake) => sleepers.add((sleeper = { until: now + Math.max(0, ms), wake })));
      const wakeUp = () => sleeper?.wake();
      signal?.addEventListener("abort", wakeUp, { once: true });
      await slept;
      signal?.removeEventListener("abort", wakeUp);
      if (sleeper !== undefined) sleepers.delete(sleeper);
      signal?.throwIfAborted();
    },
    async advance(ms) {
      const end = now + ms;
      await settled();
      for (;;) {
        const next = [...sleepers].filter(({ until }) => until <= end).toSorted((a, b) => a.until - b.until)[0];
        if (next === undefined) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
        await settled();
      }
      now = end;
    },
  };
}

/** All that can run without time passing has run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
