// Many questions share one answer, and no answer is older than its question.
import { describe, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { shared } from "./fresh.ts";

const forever = new AbortController().signal;

/** A build that ends when the test says so; it answers with its number. */
function builds() {
  const clock = testClock();
  const open: ((result: number | Error) => void)[] = [];
  const ask = shared(
    async () =>
      await new Promise<number>((resolve, reject) => {
        open.push((result) => (typeof result === "number" ? resolve(result) : reject(result)));
      }),
    clock,
  );
  return { clock, open, ask, turn: async () => await clock.advance(1) };
}

describe("a shared build", () => {
  test("answers all who asked before it began", async ({ expect }) => {
    const { open, ask, turn } = builds();
    const asked = Array.from({ length: 2_000 }, () => ask(undefined, forever));
    await turn();
    open[0]?.(1);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([1]));
    expect(open).toHaveLength(1);
  });

  test("never answers who asked after it began: they wait for the next", async ({ expect }) => {
    const { open, ask, turn } = builds();
    const early = ask(undefined, forever);
    await turn();
    const late = [ask(undefined, forever), ask(undefined, forever)];
    open[0]?.(1);
    expect(await early).toBe(1);
    await turn();
    open[1]?.(2);
    expect(await Promise.all(late)).toEqual([2, 2]);
    expect(open).toHaveLength(2);
  });

  test("answers who is content with what was true when it began", async ({ expect }) => {
    const { clock, open, ask, turn } = builds();
    const early = ask(undefined, forever);
    await turn();
    const content = ask(clock.now() - 1, forever);
    open[0]?.(1);
    expect(await Promise.all([early, content])).toEqual([1, 1]);
  });

  test("fails for those who waited for it, and the next ones try anew", async ({ expect }) => {
    const { open, ask, turn } = builds();
    const asked = ask(undefined, forever);
    await turn();
    open[0]?.(new Error("no list"));
    await expect(asked).rejects.toThrow("no list");
    const again = ask(undefined, forever);
    await turn();
    open[1]?.(2);
    expect(await again).toBe(2);
  });

  test("goes on when one of those who wait leaves", async ({ expect }) => {
    const { open, ask, turn } = builds();
    const leaving = new AbortController();
    const left = ask(undefined, leaving.signal);
    const stays = ask(undefined, forever);
    await turn();
    leaving.abort(new Error("left"));
    await expect(left).rejects.toThrow("left");
    open[0]?.(1);
    expect(await stays).toBe(1);
  });
});
