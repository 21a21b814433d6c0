// The record outlives the cache of the machine that made it: what it said stays for as long as the scenario is the same,
// as of an earlier product unless another machine has shown it of this one.
import { expect, test } from "vitest";
import { keptFrom } from "./record.ts";

test("what the record says of a scenario stays with one mark, and falls with the scenario's wording", () => {
  const shown = { ended: "1, then 0", wording: "aa", product: "p1" };
  const marked = { ...shown, ended: "1, then 0*" };
  expect(keptFrom(shown, "aa", "p2")).toEqual(marked);
  expect(keptFrom(marked, "aa", "p2")).toEqual(marked);
  expect(keptFrom(shown, "bb", "p2")).toBeUndefined();
  expect(keptFrom(undefined, "aa", "p2")).toBeUndefined();
});

test("what another machine has shown of the same product needs no second showing; an entry that names none does", () => {
  const shown = { ended: "0", wording: "aa", product: "p1" };
  expect(keptFrom(shown, "aa", "p1")).toEqual(shown);
  expect(keptFrom({ ...shown, ended: "0*" }, "aa", "p1")).toEqual(shown);
  expect(keptFrom({ ended: "0", wording: "aa" }, "aa", "p1")).toEqual({ ended: "0*", wording: "aa" });
});
