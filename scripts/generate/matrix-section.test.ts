// The table shows what was recorded and nothing else: a case that has not passed must not look as if it had.
import { expect, test } from "vitest";
import { defineScenario } from "#test/faults/scenario.ts";
import { matrixSection } from "./matrix-section.ts";

const scenarios = [
  defineScenario({ name: "alive", sentence: "Nothing at all goes wrong here", keepFalse: true }),
  defineScenario({
    name: "only-three",
    sentence: "Helm 3 takes a deleted Job for a success",
    helms: [3],
    leftOut: "Helm 4 waits.",
  }),
];

test("a cell is what was recorded, empty where nothing is, and a dash where nothing is to be", () => {
  const lines = matrixSection(scenarios, {
    "alive.helm3.Retain": { ended: "0" },
    "alive.helm4.Delete.crds-go": { ended: "1, then 0" },
    "only-three.helm3.Delete": { ended: "0" },
    "gone.helm3.Retain": { ended: "0" },
  });
  expect(lines).toContain("| **alive**: Nothing at all goes wrong here | 0 |  |  |  |  |  |  | 1, then 0 |");
  expect(lines).toContain(
    "| **only-three**: Helm 3 takes a deleted Job for a success <sup>1</sup> |  | – | 0 | – | – | – | – | – |",
  );
  expect(lines).toContain("<sup>1</sup> only-three: Helm 4 waits.");
  expect(lines.join("\n")).toContain("2 scenarios, 10 cases, 3 of them recorded");
});
