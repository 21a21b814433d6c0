// Work that makes no call is one row of microtasks, and as long as it lasts no timer fires and no socket is read: no Lease is
// renewed and no probe answered. Whoever may have thousands of things to do asks here in between.
import { systemClock } from "./clock.ts";

/** Little beside any deadline, and much beside what a turn costs. */
const HELD_MS = 10;

/** Since when the event loop has had no turn, as far as anybody has asked, and when it has had one. */
let held: { readonly since: number; readonly turn: Promise<void> } | undefined;

/**
 * Undefined until the event loop has been held for 10 ms by all together who ask; then resolves when it has had its turn.
 * Time is the machine's whatever clock is handed in elsewhere: a time that a test owns passes no time of the loop.
 */
export function turnDue(): Promise<void> | undefined {
  const now = systemClock.now();
  if (held === undefined) {
    const turn = new Promise<void>((resolve) => {
      setImmediate(() => {
        held = undefined;
        resolve();
      });
    });
    held = { since: now, turn };
  }
  return now - held.since < HELD_MS ? undefined : held.turn;
}
