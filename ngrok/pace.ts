// The one pace of a client: how many calls fly at once, how many start in a second, and the pause that ngrok asked for,
// which all calls keep together.
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";

/** A wait that a call makes by itself; a longer one is the caller's decision. */
export const SHORT_WAIT_MS = 2_000;
/** What "wait" means when ngrok says no time. */
const UNSAID_WAIT_MS = 1_000;
/** However long ngrok says: once a minute one call asks whether it still holds. */
const LONGEST_PAUSE_MS = 60_000;
/** No call stands in the queue for longer. */
const LONGEST_QUEUE_MS = 60_000;

export interface PaceOptions {
  readonly clock: Clock;
  readonly concurrency: number;
  readonly rate?: Rate | undefined;
}

/** How many calls may start in a second, after a burst of so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst?: number;
}

/** Seconds' worth of calls that may start at once, so that a single change does not wait call by call. */
const BURST_SECONDS = 2;

/** The rate under which at most `callsPerMinute` calls start in any 60 seconds, the burst included. */
export function rateOf(callsPerMinute: number): Rate {
  const burst = Math.max(1, Math.floor((callsPerMinute * BURST_SECONDS) / 60));
  return { perSecond: (callsPerMinute - (burst - 1)) / 60, burst };
}

/**
 * A limit as an environment variable gives it: undefined for none ("", "0" or not there). Throws KnownError invalid when
 * it is no number of calls.
 */
export function callsPerMinuteOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "" || text === "0") return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new KnownError("invalid", `ngrokApi.callsPerMinute ${JSON.stringify(text)} is no number of calls`, {
    hint: "set it to a whole number, such as 120, or to 0 for no limit",
  });
}

export interface Turn {
  /** The call ended. `waitMs` is there when ngrok asked to wait ("unsaid" when it did not say how long). */
  end(waitMs?: number | "unsaid"): void;
}

export interface Pace {
  /**
   * Waits for a place among the calls in flight, for the rate and for a short pause. Throws class throttled, with the time
   * that is left, when a pause is longer than `SHORT_WAIT_MS` or reaches beyond `until` (an instant of the clock).
   */
  turn(signal: AbortSignal, until?: number): Promise<Turn>;
}

/**
 * A pace that ngrok can slow down: each time it says "wait", all calls pause and half as many fly afterwards; each call
 * that succeeds wins a little of that back.
 */
export function pace({ clock, concurrency, rate }: PaceOptions): Pace {
  const waiting: (() => void)[] = [];
  let allowed = concurrency;
  let flying = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let slowedAt = Number.NEGATIVE_INFINITY;
  const drop = rate === undefined ? undefined : bucket(rate, clock);

  const wake = () => {
    while (flying < Math.floor(allowed)) {
      const next = waiting.shift();
      if (next === undefined) return;
      flying += 1;
      next();
    }
  };
  const slower = (began: number, waitMs: number) => {
    const now = clock.now();
    pausedUntil = Math.max(pausedUntil, now + Math.min(waitMs, LONGEST_PAUSE_MS));
    // A burst that is refused as one slows us once.
    if (began > slowedAt) {
      allowed = Math.max(1, allowed / 2);
      slowedAt = now;
    }
  };

  const leave = () => {
    flying -= 1;
    wake();
  };
  /** Takes a place; whoever leaves hands theirs to the next in the queue. */
  const place = async (signal: AbortSignal, deadline: number) => {
    if (flying < Math.floor(allowed)) {
      flying += 1;
      return;
    }
    let enter: () => void = () => undefined;
    const called = new Promise<void>((resolve) => waiting.push((enter = resolve)));
    const given = new AbortController();
    const late = clock.sleep(deadline - clock.now(), AbortSignal.any([signal, given.signal]));
    try {
      await Promise.race([called, late.then(() => Promise.reject(tooManyCalls()))]);
    } catch (error) {
      const at = waiting.indexOf(enter);
      if (at >= 0) waiting.splice(at, 1);
      else leave();
      throw error;
    } finally {
      given.abort();
    }
  };

  return {
    async turn(signal, until = Number.POSITIVE_INFINITY) {
      signal.throwIfAborted();
      await place(signal, Math.min(until, clock.now() + LONGEST_QUEUE_MS));
      try {
        for (let left = pausedUntil - clock.now(); left > 0; left = pausedUntil - clock.now()) {
          await wait(left, until, clock, signal);
        }
        const start = drop?.(until) ?? 0;
        if (start > 0) await clock.sleep(start, signal);
      } catch (error) {
        leave();
        throw error;
      }
      const began = clock.now();
      return {
        end(waitMs) {
          if (waitMs !== undefined) slower(began, waitMs === "unsaid" ? UNSAID_WAIT_MS : waitMs);
          else if (allowed < concurrency) allowed = Math.min(concurrency, allowed + 1 / allowed);
          leave();
        },
      };
    },
  };
}

/** True when a call may wait this long by itself and still has time afterwards. */
export function isShort(waitMs: number | undefined, until: number, clock: Clock): boolean {
  const ms = waitMs ?? UNSAID_WAIT_MS;
  return ms <= SHORT_WAIT_MS && clock.now() + ms < until;
}

async function wait(ms: number, until: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (!isShort(ms, until, clock)) {
    // Without the time that is left: conditions repeat the words, and it would differ at each try.
    throw new KnownError("throttled", "ngrok asked to wait, and the time is not over yet", {
      retryAfterMs: Math.ceil(ms),
      hint: "ngrok limits the rate of calls of this account; the call is made later.",
    });
  }
  await clock.sleep(ms, signal);
}

/**
 * Milliseconds until the next call may start; each answer takes one start. Starts even out after a burst. Throws class
 * throttled, and takes none, when the start would be later than `until`.
 */
function bucket({ perSecond, burst = perSecond }: Rate, clock: Clock): (until: number) => number {
  const every = 1000 / perSecond;
  let next = Number.NEGATIVE_INFINITY;
  return (until) => {
    const now = clock.now();
    const start = Math.max(next, now - (Math.max(1, burst) - 1) * every);
    if (start > until) {
      throw new KnownError("throttled", "the calls to ngrok that are allowed in a minute are used up", {
        retryAfterMs: Math.ceil(start - now),
        hint: "ngrokApi.callsPerMinute limits them; the call is made later.",
      });
    }
    next = start + every;
    return Math.max(0, start - now);
  };
}

function tooManyCalls(): KnownError {
  return new KnownError("throttled", "too many calls to ngrok wait for their turn", {
    hint: "ngrok's API answers slowly, or limits the rate; the call is made later.",
  });
}
