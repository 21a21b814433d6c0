// What is at ngrok is read again for every object, and for no two of them at once.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { resync } from "./resync.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Whose turn came, and when, in `hours` of an install with that many objects. */
async function turns(objects: number, hours: number, random = 0.5) {
  const clock = testClock();
  const there = Array.from({ length: objects }, (_, n) => `shop/web-${n}`);
  const over = new AbortController();
  const found: { readonly key: string; readonly at: number }[] = [];
  const again = (key: string): void => void found.push({ key, at: clock.now() });
  const ended = resync({ clock, random: () => random, keys: () => there, again }, over.signal).catch(() => undefined);
  await clock.advance(hours * HOUR);
  over.abort(new Error("the term has ended"));
  await ended;
  return found;
}

test("many objects do not all want a call to ngrok in one instant: each has a turn of its own within an hour", async () => {
  const found = await turns(1_200, 11);
  expect(new Set(found.map(({ key }) => key)).size).toBe(1_200);
  expect(found).toHaveLength(1_200);
  const most = Math.max(
    ...found.map(({ at: from }) => found.filter(({ at }) => at >= from && at < from + MINUTE).length),
  );
  expect(most).toBeLessThanOrEqual(20);
});

test.for([0, 0.5, 0.999])(
  "the first and the last of them, and the only one, are read again after nine to eleven hours (random %d)",
  async (random, { expect }) => {
    for (const objects of [1, 60]) {
      const instants = (await turns(objects, 22, random)).map(({ at }) => at);
      expect(Math.min(...instants)).toBeGreaterThan(9 * HOUR);
      expect(instants[objects - 1]).toBeLessThanOrEqual(11 * HOUR);
      expect((instants[objects] ?? 0) - (instants[0] ?? 0)).toBeLessThanOrEqual(11 * HOUR);
      expect((instants[objects] ?? 0) - (instants[0] ?? 0)).toBeGreaterThan(9 * HOUR);
    }
  },
);
