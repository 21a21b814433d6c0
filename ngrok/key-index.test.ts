// What is remembered of a list: what this client has made since, and not all that it will ever make.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { keyIndex } from "./key-index.ts";

interface Remote {
  readonly id: string;
  readonly key: string;
}

const { signal } = new AbortController();

/** An account with these in it, and what was asked of it. */
function anAccount(...there: Remote[]) {
  const asked: string[] = [];
  const index = keyIndex<Remote>({
    async *pages() {
      await Promise.resolve(void asked.push("list"));
      yield there;
    },
    get: async (id) => {
      await Promise.resolve(void asked.push(`get ${id}`));
      return there.find((one) => one.id === id);
    },
    keys: ({ key }) => [key],
    clock: testClock(),
  });
  const find = async (key: string) => (await index.matching(key, { asOf: 0 }, signal)).map(({ id }) => id);
  const make = (remote: Remote) => {
    there.push(remote);
    index.note(remote);
  };
  return { asked, index, find, make };
}

test("one list answers those who look up what was made since, too", async () => {
  const { asked, find, make } = anAccount({ id: "a", key: "web" });
  expect(await find("web")).toEqual(["a"]);
  make({ id: "b", key: "web" });
  expect(await find("web")).toEqual(["a", "b"]);
  expect(await find("other")).toEqual([]);
  expect(asked).toEqual(["list", "get a", "get b"]);
});

test("a process that makes and unmakes thousands keeps no more of them than it has listed, or a thousand", async () => {
  const { asked, index, find } = anAccount({ id: "a", key: "web" });
  await find("web");
  for (let n = 0; n < 1_001; n += 1) index.note({ id: `gone-${n}`, key: `preview-${n}` });
  expect(await find("preview-0")).toEqual([]);
  expect(asked).toEqual(["list", "list"]);
  // What is only changed takes no room.
  for (let n = 0; n < 1_001; n += 1) index.note({ id: "a", key: "web" });
  expect(await find("web")).toEqual(["a"]);
  expect(asked).toEqual(["list", "list", "get a"]);
});
