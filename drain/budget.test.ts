// The order of the limits: one call < the run < Helm's timeout < the Job.
import { test } from "vitest";
import { budgetOf, LONGEST_CALL_MS, runAfter } from "./budget.ts";

test.for([60, 300, 900, 3_600])("a timeout of %d seconds keeps the order", (seconds, { expect }) => {
  const { runMs, helmSeconds, jobSeconds } = budgetOf(seconds);
  expect(LONGEST_CALL_MS).toBeLessThan(runMs);
  expect(runMs).toBeLessThan(helmSeconds * 1000);
  expect(helmSeconds).toBeLessThan(jobSeconds);
});

test("300 seconds give the run 270 and the Job 900", ({ expect }) => {
  expect(budgetOf(300)).toEqual({ runMs: 270_000, helmSeconds: 300, jobSeconds: 900 });
});

test.for([30, 300, 900])(
  "of %d seconds a run that begins late takes its share of what is left, and ends before Helm",
  (seconds, { expect }) => {
    const budget = budgetOf(seconds);
    expect(runAfter(budget, 0)).toBe(budget.runMs);
    for (const waited of [0.1, 0.5, 0.9, 0.99].map((part) => part * seconds * 1000)) {
      expect(runAfter(budget, waited)).toBeGreaterThan(0);
      expect(waited + runAfter(budget, waited)).toBeLessThan(budget.helmSeconds * 1000);
    }
  },
);

test.for([-1, 0, 5, Number.NaN])("a timeout of %d is refused by its name", (seconds, { expect }) => {
  expect(() => budgetOf(seconds)).toThrow("cleanupHook.timeout");
});
