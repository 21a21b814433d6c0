// The pace against servers of our own making: how many they are asked at once, and what that costs in time.
import { expect, test } from "vitest";
import { testClock, type TestClock } from "#test/support/clock.ts";
import { Pace } from "./pace.ts";

/** Answers `cores` calls at once, each in `ms`; the others queue. */
function server(clock: TestClock, cores: number, ms: number) {
  let most = 0;
  let inside = 0;
  const free = Array.from({ length: cores }, () => 0);
  return {
    /** Calls that were with it at once at most, since it was asked. */
    most: (): number => {
      const was = most;
      most = inside;
      return was;
    },
    answer: async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      const core = free.indexOf(Math.min(...free));
      const end = Math.max(clock.now(), free[core] ?? 0) + ms;
      free[core] = end;
      await clock.sleep(end - clock.now());
      inside -= 1;
    },
  };
}

/** 32 workers that want `calls` calls together, and how long that takes. */
async function take(clock: TestClock, pace: Pace, calls: number, call: () => Promise<void>): Promise<number> {
  const began = clock.now();
  let left = calls;
  let ended = clock.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) await pace.through(call);
    ended = clock.now();
  };
  const all = Promise.all(Array.from({ length: 32 }, worker));
  let over = false;
  void all.then(() => (over = true));
  while (!over) await clock.advance(1);
  return ended - began;
}

test.each([200, 2_000])(
  "after %i calls hardly one waits in the queue of a server that answers two at once",
  async (calls) => {
    const clock = testClock();
    const two = server(clock, 2, 4);
    const pace = new Pace(clock);
    await take(clock, pace, calls, two.answer);
    two.most();
    const ms = await take(clock, pace, 2_000, two.answer);
    expect(two.most()).toBeLessThanOrEqual(4);
    expect(2_000 * 2).toBeGreaterThan(0.85 * ms);
  },
);

test("a server that answers all at once is asked by all", async () => {
  const clock = testClock();
  const wide = server(clock, 64, 10);
  const pace = new Pace(clock);
  await take(clock, pace, 3_000, wide.answer);
  expect(pace.limit).toBe(32);
});

test("a server that becomes slower is still asked by as many as it answers, once its better days are forgotten", async () => {
  const clock = testClock();
  const pace = new Pace(clock);
  await take(clock, pace, 200, server(clock, 64, 2).answer);
  const before = pace.limit;
  const slow = server(clock, 64, 12);
  await take(clock, pace, 200, slow.answer);
  expect(pace.limit).toBeLessThan(before);
  await take(clock, pace, 3_000, slow.answer);
  expect(pace.limit).toBeGreaterThan(before);
});

test.each([4_000, 4_250, 4_500, 4_750])(
  "slower calls are soon not made one by one, after %i fast ones",
  async (fast) => {
    const clock = testClock();
    const pace = new Pace(clock);
    await take(clock, pace, fast, server(clock, 2, 3).answer);
    const ms = await take(clock, pace, 600, server(clock, 64, 100).answer);
    expect(ms).toBeLessThan(0.3 * 600 * 100);
  },
);

test("what the server's best is, is asked again by one call at a time, since a queue of our own making becomes a habit", async () => {
  const clock = testClock();
  const pace = new Pace(clock);
  const two = server(clock, 2, 4);
  await take(clock, pace, 20_000, two.answer);
  two.most();
  await take(clock, pace, 4_000, two.answer);
  expect(two.most()).toBeLessThanOrEqual(4);
});

test("a call that hangs keeps nobody from going on, and its end takes no place from the others", async () => {
  const clock = testClock();
  const pace = new Pace(clock);
  const hung = Promise.withResolvers<void>();
  const first = pace.through(async () => await hung.promise);
  const answered: number[] = [];
  const others = [1, 2, 3].map(async (n) => {
    await pace.through(async () => await clock.sleep(1));
    answered.push(n);
  });
  await clock.advance(900);
  expect(answered).toEqual([]);
  await clock.advance(200);
  expect(answered).toEqual([1, 2, 3]);
  hung.resolve();
  await Promise.all([first, ...others]);
});

test("a call that fails fails for who made it, and the next one goes", async () => {
  const pace = new Pace(testClock());
  await expect(pace.through(async () => await Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await pace.through(async () => await Promise.resolve("done"))).toBe("done");
});
