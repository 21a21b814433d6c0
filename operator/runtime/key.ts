// Whether ngrok accepts the API key: asked at the start, and again until it does. It is a matter of readiness and of a
// condition, never of a crash.
import type { NgrokPort } from "#ngrok/client.ts";
import { type Backoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { known } from "#wire/errors.ts";
import type { Log } from "./log.ts";

export const NO_KEY =
  "no ngrok API key: set NGROK_API_KEY through the chart's credentials and the operator goes on by itself";

const AGAIN: Backoff = { baseMs: 1_000, capMs: 60_000 };

export class KeyCheck {
  /** Why the key is not known to be good; undefined once it is. */
  reason: string | undefined = "the ngrok API key has not been checked yet";

  /** Returns when the key was accepted, or with the reason when there is nothing to ask. Throws the signal's reason. */
  async run(
    ngrok: NgrokPort | { readonly problem: string },
    clock: Clock,
    log: Log,
    signal: AbortSignal,
  ): Promise<void> {
    if ("problem" in ngrok) {
      this.reason = ngrok.problem;
      log.error(ngrok.problem);
      return;
    }
    for (let attempt = 0; ; attempt += 1) {
      try {
        await ngrok.verifyKey(signal);
        this.reason = undefined;
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        const { message, hint } = known(error);
        this.reason = hint === undefined || message.includes(hint) ? message : `${message}: ${hint}`;
        log.error({ err: message, hint }, "Unable to verify API Key");
        await clock.sleep(waitInLoop(error, attempt, AGAIN, Math.random), signal);
      }
    }
  }
}
