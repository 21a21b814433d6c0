// The record outlives the cache of the machine that made it: what it said stays, as of an earlier product, for as long as
// the scenario is the same.
import { expect, test } from "vitest";
import { keptFrom } from "./record.ts";

test("what the record says of a scenario stays with one mark, and falls with the scenario's wording", () => {
  const shown = { ended: "1, then 0", wording: "aa" };
  const marked = { ended: "1, then 0*", wording: "aa" };
  expect(keptFrom(shown, "aa")).toEqual(marked);
  expect(keptFrom(marked, "aa")).toEqual(marked);
  expect(keptFrom({ ended: "0†", wording: "aa" }, "aa")).toEqual({ ended: "0†", wording: "aa" });
  expect(keptFrom(shown, "bb")).toBeUndefined();
  expect(keptFrom(undefined, "aa")).toBeUndefined();
});
