// What a hook tries again, and what it does not.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { untilDone } from "./tries.ts";

/** Runs an attempt that fails with these, one after the other, and then succeeds. */
async function tried(failures: readonly Error[], runMs = 60_000): Promise<{ tries: number; said: string[] }> {
  const said: string[] = [];
  const rest = [...failures];
  let tries = 0;
  const world = {
    clock: testClock({ hurry: true }),
    signal: new AbortController().signal,
    say: (word: string) => void said.push(word),
  };
  await untilDone(world, runMs, () => {
    tries += 1;
    const failure = rest.shift();
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  });
  return { tries, said };
}

const lost = new KnownError("transient", "the connection was reset");

test.for([
  ["a lost call", lost],
  ["a lost token", new FenceLost("somebody else holds it")],
  ["a right that is late", new KnownError("invalid", "forbidden", { status: 403 })],
] as const)("%s is tried again, and said", async ([, failure]) => {
  expect(await tried([failure, failure])).toEqual({ tries: 3, said: ["retrying", "retrying"] });
});

test.for([
  ["a refusal", new KnownError("invalid", "no such policy", { status: 422 })],
  ["a bug", new TypeError("undefined is not a function")],
] as const)("%s ends the run at once", async ([, failure]) => {
  await expect(tried([failure])).rejects.toBe(failure);
});

test("when the time is over, the last failure is the end", async () => {
  await expect(
    tried(
      Array.from({ length: 50 }, () => lost),
      5_000,
    ),
  ).rejects.toBe(lost);
});
