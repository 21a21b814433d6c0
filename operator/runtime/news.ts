// What the log is told of an object or a key: a warning while it is news, and at debug what was said of it within the hour.
// Else one object that nobody mends would be thousands of lines a day, from every replica.
import type { Clock } from "#wire/clock.ts";
import type { Log } from "./log.ts";
import { digest } from "./memories.ts";

const HOUR_MS = 3_600_000;
/** An outage is worded in several ways, in turn. */
const TEXTS = 4;

/** What a line of the log says beside its text. */
export type Facts = Readonly<Record<string, unknown>>;

interface Said {
  /** When the first of the texts was said. */
  readonly since: number;
  readonly digests: string[];
}

export class News {
  readonly #log: Log;
  readonly #clock: Clock;
  /** In the order of `since`. */
  readonly #said = new Map<string, Said>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** How much is remembered: nothing of what is longer ago than an hour. */
  get size(): number {
    return this.#said.size;
  }

  warn(key: string, facts: Facts, msg: string): void {
    const said = this.#saidOf(key);
    // How long was waited for an answer, or is to be waited, is another each time, and no news.
    const { retryAfterMs: _, ...words } = facts;
    const text = digest((msg + JSON.stringify(words)).replaceAll(/\d+ ms\b/g, ""));
    const isNews = !said.digests.includes(text);
    this.#log[isNews ? "warn" : "debug"](facts, msg);
    if (!isNews) return;
    said.digests.push(text);
    if (said.digests.length > TEXTS) said.digests.shift();
  }

  /** It is in order again, or gone: whatever is said next is news. */
  forget(key: string): void {
    this.#said.delete(key);
  }

  #saidOf(key: string): Said {
    const now = this.#clock.now();
    for (const [one, { since }] of this.#said) {
      if (now - since < HOUR_MS) break;
      this.#said.delete(one);
    }
    const said = this.#said.get(key) ?? { since: now, digests: [] };
    this.#said.set(key, said);
    return said;
  }
}
