// How old a replica's knowledge of the drain state may be before it opens something.
import { expect, test } from "vitest";
import type { DrainState } from "#drain/state.ts";
import { testClock } from "#test/support/clock.ts";
import type { Gate } from "./gate.ts";
import { Recent } from "./recent.ts";

const { signal } = new AbortController();
const OPEN: DrainState = { phase: "Open", explicit: false };
const DRAINING: DrainState = { phase: "Draining", policy: "Retain", driver: "hook", by: "pod/hook/1", since: "" };

/** The watch says `seen`, a read says `stored`. */
function ground(seen: DrainState, stored: DrainState) {
  const clock = testClock();
  const at = { seen, stored, reads: 0 };
  const gate = {
    get state() {
      return at.seen;
    },
    get open() {
      return at.seen.phase === "Open";
    },
    async fresh() {
      at.reads += 1;
      await Promise.resolve();
      at.seen = at.stored;
      return at.seen;
    },
  } as unknown as Gate;
  return { at, clock, recent: new Recent(gate, clock) };
}

test("many who ask together cause one read, and who asks within two seconds none", async () => {
  const { at, clock, recent } = ground(OPEN, OPEN);
  expect(await Promise.all(Array.from({ length: 50 }, async () => await recent.isOpen(signal)))).not.toContain(false);
  await clock.advance(1_999);
  expect(await recent.isOpen(signal)).toBe(true);
  expect(at.reads).toBe(1);
  await clock.advance(1);
  await recent.isOpen(signal);
  expect(at.reads).toBe(2);
});

test("a mark that the watch has missed is seen before anything is opened (F3)", async () => {
  const { recent } = ground(OPEN, DRAINING);
  expect(await recent.isOpen(signal)).toBe(false);
});

test("a mark that was seen needs no second look, and a state that was unreadable gets one each time", async () => {
  const marked = ground(DRAINING, OPEN);
  expect(await marked.recent.isOpen(signal)).toBe(false);
  expect(marked.at.reads).toBe(0);
  const unread = ground({ phase: "Unknown", why: "no answer" }, OPEN);
  expect(await unread.recent.isOpen(signal)).toBe(true);
});

test("while the state is unreadable one waits for the answer, and the others go on without it", async () => {
  const { recent } = ground({ phase: "Unknown", why: "no answer" }, OPEN);
  const [first, second] = [recent.isOpen(signal), recent.isOpen(signal)];
  expect(await Promise.race([first, second.then((isOpen) => ["second", isOpen])])).toEqual(["second", false]);
  expect(await first).toBe(true);
});
