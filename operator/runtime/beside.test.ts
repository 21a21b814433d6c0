// Slow work for one object, beside the queue.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { Beside } from "./beside.ts";

function aBeside({ mayBegin = () => true }: { mayBegin?: () => boolean } = {}) {
  const clock = testClock();
  const ends = new AbortController();
  const beside = new Beside({ clock, signal: ends.signal, mayBegin });
  const began: string[] = [];
  const again: string[] = [];
  const held = new Map<
    string,
    { resolve: (word: string) => void; reject: (why: Error) => void; signal: AbortSignal }
  >();
  const ask = (uid: string, of = "a"): string | undefined =>
    beside.ask(
      uid,
      {
        of,
        goodFor: () => 1000,
        work: async (signal) => {
          began.push(`${uid} ${of}`);
          const { promise, resolve, reject } = Promise.withResolvers<string>();
          held.set(uid, { resolve, reject, signal });
          return await promise;
        },
      },
      () => again.push(uid),
    );
  const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  return { beside, clock, ends, began, again, held, ask, settled };
}

test("nobody waits for it, and its object comes again when the result is there", async () => {
  const { ask, began, again, held, settled } = aBeside();
  expect(ask("one")).toBeUndefined();
  expect(ask("one")).toBeUndefined();
  await settled();
  held.get("one")?.resolve("found");
  await settled();
  expect(again).toEqual(["one"]);
  expect(ask("one")).toBe("found");
  expect(began).toEqual(["one a"]);
});

test("one that hangs keeps no other from being done, and no more than sixteen are done at once", async () => {
  const { ask, began, held, settled } = aBeside();
  for (let n = 0; n < 20; n += 1) ask(`u${n}`);
  await settled();
  expect(began).toHaveLength(16);
  held.get("u3")?.resolve("found");
  await settled();
  expect(began).toHaveLength(17);
  expect(ask("u3")).toBe("found");
});

test("a first look goes before those that look again, however many of these hang", async () => {
  const { ask, clock, began, held, settled } = aBeside();
  const unreachable = Array.from({ length: 20 }, (_, n) => `u${n}`);
  for (const uid of unreachable) ask(uid);
  await settled();
  for (const uid of unreachable) {
    held.get(uid)?.resolve("not reached");
    await settled();
  }
  await clock.advance(1000);
  for (const uid of unreachable) expect(ask(uid)).toBe("not reached");
  ask("new");
  await settled();
  expect(began).toHaveLength(36);
  held.get("u0")?.resolve("not reached");
  await settled();
  expect(began.slice(36)).toEqual(["new a"]);
  held.get("new")?.resolve("reached");
  await settled();
  expect(began.slice(37)).toEqual(["u16 a"]);
});

test("an old result stands until the new one is there", async () => {
  const { ask, clock, began, held, settled } = aBeside();
  ask("one");
  await settled();
  held.get("one")?.resolve("first");
  await settled();
  await clock.advance(1000);
  expect(ask("one")).toBe("first");
  await settled();
  held.get("one")?.resolve("second");
  await settled();
  expect(ask("one")).toBe("second");
  expect(began).toHaveLength(2);
});

test("where it is about something else, what was found out before is forgotten", async () => {
  const { ask, began, held, settled } = aBeside();
  ask("one");
  await settled();
  const before = held.get("one");
  expect(ask("one", "b")).toBeUndefined();
  await settled();
  expect(before?.signal.aborted).toBe(true);
  before?.resolve("of a");
  await settled();
  expect(ask("one", "b")).toBeUndefined();
  expect(began).toEqual(["one a", "one b"]);
});

test("what fails is not known, and is done again when it is asked for", async () => {
  const { ask, began, again, held, settled } = aBeside();
  ask("one");
  await settled();
  held.get("one")?.reject(new Error("broken"));
  await settled();
  expect(again).toEqual([]);
  expect(ask("one")).toBeUndefined();
  await settled();
  expect(began).toHaveLength(2);
});

test("nothing is begun once it may not, also what has waited for its turn, and what is under way ends with the term (W21)", async () => {
  let isOpen = true;
  const { ask, began, ends, held, settled } = aBeside({ mayBegin: () => isOpen });
  for (let n = 0; n < 17; n += 1) ask(`u${n}`);
  await settled();
  isOpen = false;
  held.get("u0")?.resolve("found");
  await settled();
  expect(began).toHaveLength(16);
  ends.abort(new Error("the term ends"));
  expect(held.get("u1")?.signal.aborted).toBe(true);
});
