// Every known failure is answered by a test.
import { join } from "node:path";
import { expect, test } from "vitest";
import { registryFaults } from "#scripts/generate/failures-section.ts";
import { numberedTests } from "#scripts/generate/numbered-tests.ts";
import { FAILURES } from "#test/failures.ts";
import { scenarios } from "#test/faults/scenarios/all.ts";

const tests = numberedTests(join(import.meta.dirname, "..", ".."));

test("every number of a known failure has its test", () => {
  expect(registryFaults(FAILURES, tests)).toEqual([]);
});

test("the numbers run without a gap, so that none was forgotten", () => {
  const count = (letter: string): number => FAILURES.filter(({ id }) => id.startsWith(letter)).length;
  expect({ F: count("F"), W: count("W"), E: count("E") }).toEqual({ F: 28, W: 26, E: 21 });
  for (const letter of ["F", "W", "E"]) {
    const family = FAILURES.filter(({ id }) => id.startsWith(letter));
    expect(family.map(({ id }) => id)).toEqual(family.map((_, n) => `${letter}${n + 1}`));
  }
});

test("what stands beside a number is a test or the sentence of a scenario, and no other text with a number at its end", () => {
  const sentences = new Set(scenarios.map(({ sentence }) => sentence));
  const others = tests
    .filter(({ path }) => !path.endsWith(".test.ts"))
    .filter(({ name, numbers }) => !sentences.has(`${name} (${numbers.join(", ")})`));
  expect(others).toEqual([]);
});
