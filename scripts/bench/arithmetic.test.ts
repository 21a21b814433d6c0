// The arithmetic of the bench: a figure that is wrong must not look right.
import { expect, test } from "vitest";
import { best, isDisturbed, median, percentile, perSecond, ratio, rounded, spread } from "./arithmetic.ts";

test("the median is the middle one, or the mean of the middle two, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow("median");
});

test("the 95th percentile is a value that was seen, and the greatest one of a few", () => {
  expect(percentile(Array.from({ length: 100 }, (_, at) => at + 1).toReversed(), 0.95)).toBe(95);
  expect(percentile([3, 1, 2], 0.95)).toBe(3);
  expect(() => percentile([], 0.95)).toThrow("percentile");
});

test("a rate of nothing, or in no time, is an error and no figure", () => {
  expect(perSecond(2_000, 4)).toBe(500);
  expect(() => perSecond(0, 4)).toThrow("no rate");
  expect(() => perSecond(10, 0)).toThrow("no rate");
  expect(() => perSecond(10, Number.NaN)).toThrow("no rate");
});

test("the ceiling is the best of the widths", () => {
  expect(best({ "8": 800, "32": 1_000, "64": 950 })).toBe(1_000);
  expect(() => best({})).toThrow("no width");
});

test("the ratio is ours over the bare client's", () => {
  expect(ratio(800, 1_000)).toBe(0.8);
  expect(() => ratio(800, 0)).toThrow("ceiling");
});

test("a run is disturbed by its writes, not by its objects: Delete has two writes an object", () => {
  expect(isDisturbed(599, 1)).toBe(true);
  expect(isDisturbed(600, 1)).toBe(false);
  expect(isDisturbed(350, 2)).toBe(false);
  expect(isDisturbed(250, 2)).toBe(true);
});

test("the spread is the dearest object over the cheapest", () => {
  const runs = [
    { count: 200, seconds: 0.25 },
    { count: 2_000, seconds: 2 },
    { count: 10_000, seconds: 10.5 },
  ];
  expect(spread(runs)).toBeCloseTo(0.25);
  expect(() => spread(runs.slice(1, 2))).toThrow("two counts");
});

test("three digits", () => {
  expect([1234.5, 0.81234, 12.345].map(rounded)).toEqual([1230, 0.812, 12.3]);
});
