// A hook's run as tries: every step of it may be done twice, so what passes by itself is tried again while there is time.
import { RBAC_SETTLES_MS } from "#drain/budget.ts";
import { type Backoff, waitBefore } from "#wire/backoff.ts";
import { FenceLost, isClass, known, KnownError } from "#wire/errors.ts";
import type { HookWorld } from "./define-hook.ts";
import type { environment } from "./environment.ts";

/** Between the tries of one run; the API server's own pauses may be longer. */
const BETWEEN_TRIES: Backoff = { baseMs: 1_000, capMs: 10_000 };

/**
 * `attempt` until it returns. Throws what does not pass by itself, what is left when `runMs` are over, and the signal's
 * reason.
 */
export async function untilDone<T>(
  { clock, signal, say }: Pick<HookWorld<typeof environment>, "clock" | "signal" | "say">,
  runMs: number,
  attempt: () => Promise<T>,
): Promise<T> {
  const began = clock.now();
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const elapsed = clock.now() - began;
      const ms = pauseAfter(error, failures, elapsed < RBAC_SETTLES_MS);
      if (ms === "never" || elapsed + ms >= runMs) throw error;
      say("retrying", `${known(error).message}; trying again in ${Math.ceil(ms / 1000)}s`);
      await clock.sleep(ms, signal);
    }
  }
}

/** What passes by itself: a lost token, a server that went down, rights that are late. */
function pauseAfter(error: unknown, failures: number, settling: boolean): number | "never" {
  const passes = error instanceof FenceLost || (settling && isClass(error, "invalid") && error.status === 403);
  if (!passes && !(error instanceof KnownError)) return "never";
  return waitBefore(passes ? new KnownError("transient", "passes") : error, failures, BETWEEN_TRIES, Math.random);
}
