// Following a kind against a scripted server: what is told after each way in which a watch can end.
import { describe, expect, onTestFinished, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { Connection, KubeRequest, WatchEvent, WatchRequest } from "./connection.ts";
import { keyOf, refOf, type Kind, type KubeObject } from "./kind.ts";
import { follow, type FollowOptions } from "./watch.ts";

const Widget: Kind = { group: "example.com", versions: ["v1"], kind: "Widget", plural: "widgets", namespaced: true };
const expired = new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
const broken = new KnownError("transient", "the connection was closed");

function widget(name: string, version: number, uid = `uid-${name}`): KubeObject {
  return { metadata: { name, namespace: "default", uid, resourceVersion: String(version) } };
}

/** What a list finds that does not show what is held. */
interface Dropping {
  readonly store: Map<string, KubeObject>;
  readonly told: string[];
  readonly end: AbortController;
}

/** One watch that the test feeds and ends. */
class Feed {
  readonly from: unknown;
  readonly #events: (WatchEvent | Error | "end")[] = [];
  #wake: () => void = () => undefined;

  constructor(from: unknown) {
    this.from = from;
  }

  tell(type: WatchEvent["type"], object: KubeObject): void {
    this.#push({ type, object });
  }

  end(how: Error | "end" = "end"): void {
    this.#push(how);
  }

  #push(item: WatchEvent | Error | "end"): void {
    this.#events.push(item);
    this.#wake();
  }

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    while (true) {
      const next = this.#events.shift();
      if (next === "end") return;
      if (next instanceof Error) throw next;
      if (next !== undefined) yield next;
      else {
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      }
    }
  }
}

