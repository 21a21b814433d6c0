// A server that was restored from a backup: its resourceVersions are lower than those that it gave before.
import { expect, onTestFinished, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { Connection, WatchEvent } from "./connection.ts";
import { isNewer, keyOf, refOf, type Kind, type KubeObject } from "./kind.ts";
import { follow } from "./watch.ts";

const Widget: Kind = { group: "example.com", versions: ["v1"], kind: "Widget", plural: "widgets", namespaced: true };
const expired = new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
const silent = new KnownError("transient", "the watch was silent", { code: "Silent" });

function widget(name: string, version: number): KubeObject {
  return { metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion: String(version) } };
}

function named({ metadata }: KubeObject): string {
  return `${metadata.name}@${metadata.resourceVersion}`;
}

interface List {
  readonly items: readonly KubeObject[];
  readonly at: number;
}

const before: List = { items: [widget("a", 9_000), widget("same", 4_000), widget("b", 8_999)], at: 9_000 };
const restored: List = { items: [widget("a", 5_000), widget("same", 4_000)], at: 5_000 };

/**
 * Follows a server that gives these lists, one after the other, and ends its first watch so. With a store as the operator's,
 * which takes nothing that looks older than what it holds, or without one.
 */
async function followed(lists: readonly (List | KnownError)[], ends: KnownError, { hasStore = true } = {}) {
  const clock = testClock();
  const calls: string[] = [];
  const told: string[] = [];
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  const answers = [...lists];
  const connection: Connection = {
    server: "https://scripted",
    request: async ({ query }) => {
      calls.push(query?.["limit"] === 1 ? "look" : "list");
      const answer = answers.shift() ?? before;
      if (answer instanceof KnownError) throw answer;
      const { items, at } = answer;
      return { items, metadata: { resourceVersion: String(at) } };
    },
    watch: async function* ({ query, signal }): AsyncGenerator<WatchEvent> {
      calls.push(`watch from ${String(query?.["resourceVersion"])}`);
      if (calls.length === 2) throw ends;
      yield await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const held = new Map<string, KubeObject>();
  const handlers = {
    changed: (object: KubeObject) => {
      const key = keyOf(refOf(object));
      const known = held.get(key)?.metadata.resourceVersion;
      if (known === undefined || isNewer(object.metadata.resourceVersion ?? "", known)) held.set(key, object);
      told.push(`changed ${named(object)}`);
    },
    removed: (last: KubeObject) => {
      held.delete(keyOf(refOf(last)));
      told.push(`removed ${named(last)}`);
    },
    wentBack: () => told.push("went back"),
    synced: () => told.push("synced"),
  };
  const store = { at: (key: string) => held.get(key), keys: () => held.keys() };
  const options = { clock, ...(hasStore ? { store } : {}) };
  follow(connection, Widget, options, handlers, end.signal).catch(() => undefined);
  await clock.advance(10_000);
  return { calls, held: [...held.values()].map(named), told: told.slice(told.indexOf("synced") + 1) };
}

test("a server whose count has gone back is believed", async () => {
  const { held, told } = await followed([before, restored], expired);
  expect(held).toEqual(["a@5000", "same@4000"]);
  expect(told.slice(-3)).toEqual(["removed b@8999", "went back", "synced"]);
});

test("who has no store hears what has changed, and of nothing that is there that it is gone", async () => {
  const { told } = await followed([before, restored], expired, { hasStore: false });
  expect(told).toEqual(["changed a@5000", "changed same@4000", "removed b@8999", "went back", "synced"]);
});

test("a watch that is silent since it starts where the server has not come yet leads to a list", async () => {
  const { calls, held } = await followed([before, restored, restored], silent);
  expect(calls).toEqual(["list", "watch from 9000", "look", "list", "watch from 5000"]);
  expect(held).toEqual(["a@5000", "same@4000"]);
});

test("a look that fails leaves the question open: no watch starts where the server has not come yet", async () => {
  const shaky = new KnownError("transient", "no answer", { code: "Timeout" });
  const { calls } = await followed([before, shaky, restored, restored], silent);
  expect(calls).toEqual(["list", "watch from 9000", "look", "look", "list", "watch from 5000"]);
});

test("a watch that is silent for another reason is resumed, for one look", async () => {
  const { calls, told } = await followed([before, { items: [], at: 9_050 }], silent);
  expect(calls).toEqual(["list", "watch from 9000", "look", "watch from 9000"]);
  expect(told).toEqual([]);
});
