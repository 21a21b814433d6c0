// Whether ngrok accepts the API key: asked at the start and again until it does, then seldom, and soon when a call was
// refused. It is a matter of readiness and of conditions, never of a crash.
import { type Release, restartCommand } from "#api/release.ts";
import type { Answer } from "#drain/readiness.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { type Backoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, known } from "#wire/errors.ts";
import { Bell } from "./bell.ts";
import type { Log } from "./log.ts";

/** A pod reads the Secret as it starts, and never again: who makes it later has to start the pod anew. */
export function noKey(release: Pick<Release, "namespace">): string {
  return `no ngrok API key: put one into the credentials Secret under API_KEY, then start the pods anew: ${restartCommand(release)}`;
}

const AGAIN: Backoff = { baseMs: 1_000, capMs: 60_000 };
/** An accepted key is asked about this often; none sooner than the second, whatever calls speak for or against it. */
const SELDOM_MS = 3_600_000;
const SOONEST_MS = 10_000;

export interface KeyCheckOptions {
  readonly ngrok: NgrokPort | { readonly problem: string };
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The key is accepted, and was not before. */
  readonly onAccepted: () => void;
}

export class KeyCheck {
  /** Why the process has not begun its work yet; undefined once the key was accepted, whatever comes later. */
  reason: string | undefined = "the ngrok API key has not been checked yet";
  #standing: Answer = { is: "unknown", why: "the ngrok API key has not been checked yet" };
  readonly #calls = new Bell();
  readonly #listeners = new Set<() => void>();

  /** Whether ngrok takes the key, as far as it is known now. */
  get standing(): Answer {
    return this.#standing;
  }

  /** Called with every change of the standing. Returns the end of the listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A call to ngrok has ended with this status: one that does not fit what is known of the key has it checked anew. */
  heard(status: number | undefined): void {
    if (status === undefined) return;
    const refused = status === 401 || status === 403;
    if (this.#standing.is === "yes" ? refused : status >= 200 && status < 300) this.#calls.ring();
  }

  /** Asks until the signal; returns only when there is nothing to ask. Throws the signal's reason. */
  async run({ ngrok, clock, log, signal, onAccepted }: KeyCheckOptions): Promise<void> {
    if ("problem" in ngrok) {
      this.reason = ngrok.problem;
      this.#settle({ is: "no", why: ngrok.problem });
      log.error(ngrok.problem);
      return;
    }
    for (let failures = 0; ;) {
      const before = this.#standing.is;
      let waitMs: number;
      try {
        await ngrok.verifyKey(signal);
        failures = 0;
        waitMs = SELDOM_MS;
        this.reason = undefined;
        this.#settle({ is: "yes" });
        if (before !== "yes") onAccepted();
      } catch (error) {
        if (signal.aborted) throw error;
        waitMs = waitInLoop(error, failures, AGAIN, Math.random);
        failures += 1;
        this.#refused(error, log);
      }
      const seen = this.#calls.rings;
      const soonest = Math.min(waitMs, SOONEST_MS);
      await clock.sleep(soonest, signal);
      await this.#calls.wait(seen, waitMs - soonest, clock, signal);
      signal.throwIfAborted();
    }
  }

  #refused(error: unknown, log: Log): void {
    const { message, hint } = known(error);
    const why = hint === undefined || message.includes(hint) ? message : `${message}: ${hint}`;
    if (this.reason !== undefined) this.reason = why;
    this.#settle({ is: isClass(error, "invalid") ? "no" : "unknown", why });
    log.error({ err: message, hint }, "Unable to verify API Key");
  }

  #settle(standing: Answer): void {
    const before = this.#standing;
    this.#standing = standing;
    if (JSON.stringify(before) !== JSON.stringify(standing)) for (const listener of this.#listeners) listener();
  }
}