function scene(options: Partial<FollowOptions<KubeObject>> = {}) {
  const clock = testClock();
  const told: string[] = [];
  const lists: (Error | { items: KubeObject[]; at: number })[] = [];
  const feeds: Feed[] = [];
  const end = new AbortController();
  const connection: Connection = {
    server: "https://scripted",
    request: async ({ path }: KubeRequest) => {
      if (path === "/apis/example.com") throw new KnownError("gone", "404", { status: 404 });
      const next = lists.shift();
      if (next === undefined) throw new KnownError("transient", "no list scripted");
      if (next instanceof Error) throw next;
      return { items: next.items, metadata: { resourceVersion: String(next.at) } };
    },
    watch: ({ query, signal }: WatchRequest) => {
      const feed = new Feed(query?.["resourceVersion"]);
      feeds.push(feed);
      return feed.events(signal);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const named = (object: KubeObject): string => `${keyOf(refOf(object))}@${object.metadata.resourceVersion}`;
  const handlers = {
    changed: (object: KubeObject) => told.push(`changed ${named(object)}`),
    removed: (last: KubeObject) => told.push(`removed ${named(last)}`),
    synced: () => told.push("synced"),
    absent: () => told.push("absent"),
    trouble: (error: KnownError, ms: number) => told.push(`trouble ${error.message}, again in ${ms} ms`),
  };
  const start = async (): Promise<void> => {
    const running = follow(connection, Widget, { clock, random: () => 1, ...options }, handlers, end.signal);
    running.catch(() => undefined);
    await clock.advance(0);
  };
  onTestFinished(() => end.abort(new Error("the test has ended")));
  /** What was told since the last look. */
  const heard = (): string[] => told.splice(0);
  return { clock, lists, feeds, start, heard, end };
}

describe("a watch that ends", () => {
  test("after its time is resumed where it was, without a new list", async () => {
    const { clock, lists, feeds, start, heard } = scene();
    lists.push({ items: [widget("a", 3)], at: 5 });
    await start();
    feeds[0]?.tell("ADDED", widget("b", 6));
    feeds[0]?.tell("BOOKMARK", { metadata: { name: "", resourceVersion: "9" } });
    feeds[0]?.end();
    await clock.advance(0);
    expect(heard()).toEqual(["changed default/a@3", "synced", "changed default/b@6"]);
    expect(feeds.map(({ from }) => from)).toEqual(["5", "9"]);
  });

  test("by a broken connection is resumed after a pause; one that ends before it said anything too", async () => {
    const { clock, lists, feeds, start, heard } = scene();
    lists.push({ items: [], at: 5 });
    await start();
    feeds[0]?.end(broken);
    await clock.advance(0);
    feeds[1]?.end();
    expect(heard()).toEqual(["synced", "trouble the connection was closed, again in 500 ms"]);
    await clock.advance(500);
    feeds[1]?.end();
    await clock.advance(0);
    expect(heard()).toEqual(["trouble the watch ended at once, again in 1000 ms"]);
    await clock.advance(1_000);
    expect(feeds.map(({ from }) => from)).toEqual(["5", "5", "5"]);
  });

  test("because its place is forgotten leads to a new list, whose difference is told, deletions included", async () => {
    const { clock, lists, feeds, start, heard } = scene();
    lists.push({ items: [widget("kept", 1), widget("changed", 2), widget("deleted", 3), widget("remade", 4)], at: 5 });
    await start();
    heard();
    lists.push({
      items: [widget("kept", 1), widget("changed", 8), widget("remade", 9, "uid-new"), widget("new", 7)],
      at: 10,
    });
    feeds[0]?.end(expired);
    await clock.advance(1_000);
    expect(heard()).toEqual([
      "trouble too old resource version, again in 500 ms",
      "changed default/changed@8",
      "removed default/remade@4",
      "changed default/remade@9",
      "changed default/new@7",
      "removed default/deleted@3",
      "synced",
    ]);
  });
});

test("where each list is forgotten before its watch has begun, lists come further apart, until a watch tells something", async () => {
  const { clock, lists, feeds, start, heard } = scene();
  const list = { items: [], at: 5 };
  lists.push(list, list, list, list, list);
  await start();
  const expire = async (ms: number): Promise<void> => {
    feeds.at(-1)?.end(expired);
    await clock.advance(ms);
  };
  for (const ms of [500, 1_000, 2_000]) await expire(ms);
  feeds.at(-1)?.tell("BOOKMARK", { metadata: { name: "", resourceVersion: "9" } });
  await expire(500);
  const waits = heard().flatMap((line) => /again in (\d+) ms/.exec(line)?.[1] ?? []);
  expect(waits).toEqual(["500", "1000", "2000", "500"]);
  expect(feeds.map(({ from }) => from)).toEqual(["5", "5", "5", "5", "5"]);
});

test("a list that cannot be had is tried again, longer apart each time, and never taken for empty", async () => {
  const { clock, lists, start, heard } = scene();
  lists.push(broken, new KnownError("invalid", "403", { status: 403 }), { items: [widget("a", 1)], at: 2 });
  await start();
  await clock.advance(31_000);
  expect(heard()).toEqual([
    "trouble the connection was closed, again in 500 ms",
    "trouble 403, again in 30000 ms",
    "changed default/a@1",
    "synced",
  ]);
});

test("a kind that is not served is told once, its objects as gone, and found again when it comes", async () => {
  const { clock, lists, feeds, start, heard } = scene();
  const absent = new KnownError("gone", "404", { status: 404, code: "NotFound" });
  lists.push({ items: [widget("a", 1)], at: 2 }, absent, absent, { items: [widget("a", 9, "uid-2")], at: 9 });
  await start();
  feeds[0]?.end(absent);
  await clock.advance(20_000);
  expect(heard()).toEqual([
    "changed default/a@1",
    "synced",
    "trouble 404, again in 500 ms",
    "removed default/a@1",
    "absent",
  ]);
  await clock.advance(15_000);
  expect(heard()).toEqual(["changed default/a@9", "synced"]);
});

test("with the caller's store nothing is told that it knows, and what it knows better than the list stays", async () => {
  const store = new Map<string, KubeObject>([
    ["default/known", widget("known", 3)],
    ["default/just-made", widget("just-made", 12)],
    ["default/gone", widget("gone", 4)],
  ]);
  const { lists, start, heard } = scene({ store: { at: (key) => store.get(key), keys: () => store.keys() } });
  lists.push({ items: [widget("known", 3)], at: 9 });
  await start();
  expect(heard()).toEqual(["removed default/gone@4", "synced"]);
});

describe("a list that shows thousands no more", () => {
  /** Each that is dropped takes its listeners a millisecond at least; `between` is called at the first turn others get. */
  async function dropped(between: (at: Dropping) => void): Promise<Dropping> {
    const store = new Map<string, KubeObject>();
    for (let n = 0; n < 40; n += 1) store.set(`default/w${n}`, widget(`w${n}`, 1));
    const told: string[] = [];
    const end = new AbortController();
    const connection: Connection = {
      server: "https://scripted",
      request: async () => ({ items: [], metadata: { resourceVersion: "9" } }),
      watch: ({ signal }) => new Feed("").events(signal),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const over = Promise.withResolvers<void>();
    const handlers = {
      changed: () => undefined,
      removed: (last: KubeObject) => {
        for (const until = performance.now() + 1; performance.now() < until;);
        store.delete(keyOf(refOf(last)));
        told.push(last.metadata.name);
        if (store.size === 39) setImmediate(() => between(at));
      },
      told: (version: string) => told.push(`told ${version}`),
      synced: () => {
        told.push("synced");
        over.resolve();
      },
    };
    const at: Dropping = { store, told, end };
    const options = { clock: testClock(), store: { at: (key: string) => store.get(key), keys: () => store.keys() } };
    const running = follow(connection, Widget, options, handlers, end.signal);
    await Promise.race([over.promise, running.catch(() => undefined)]);
    end.abort(new Error("the test has ended"));
    return at;
  }

  test("lets timers and sockets in between, and is told as whole when all of them are dropped", async () => {
    let shown: readonly string[] | undefined;
    const { told, store } = await dropped(({ told: soFar }) => (shown = [...soFar]));
    expect(shown?.length).toBeLessThan(40);
    expect(shown).not.toContain("synced");
    expect(told.slice(40)).toEqual(["told 9", "synced"]);
    expect(store.size).toBe(0);
  });

  test("drops what a late answer to a call brings in between, unless that is newer than the list", async () => {
    const { store } = await dropped((at) => {
      at.store.set("default/late", widget("late", 8));
      at.store.set("default/just-made", widget("just-made", 10));
    });
    expect([...store.keys()]).toEqual(["default/just-made"]);
  });

  test("tells nothing more once it has been called off in between", async () => {
    const { told, store } = await dropped(({ end }) => end.abort(new Error("the drain begins")));
    expect(told.length + store.size).toBe(40);
    expect(store.size).toBeGreaterThan(0);
  });
});

test("a handler's bug is not taken for a network's fault", async () => {
  const { lists, end } = scene();
  lists.push({ items: [widget("a", 1)], at: 2 });
  const connection: Connection = {
    server: "https://scripted",
    request: async () => ({ items: [widget("a", 1)], metadata: { resourceVersion: "2" } }),
    watch: () => new Feed("").events(end.signal),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const handlers = {
    changed: () => {
      throw new TypeError("a bug");
    },
    removed: () => undefined,
  };
  await expect(follow(connection, Widget, { clock: testClock() }, handlers, end.signal)).rejects.toThrow("a bug");
});
