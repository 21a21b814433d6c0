// Order and pages when objects come and go, at sizes that no request should notice.
import { test } from "vitest";
import { Collection, type Remote } from "./collection.ts";
import { newId } from "./ids.ts";

const remote = (id: string): Remote => ({ id, uri: `/${id}` });

function idsByPages(collection: Collection<Remote>, limit: number): string[] {
  const ids: string[] = [];
  let before: string | undefined;
  do {
    const page = collection.page(limit, before);
    ids.push(...page.items.map(({ id }) => id));
    before = page.next;
  } while (before !== undefined);
  return ids;
}

test("ids sort by the time they were made", ({ expect }) => {
  const ids = Array.from({ length: 5000 }, () => newId("ep"));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(5000);
});

test("pages hold every object once, newest first, through many deletions", ({ expect }) => {
  const collection = new Collection<Remote>();
  const ids = Array.from({ length: 20_000 }, () => newId("ep"));
  for (const id of ids) collection.add(remote(id));
  const kept = ids.filter((_, i) => i % 7 === 0);
  for (const [i, id] of ids.entries()) if (i % 7 !== 0) collection.delete(id);
  expect(collection.size).toBe(kept.length);
  expect(idsByPages(collection, 100)).toEqual(kept.toReversed());
});

test("an older object that comes back takes its old place", ({ expect }) => {
  const collection = new Collection<Remote>();
  for (const id of ["ep_1", "ep_2", "ep_3"]) collection.add(remote(id));
  collection.delete("ep_2");
  expect(idsByPages(collection, 2)).toEqual(["ep_3", "ep_1"]);
  collection.add(remote("ep_2"));
  expect(idsByPages(collection, 2)).toEqual(["ep_3", "ep_2", "ep_1"]);
});

test("a last page that is just full has no next one", ({ expect }) => {
  const collection = new Collection<Remote>();
  for (const id of ["ep_1", "ep_2"]) collection.add(remote(id));
  expect(collection.page(2).next).toBeUndefined();
  expect(collection.page(1).next).toBe("ep_2");
});
