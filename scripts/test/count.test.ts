// The sum must not lose a failure, whatever way a run ends.
import { expect, test } from "vitest";
import { failuresIn, ofCheck, ofVitest, sumOf } from "./count.ts";

test("vitest's closing line is the count", () => {
  expect(ofVitest({ code: 1, lines: ["Tests 3", "12 passed, 2 failed, 1 skipped", ""] })).toEqual({
    passed: 12,
    failed: 2,
  });
});

test("a run without a closing line, or that fails beside its tests, has failed once", () => {
  expect(ofVitest({ code: 1, lines: ["no such project"] })).toEqual({ passed: 0, failed: 1 });
  expect(ofVitest({ code: 0, lines: [] })).toEqual({ passed: 0, failed: 1 });
  expect(ofVitest({ code: 1, lines: ["5 passed, 0 failed, 0 skipped"] })).toEqual({ passed: 5, failed: 1 });
});

test("each step of the gate counts as one, its tests as what they are", () => {
  const lines = [
    "check: 4 steps",
    "check: ok    10.2 s  tests: unit, architecture: 300 passed, 0 failed, 0 skipped",
    "check: ok     4.0 s  types (tsc)",
    "check: FAIL   2.0 s  chart: helm lint",
    "check: ok    10.2 s  tests: chart: 40 passed, 0 failed, 0 skipped",
    "check: 3 passed, 1 failed in 12.0 s",
  ];
  expect(ofCheck({ code: 1, lines })).toEqual({ passed: 341, failed: 1 });
});

test("failed tests within the gate are counted as such, and tests that could not run have failed once", () => {
  const types = "check: ok     4.0 s  types (tsc)";
  const lines = ["check: FAIL   9.0 s  tests: unit, architecture: 8 passed, 2 failed, 0 skipped", types];
  expect(ofCheck({ code: 1, lines })).toEqual({ passed: 9, failed: 2 });
  expect(ofCheck({ code: 1, lines: ["check: FAIL   9.0 s  tests: chart", types] })).toEqual({ passed: 1, failed: 1 });
});

test("counts add up", () => {
  expect(
    sumOf([
      { passed: 1, failed: 0 },
      { passed: 2, failed: 3 },
    ]),
  ).toEqual({ passed: 3, failed: 3 });
});

test("what failed is named once, be it a test, also within the gate, or a step of the gate", () => {
  const lines = [
    "check: FAIL   2.0 s  chart: helm lint",
    "check: ok     4.0 s  types (tsc)",
    " FAIL  |unit| wire/http.test.ts > a call that hangs",
    "AssertionError: FAIL  |unit| is no heading here",
    " FAIL  |unit| wire/http.test.ts > a call that hangs",
  ];
  expect(failuresIn(lines)).toEqual(["chart: helm lint", "|unit| wire/http.test.ts > a call that hangs"]);
});
