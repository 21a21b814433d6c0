// The one place that maps the class of an error to what happens next: how long to wait before the same call again.
import { FenceLost, KnownError } from "./errors.ts";

export interface Backoff {
  /** Milliseconds of the first wait, before jitter. */
  readonly baseMs: number;
  /** No wait is longer, except one that the server asked for. */
  readonly capMs: number;
}

/** client-go's rate limiter for reconciles starts at 5 ms and ends at 1,000 s; ours never lets an object wait that long. */
export const reconcileBackoff: Backoff = { baseMs: 250, capMs: 60_000 };
/** Lists and watches of a kind. */
export const watchBackoff: Backoff = { baseMs: 500, capMs: 30_000 };

/**
 * Milliseconds to wait before try number `attempt` + 1 (`attempt` counts from 0), or "never": the same call fails again
 * until a person changes something (invalid), or the right to write is gone.
 *
 * - conflict and gone: read again soon; what is decided then is new.
 * - transient: exponential with full jitter.
 * - throttled: what the server asked for, plus up to a fifth, so that a crowd does not return as one; else as transient.
 * - invalid: "never" for a call; a loop that must go on (a watch, a reconcile) waits the cap.
 */
export function waitBefore(error: unknown, attempt: number, backoff: Backoff, random: () => number): number | "never" {
  if (error instanceof FenceLost) return "never";
  const failure = error instanceof KnownError ? error : undefined;
  switch (failure?.class) {
    case "invalid":
      return "never";
    case "conflict":
    case "gone":
      return jittered(Math.min(attempt, 4), backoff, random);
    case "throttled":
      return failure.retryAfterMs === undefined
        ? jittered(attempt, backoff, random)
        : Math.round(failure.retryAfterMs * (1 + random() / 5));
    case "transient":
      return Math.max(failure.retryAfterMs ?? 0, jittered(attempt, backoff, random));
    case undefined:
      return jittered(attempt, backoff, random);
  }
}

/** The same for a loop that never gives up: "never" becomes the cap. FenceLost is thrown, not waited for. */
export function waitInLoop(error: unknown, attempt: number, backoff: Backoff, random: () => number): number {
  if (error instanceof FenceLost) throw error;
  const wait = waitBefore(error, attempt, backoff, random);
  return wait === "never" ? backoff.capMs : wait;
}

/** Full jitter with a floor of a tenth: between 10 % and 100 % of the exponential step. */
function jittered(attempt: number, { baseMs, capMs }: Backoff, random: () => number): number {
  const step = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(step * (0.1 + 0.9 * random()));
}
