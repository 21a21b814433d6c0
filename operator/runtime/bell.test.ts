// Who waits for a ring: what wakes it, and what is left of the wait.
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { Bell } from "./bell.ts";

const MINUTE_MS = 60_000;

/** One who waits for a minute; `woken` tells whether it goes on already. */
function waiting() {
  const [bell, clock] = [new Bell(), testClock()];
  const [first, second] = [new AbortController(), new AbortController()];
  let isOver = false;
  const wait = bell.wait(bell.rings, MINUTE_MS, clock, first.signal, second.signal).then(() => (isOver = true));
  const woken = async (): Promise<boolean> => {
    await clock.advance(0);
    return isOver;
  };
  return { bell, clock, first, second, wait, woken };
}

test.for([
  ["a ring", ({ bell }) => bell.ring()],
  ["its time", async ({ clock }) => await clock.advance(MINUTE_MS)],
  ["the one signal", ({ first }) => first.abort()],
  ["the other signal", ({ second }) => second.abort()],
] as readonly (readonly [string, (one: ReturnType<typeof waiting>) => unknown])[])(
  "%s wakes it, and nothing else does; nothing of it is left on what outlives the wait",
  async ([, wake]) => {
    const one = waiting();
    expect(await one.woken()).toBe(false);
    await wake(one);
    await one.wait;
    for (const { signal } of [one.first, one.second]) expect(getEventListeners(signal, "abort")).toEqual([]);
  },
);

test("a ring that comes while it is busy is not lost, nor is a signal that has aborted", async () => {
  const [bell, clock] = [new Bell(), testClock()];
  const { signal } = new AbortController();
  const seen = bell.rings;
  bell.ring();
  // Time stands still: who waited would wait for ever.
  await expect(bell.wait(seen, MINUTE_MS, clock, signal)).resolves.toBeUndefined();
  await expect(bell.wait(bell.rings, MINUTE_MS, clock, signal, AbortSignal.abort())).resolves.toBeUndefined();
});
