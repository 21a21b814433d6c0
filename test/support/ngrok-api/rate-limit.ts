// ngrok's limit on requests: so many in any 60 seconds, then 429 with the seconds until the oldest of them is out.

const windowMs = 60_000;

export class RateLimit {
  readonly perMinute: number;
  readonly #now: () => number;
  readonly #times: number[] = [];
  #next = 0;

  constructor(perMinute: number, now: () => number) {
    this.perMinute = perMinute;
    this.#now = now;
  }

  /** Takes one request into account. Returns the seconds to wait when it is one too many. */
  exceeded(): number | undefined {
    const now = this.#now();
    const oldest = this.#times[this.#next];
    if (oldest !== undefined && now - oldest < windowMs) return Math.ceil((windowMs - (now - oldest)) / 1000);
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.perMinute;
    return undefined;
  }
}
