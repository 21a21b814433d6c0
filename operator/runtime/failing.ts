// A watch that fails for long: the stores stay as they were seen last, readiness is content, and somebody has to be told.
import type { Clock } from "#wire/clock.ts";
import type { KnownError } from "#wire/errors.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface FailingParts {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "watchFailing">;
  readonly log: Log;
}

/** An API server that starts anew is back by then. */
const LASTS_MS = 60_000;
/** A watch that stood for so long has seen what happened meanwhile, be it nothing: something between cuts connections that are quiet. */
const STOOD_MS = 10_000;

/** Of one watch: told of once when it has failed for a minute, and once when it works again. */
export class Failing {
  readonly #parts: FailingParts;
  /** `cloudendpoints.ngrok.k8s.ngrok.com`, or `drain state`. */
  readonly #kind: string;
  #since: number | undefined;
  #isTold = false;

  constructor(parts: FailingParts, kind: string) {
    this.#parts = parts;
    this.#kind = kind;
    parts.metrics.watchFailing(kind, false);
  }

  /** @param lastedMs for how long the watch had stood. */
  failed({ message: err, hint, code }: KnownError, lastedMs: number): void {
    const { clock, metrics, log } = this.#parts;
    if (lastedMs >= STOOD_MS && code !== "Silent") return this.works();
    this.#since ??= clock.now();
    if (this.#isTold || clock.now() - this.#since < LASTS_MS) return;
    this.#isTold = true;
    metrics.watchFailing(this.#kind, true);
    log.warn(
      { kind: this.#kind, err, hint },
      "the watch has failed for a minute: what is made, changed or deleted meanwhile is not seen",
    );
  }

  works(): void {
    if (this.#isTold) this.#parts.log.info({ kind: this.#kind }, "the watch works again");
    this.ends();
  }

  /** Nobody watches any more, or the watch works. */
  ends(): void {
    if (this.#isTold) this.#parts.metrics.watchFailing(this.#kind, false);
    this.#since = undefined;
    this.#isTold = false;
  }
}
