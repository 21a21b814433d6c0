// Holds the mutants to the tree: each failure has one or says why not, each replaces something that is there once, and its
// test is there. Whether that test goes red is `npm run test:mutants`, which runs them all.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mutants, open } from "./mutants.ts";

const read = (file: string): string => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

test("every failure from F1 to F28 has a mutant, or a reason why it has none", () => {
  const all = Array.from({ length: 28 }, (_, n) => `F${n + 1}`);
  const told = [...mutants.map(({ id }) => id), ...Object.keys(open)];
  expect(all.filter((id) => !told.includes(id))).toEqual([]);
  expect(told.filter((id, at) => told.indexOf(id) !== at)).toEqual([]);
});

test.for(mutants.map((mutant) => [mutant.id, mutant] as const))(
  "%s replaces what is there once, and its test is there",
  ([, { file, find, replace, test: named }], { expect }) => {
    expect(read(file).split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
    expect(read(named.file)).toContain(named.name);
  },
);
