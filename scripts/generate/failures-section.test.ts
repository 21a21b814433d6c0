// How numbers in the names of tests become the table of failures, and what is a fault in the registry.
import { describe, test } from "vitest";
import type { KnownFailure } from "#test/failures.ts";
import { failuresSection, registryFaults } from "./failures-section.ts";
import { numberedIn } from "./numbered-tests.ts";

// Put together here, so that this file itself carries no number.
const at = (...ids: string[]): string => `(${ids.join(", ")})`;
const wrong = (id: string): KnownFailure => ({ id: id as KnownFailure["id"], what: `${id} is wrong` });
const carrying = (...numbers: string[]) => ({ path: "a.test.ts", name: "a | story", numbers });

describe("a test", () => {
  test("is found by the numbers at the end of its name, with what stands around it", ({ expect }) => {
    const text = `
      describe("Delete", () => {
        test("keeps the finalizer ${at("F1", "W22")}", () => {});
        test("has no number (of its own)", () => {});
      });
      test.skipIf(true)(\`every \${kind} goes ${at("E3")}\`, () => {});`;
    expect(numberedIn("a.test.ts", text)).toEqual([
      { path: "a.test.ts", name: "Delete > keeps the finalizer", numbers: ["F1", "W22"] },
      { path: "a.test.ts", name: "every ... goes", numbers: ["E3"] },
    ]);
  });

  test("counts by its title in a table, and a row by its own words", ({ expect }) => {
    const text = `
      test.for(["a", "b"])("%s goes ${at("F2")}", () => {});
      test.for([["c ${at("F4")}", 1], ["d", 2]])("%s", () => {});`;
    expect(numberedIn("a.test.ts", text).map(({ name, numbers }) => [name, ...numbers])).toEqual([
      ["%s goes", "F2"],
      ["c", "F4"],
    ]);
  });

  test("does not count by a comment or by words in the middle", ({ expect }) => {
    const text = `// a story ${at("F1")}\ntest("a ${at("F1")} b", () => {});`;
    expect(numberedIn("a.test.ts", text)).toEqual([]);
  });
});

test("the table has a row for each number, with its tests", ({ expect }) => {
  const lines = failuresSection([wrong("F1"), wrong("W2")], [carrying("F1", "E1"), carrying("W2"), carrying("W2")]);
  expect(lines.filter((line) => /^\| [FWE]\d/.test(line))).toEqual([
    "| F1 | F1 is wrong | `a.test.ts`: a \\| story |",
    "| W2 | W2 is wrong | `a.test.ts`: a \\| story<br>`a.test.ts`: a \\| story |",
  ]);
});

describe("the registry", () => {
  test("is whole when every number has a test", ({ expect }) => {
    expect(registryFaults([wrong("F1")], [carrying("F1")])).toEqual([]);
  });

  test.for([
    ["a number that nobody answers", [wrong("F1")], [], /^F1: no test carries it/],
    ["a number that nobody explains", [], [carrying("F1")], /^F1 is in a test's name, but nobody says/],
  ] as const)("has a fault for %s", ([, failures, tests, says], { expect }) => {
    expect(registryFaults(failures, tests)).toEqual([expect.stringMatching(says)]);
  });
});
