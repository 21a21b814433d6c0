// The token and its two clocks: the monotonic one stands still while the machine is suspended, the wall clock may be set.
import { expect, test } from "vitest";
import { leaseWorld, mayWrite } from "#test/support/one-lease.ts";

/** A holder whose wall clock may be set. */
async function holder() {
  const { clock, server, stand, news } = leaseWorld();
  const wall = { isAheadBy: 0 };
  const date = (): Date => new Date(clock.date().getTime() + wall.isAheadBy);
  const a = stand("a", { clock: { ...clock, date } });
  await clock.advance(1_000);
  const token = await a.token;
  return { clock, server, wall, token, news };
}

test("who slept while only the wall clock went on writes nothing more (F12)", async () => {
  const { wall, token } = await holder();
  wall.isAheadBy = 10_000;
  expect(mayWrite(token)).toBe(false);
  expect(await token.ended).toBe("lost");
});

test("who slept ends what was under way by the next renewal, and renews nothing", async () => {
  const { clock, wall, token, news } = await holder();
  wall.isAheadBy = 60_000;
  await clock.advance(2_000);
  expect(token.signal.aborted).toBe(true);
  expect(news).toEqual(["a held", "a lost: it was not renewed in time"]);
});

test("a wall clock that is set back, or forward by a few seconds, costs nothing, and puts no deadline off", async () => {
  const { clock, server, wall, token } = await holder();
  for (const seconds of [-3_600, -3_595, -7_200]) {
    wall.isAheadBy = seconds * 1_000;
    expect(mayWrite(token)).toBe(true);
    await clock.advance(20_000);
    expect(mayWrite(token)).toBe(true);
  }
  server.fail = async () => await new Promise(() => undefined);
  wall.isAheadBy = -9_000_000;
  await clock.advance(11_000);
  expect(mayWrite(token)).toBe(false);
});
