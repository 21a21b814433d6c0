// The remote side of each object is read again twice a day or so, since nothing tells us of changes there: one object after
// the other, since ngrok lets so many calls pass in a minute and each of those for a change waits behind them.
import type { Clock } from "#wire/clock.ts";

/** From one read of an object to the next, give or take what they are spread over. */
const AGAIN_MS = 10 * 3_600_000;
const SPREAD_MS = 3_600_000;

export interface Resync {
  readonly clock: Clock;
  /** Between 0 and 1: keeps controllers from beginning together. */
  readonly random: () => number;
  /** Those that there are as a round begins. */
  readonly keys: () => readonly string[];
  /** The key's turn has come. */
  readonly again: (key: string) => void;
}

/** Goes on until the signal, and throws its reason. */
export async function resync({ clock, random, keys, again }: Resync, signal: AbortSignal): Promise<never> {
  for (;;) {
    await clock.sleep(AGAIN_MS - SPREAD_MS * random(), signal);
    const round = keys();
    for (const key of round) {
      await clock.sleep(SPREAD_MS / round.length, signal);
      again(key);
    }
  }
}
