// Whatever comes, changes and goes: the index says what a walk over all objects would.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Naming, NamesInOrder } from "./names-in-order.ts";

/** The names of each part of a group, as a walk over the objects by their keys comes to them; on a name's first terms alone. */
function walked(objects: ReadonlyMap<string, Naming>, wanted: string): string[] {
  const sorted = [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, naming]) => naming);
  const order = [...new Set(sorted.map(({ name }) => name))];
  const terms = new Map(sorted.toReversed().map((one) => [one.name, one.terms]));
  const parts = new Map<string, Set<string>>();
  for (const { name, groups } of sorted.filter((one) => one.terms === terms.get(one.name)))
    for (const { part } of groups.filter(({ group }) => group === wanted))
      parts.set(part, new Set([...(parts.get(part) ?? []), name]));
  return [...parts.values()].map((names) => order.filter((name) => names.has(name)).join(" ")).toSorted();
}

const groups = fc.array(fc.record({ group: fc.constantFrom("a", "b"), part: fc.constantFrom("80", "web") }), {
  maxLength: 3,
});
const terms = fc.constantFrom("these", "these", "those");
const naming = fc.uniqueArray(fc.record({ name: fc.constantFrom("one", "two", "three", "four"), terms, groups }), {
  selector: ({ name }) => name,
});
const changes = fc.array(fc.tuple(fc.constantFrom("k1", "k2", "k3", "k4"), fc.option(naming)), { maxLength: 30 });

test("the names of a group are those of a walk over all objects, in its order, after any changes", () => {
  fc.assert(
    fc.property(changes, (all) => {
      const objects = new Map<string, Naming>();
      const index = new NamesInOrder();
      for (const [key, after] of all) {
        index.change(key, objects.get(key) ?? [], after ?? []);
        if (after === null) objects.delete(key);
        else objects.set(key, after);
        for (const group of ["a", "b"]) {
          const parts = index.of(group).map(({ names }) => [...names].map(({ name }) => name).join(" "));
          expect(parts.filter((one) => one !== "").toSorted()).toEqual(walked(objects, group).filter(Boolean));
        }
      }
    }),
  );
});

test("a group that nobody names any more is empty, and after a clear nothing is known", () => {
  const index = new NamesInOrder();
  const shop = [{ name: "one", groups: [{ group: "a", part: "80" }] }];
  index.change("k", [], shop);
  index.change("k", shop, []);
  expect(index.of("a")).toEqual([]);
  index.change("k", [], shop);
  index.clear();
  expect(index.of("a")).toEqual([]);
});
