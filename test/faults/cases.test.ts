// Which cases a run has: none lost between shares, none chosen by a wrong name, and no old result for a new wording.
import { expect, test } from "vitest";
import { allCases, chosenCases, fingerprintOf, sourceOf } from "./cases.ts";
import { scenarios } from "./scenarios/all.ts";
import { defineScenario, firstEndOf } from "./scenario.ts";
import { randomOf } from "./random.ts";

const sentence = "Something goes wrong in the middle of it";
const both = defineScenario({ name: "both", sentence, keepFalse: true });
const one = defineScenario({ name: "one", sentence, helms: [3], leftOut: "Helm 4 has no such thing", smoke: true });
const cases = allCases([both, one]);

test("a scenario runs under both Helms and policies, and with crds.keep=false where it says so", () => {
  expect(cases.map(({ id }) => id)).toEqual([
    "both.helm3.Retain",
    "both.helm4.Retain",
    "both.helm3.Delete",
    "both.helm4.Delete",
    "both.helm3.Retain.crds-go",
    "both.helm4.Retain.crds-go",
    "both.helm3.Delete.crds-go",
    "both.helm4.Delete.crds-go",
    "one.helm3.Retain",
    "one.helm3.Delete",
  ]);
});

test("ids are names, each once, over all scenarios that there are", () => {
  const ids = allCases().map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(10);
  expect(new Set(ids).size).toBe(ids.length);
});

test("shares together are everything, and no case is in two", () => {
  const shares = [1, 2, 3].flatMap((i) => chosenCases({ shard: { i, n: 3 } }, cases));
  expect(shares.map(({ id }) => id).toSorted()).toEqual(cases.map(({ id }) => id).toSorted());
});

test("--only takes a scenario or a case, and a name that is none is an error", () => {
  expect(chosenCases({ only: ["one"] }, cases)).toHaveLength(2);
  expect(chosenCases({ only: ["both.helm3.Retain"] }, cases)).toHaveLength(2);
  expect(chosenCases({ only: ["both.helm3.Retain.crds-go"] }, cases)).toHaveLength(1);
  expect(() => chosenCases({ only: ["bot"] }, cases)).toThrow("--only bot");
});

test("a part runs in every npm test", () => {
  expect(chosenCases({ smoke: true }, cases).map(({ id }) => id)).toEqual(["one.helm3.Retain"]);
  expect(chosenCases({ smoke: true }).length).toBeGreaterThan(0);
});

test("a result belongs to the scenario as it is written", () => {
  const [first, second] = cases;
  if (first === undefined || second === undefined) throw new Error("there are no cases");
  const prints = [fingerprintOf(first, "a"), fingerprintOf(first, "b"), fingerprintOf(second, "a")];
  expect(new Set(prints).size).toBe(prints.length);
  expect(fingerprintOf(first, "a")).toBe(prints[0]);
});

test.for(scenarios)("the text of $name is found, and is its own", ({ name }) => {
  expect(sourceOf(name).match(/\n {4}name: /g)).toHaveLength(1);
  expect(sourceOf(name)).toContain(`"${name}"`);
});

test("a scenario that is written wrongly says so", () => {
  expect(() => defineScenario({ name: "Bad Name", sentence })).toThrow("scenario Bad Name");
  expect(() => defineScenario({ name: "brief", sentence: "Oops" })).toThrow("the sentence");
  expect(() => defineScenario({ name: "stop", sentence: `${sentence}.` })).toThrow("without a full stop");
  expect(() => defineScenario({ name: "n", sentence: `${sentence} (F2) here` })).toThrow("without a full stop");
  expect(() => defineScenario({ name: "long", sentence, helmTimeout: 300 })).toThrow("helmTimeout 300");
  expect(() => defineScenario({ name: "half", sentence, policies: ["Retain"] })).toThrow("leftOut");
});

test("the first end may depend on the case", () => {
  const refused = [/refused/];
  const { firstEnd } = defineScenario({
    name: "key",
    sentence,
    firstEnd: ({ policy }) => (policy === "Delete" ? refused : "0"),
  });
  const scenario = { name: "key", sentence, ...(firstEnd && { firstEnd }) };
  expect(firstEndOf(scenario, { helm: 3, policy: "Delete", keep: true })).toBe(refused);
  expect(firstEndOf(scenario, { helm: 3, policy: "Retain", keep: true })).toBe("0");
});

test("the same seed draws the same moments for a case, and others for another", () => {
  const draw = (seed: number, name: string) => Array.from({ length: 5 }, () => randomOf(seed, name).int(1, 1000));
  const many = (seed: number, name: string): number[] => {
    const random = randomOf(seed, name);
    return Array.from({ length: 200 }, () => random.int(1, 6));
  };
  expect(draw(1, "a")).toEqual(draw(1, "a"));
  expect(many(1, "a")).not.toEqual(many(2, "a"));
  expect(many(1, "a")).not.toEqual(many(1, "b"));
  expect(new Set(many(1, "a"))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
});
