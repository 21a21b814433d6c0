// The forecast in calls and seconds.
import { expect, test } from "vitest";
import { callsUnder, secondsOf } from "./reckoning.ts";

test("time follows from objects and from the limit on calls; without one calls take none of their own", () => {
  expect(secondsOf(0, 0, 120)).toBe(2);
  expect(secondsOf(2000, 2000, 120)).toBe(2 + 20 + 1000);
  expect(secondsOf(2000, 2000, undefined)).toBe(2 + 20);
});

test("beside the objects a call goes to the registration, and under Delete one to the key", () => {
  expect(callsUnder("Retain", { calls: 7, registered: false })).toBe(0);
  expect(callsUnder("Retain", { calls: 7, registered: true })).toBe(1);
  expect(callsUnder("Delete", { calls: 7, registered: false })).toBe(8);
  expect(callsUnder("Delete", { calls: 7, registered: true })).toBe(9);
});
