// All calls of a client keep one pace, and slow down together when ngrok asks for it.
import { describe, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { known } from "#wire/errors.ts";
import { callsPerMinuteOf, pace, type Pace, rateOf, type Turn } from "./pace.ts";

const forever = new AbortController().signal;

/** Asks for `n` turns at once; `given` grows as they come. */
function ask(from: Pace, n: number) {
  const given: Turn[] = [];
  const failed: unknown[] = [];
  for (let i = 0; i < n; i += 1)
    from.turn(forever).then(
      (turn) => given.push(turn),
      (error: unknown) => failed.push(error),
    );
  return { given, failed };
}

describe("the pace", () => {
  test("lets so many calls fly at once, and the next as soon as one has landed", async ({ expect }) => {
    const clock = testClock();
    const { given } = ask(pace({ clock, concurrency: 2 }), 3);
    await clock.advance(0);
    expect(given).toHaveLength(2);
    given[0]?.end();
    await clock.advance(0);
    expect(given).toHaveLength(3);
  });

  test("starts no more calls in a second than the rate, after a burst", async ({ expect }) => {
    const clock = testClock();
    const { given } = ask(pace({ clock, concurrency: 100, rate: { perSecond: 10, burst: 5 } }), 30);
    await clock.advance(0);
    expect(given).toHaveLength(5);
    await clock.advance(1_000);
    expect(given).toHaveLength(15);
  });

  test.for([1, 7, 60, 120, 600])(
    "at %i calls a minute, starts no more than that in any minute, the burst included, and hardly fewer",
    async (limit, { expect }) => {
      const clock = testClock();
      const { given } = ask(pace({ clock, concurrency: 10_000, rate: rateOf(limit) }), 3 * limit + 10);
      const starts: number[] = [];
      for (let second = 0; second < 180; second += 1) {
        await clock.advance(second === 0 ? 0 : 1_000);
        while (starts.length < given.length) starts.push(second);
      }
      const most = Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + 60).length));
      expect(most).toBeLessThanOrEqual(limit);
      expect(starts.length).toBeGreaterThanOrEqual(Math.floor(3 * limit * 0.95));
    },
  );

  test("does not keep a call for a turn that comes after its time, and gives the turn to another", async ({
    expect,
  }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 4, rate: rateOf(6) });
    (await at.turn(forever)).end();
    await expect(at.turn(forever, clock.now() + 5_000)).rejects.toMatchObject({
      class: "throttled",
      retryAfterMs: 10_000,
    });
    const { given } = ask(at, 1);
    await clock.advance(10_000);
    expect(given).toHaveLength(1);
  });

  test("words the wait that ngrok asked for alike however much of it is left: conditions repeat the words, and a count of seconds would be news each time", async ({
    expect,
  }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 4 });
    (await at.turn(forever)).end(30_000);
    const early = ask(at, 1);
    await clock.advance(11_000);
    const late = ask(at, 1);
    await clock.advance(0);
    const [first, second] = [early.failed[0], late.failed[0]].map(known);
    expect([first?.retryAfterMs, second?.retryAfterMs]).toEqual([30_000, 19_000]);
    expect(second?.message).toBe(first?.message);
  });

  test("makes all calls wait, once, when ngrok says wait", async ({ expect }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 4 });
    const first = ask(at, 4);
    await clock.advance(0);
    for (const turn of first.given) turn.end(1_000);
    const second = ask(at, 2);
    await clock.advance(999);
    expect(second.given).toHaveLength(0);
    await clock.advance(1);
    expect(second.given).toHaveLength(2);
  });

  test("halves the calls in flight once for a burst that is refused, and wins them back", async ({ expect }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 8 });
    const first = ask(at, 8);
    await clock.advance(0);
    for (const turn of first.given) turn.end("unsaid");
    const second = ask(at, 40);
    await clock.advance(1_000);
    expect(second.given).toHaveLength(4);
    for (let i = 0; i < second.given.length; i += 1) {
      second.given[i]?.end();
      await clock.advance(0);
    }
    expect(second.given).toHaveLength(40);
    const third = ask(at, 10);
    await clock.advance(0);
    expect(third.given).toHaveLength(8);
  });

  test("leaves a long wait to the caller, with the time that is left, and asks again after a minute at the latest (F13)", async ({
    expect,
  }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 4 });
    (await at.turn(forever)).end(3_600_000);
    await clock.advance(10_000);
    await expect(at.turn(forever)).rejects.toMatchObject({ class: "throttled", retryAfterMs: 50_000 });
    await clock.advance(50_000);
    (await at.turn(forever)).end();
  });

  test("does not wait beyond the caller's time", async ({ expect }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 4 });
    (await at.turn(forever)).end(1_500);
    await expect(at.turn(forever, clock.now() + 1_000)).rejects.toMatchObject({ class: "throttled" });
  });

  test("keeps nobody in the queue for more than a minute", async ({ expect }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 1 });
    const { given, failed } = ask(at, 2);
    await clock.advance(60_000);
    expect([given.length, failed.length]).toEqual([1, 1]);
    expect(failed[0]).toMatchObject({ class: "throttled" });
    given[0]?.end();
    (await at.turn(forever)).end();
  });

  test("gives the place of a caller that left the queue to the next", async ({ expect }) => {
    const clock = testClock();
    const at = pace({ clock, concurrency: 1 });
    const holder = await at.turn(forever);
    const impatient = new AbortController();
    const left = at.turn(impatient.signal);
    const next = ask(at, 1);
    impatient.abort(new Error("enough"));
    await expect(left).rejects.toThrow("enough");
    holder.end();
    await clock.advance(0);
    expect(next.given).toHaveLength(1);
  });
});

test.for([
  [undefined, undefined],
  ["", undefined],
  ["0", undefined],
  ["120", 120],
] as const)("a limit of %j in the environment is %j", ([text, limit], { expect }) => {
  expect(callsPerMinuteOf(text)).toBe(limit);
});

test.for(["many", "-1", "1.5"])("a limit of %j is refused with the value that it comes from", (text, { expect }) => {
  expect(() => callsPerMinuteOf(text)).toThrow(`ngrokApi.callsPerMinute "${text}" is no number of calls`);
});
