// Time as a thing that is handed in, so that tests own it. No deadline is put off by the wall clock.
import { asError } from "./errors.ts";

/** Monotonic time for deadlines, wall time only for what people read, and a sleep that a signal ends. */
export interface Clock {
  /** Milliseconds on a monotonic clock; only differences mean something. It stands still while the machine is suspended. */
  now(): number;
  /** The wall clock, for timestamps in statuses and logs, and against dates of others only where an error of it does no harm. */
  date(): Date;
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A moment by both clocks. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

/** This moment. */
export function instantOf(clock: Clock): Instant {
  return { monotonic: clock.now(), wall: clock.date().getTime() };
}

/**
 * Milliseconds since then by the clock that says more, for who must stop in time rather than go on in time: a machine that was
 * suspended knows by its wall clock alone. One that is set back meanwhile changes nothing, one that is set forward counts.
 */
export function msSince({ monotonic, wall }: Instant, clock: Clock): number {
  return Math.max(clock.now() - monotonic, clock.date().getTime() - wall);
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(asError(signal.reason));
        return;
      }
      const end = () => {
        clearTimeout(timer);
        reject(asError(signal?.reason));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", end);
        resolve();
      }, ms);
      signal?.addEventListener("abort", end, { once: true });
    }),
};
