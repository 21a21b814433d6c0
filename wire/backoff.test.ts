// The map from an error's class to the next try, by examples and by property.
import fc from "fast-check";
import { expect, test } from "vitest";
import { waitBefore, waitInLoop } from "./backoff.ts";
import { FenceLost, KnownError } from "./errors.ts";
import { retryAfterMs } from "./retry-after.ts";
import { systemClock } from "./clock.ts";

const backoff = { baseMs: 100, capMs: 10_000 };

test("a server's fault is waited out exponentially up to the cap, never at once and never in step", () => {
  const error = new KnownError("transient", "503");
  const waits = [0, 1, 2, 3, 20].map((attempt) => waitBefore(error, attempt, backoff, () => 1));
  expect(waits).toEqual([100, 200, 400, 800, 10_000]);
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const wait = waitBefore(error, attempt, backoff, () => random);
      return typeof wait === "number" && wait >= 10 && wait <= 10_000;
    }),
  );
});

test("what a server asked for is honoured beyond the cap, never undercut", () => {
  const error = new KnownError("throttled", "429", { retryAfterMs: 60_000 });
  expect(waitBefore(error, 0, backoff, () => 0)).toBe(60_000);
  expect(waitBefore(error, 0, backoff, () => 0.5)).toBe(66_000);
  expect(waitBefore(new KnownError("transient", "503", { retryAfterMs: 3_000 }), 0, backoff, () => 0)).toBe(3_000);
});

test("what only a person can change is not tried again; a loop looks at it once a cap", () => {
  const error = new KnownError("invalid", "403");
  expect(waitBefore(error, 0, backoff, () => 0)).toBe("never");
  expect(waitInLoop(error, 0, backoff, () => 0)).toBe(10_000);
});

test("a lost token is never waited for", () => {
  const lost = new FenceLost("lost");
  expect(waitBefore(lost, 0, backoff, () => 0)).toBe("never");
  expect(() => waitInLoop(lost, 0, backoff, () => 0)).toThrow(lost);
});

test("a conflict is read again soon, however often", () => {
  expect(waitBefore(new KnownError("conflict", "409"), 50, backoff, () => 1)).toBe(1_600);
});

test("Retry-After is read as seconds or date; what is neither is no wish", () => {
  const clock = { ...systemClock, date: () => new Date("2026-01-01T00:00:00Z") };
  expect(retryAfterMs("2", undefined, clock)).toBe(2_000);
  expect(retryAfterMs("Thu, 01 Jan 2026 00:00:05 GMT", undefined, clock)).toBe(5_000);
  expect(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", undefined, clock)).toBe(0);
  expect(retryAfterMs("soon", undefined, clock)).toBeUndefined();
  expect(retryAfterMs(undefined, undefined, clock)).toBeUndefined();
});
