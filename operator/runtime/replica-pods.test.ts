// Which replicas there are, and whose entries go.
import { expect, test } from "vitest";
import { Pod, type PodObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { Cache } from "./cache.ts";
import { forget, goneOf, mayBeNews, replicasOf } from "./replica-pods.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };

function aPod(name: string, component = "agent", status: PodObject["status"] = {}, instance = "ngrok"): PodObject {
  const labels = { "app.kubernetes.io/instance": instance, "app.kubernetes.io/component": component };
  return { metadata: { name, namespace: "ops", labels }, status };
}

function seen(pods: readonly PodObject[], isWhole = true): Cache {
  const cache = new Cache();
  const store = cache.add(Pod);
  for (const pod of pods) store.put(pod);
  store.isWhole = isWhole;
  return cache;
}

const ready = (status: "True" | "False"): PodObject["status"] => ({
  phase: "Running",
  conditions: [{ type: "Ready", status }],
});

test("replicas are the pods of the component of this release that have not ended, and may serve unless they are not ready", () => {
  const cached = seen([
    aPod("a", "agent", ready("True")),
    aPod("b", "agent", ready("False")),
    aPod("new", "agent", { phase: "Pending" }),
    aPod("evicted", "agent", { phase: "Failed" }),
    aPod("forwarder", "bindings-forwarder", ready("True")),
    aPod("other", "agent", ready("True"), "another"),
  ]);
  expect([...(replicasOf("agent", { cached, release }) ?? [])]).toEqual([
    ["a", true],
    ["b", false],
    ["new", true],
  ]);
});

test("where Pods may not be read, nothing is known", () => {
  expect(replicasOf("agent", { cached: seen([], false), release })).toBeUndefined();
});

/** Lists of Pods that are answered one by one, by hand. */
function aReader(pods: readonly PodObject[]) {
  const asked: PromiseWithResolvers<void>[] = [];
  const reader = {
    async *pages() {
      const answer = Promise.withResolvers<void>();
      asked.push(answer);
      await answer.promise;
      yield { items: pods, resourceVersion: "1" };
    },
  } as unknown as Reader;
  return { asked, context: { reader, release, signal: new AbortController().signal } };
}

const turns = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test("a pod that the watch has not brought yet is not gone, and one that has ended is", async () => {
  const { asked, context } = aReader([aPod("new"), aPod("evicted", "agent", { phase: "Failed" })]);
  const entries = ["seen", "new", "evicted", "gone"].map((pod) => ({ pod }));
  const gone = goneOf(entries, new Map([["seen", true]]), context);
  await turns();
  for (const answer of asked) answer.resolve();
  expect([...(await gone)]).toEqual(["evicted", "gone"]);
  expect(asked).toHaveLength(1);
  expect([...(await goneOf(entries, undefined, context))]).toEqual([]);
  expect([...(await goneOf([{ pod: "seen" }], new Map([["seen", true]]), context))]).toEqual([]);
  expect(asked).toHaveLength(1);
});

test("who asks while a list is under way shares the next one, which begins after the question", async () => {
  const { asked, context } = aReader([]);
  const first = goneOf([{ pod: "gone" }], new Map(), context);
  await turns();
  const others = Promise.all(Array.from({ length: 20 }, () => goneOf([{ pod: "gone" }], new Map(), context)));
  await turns();
  expect(asked).toHaveLength(1);
  asked[0]?.reject(new Error("the API server is away"));
  await expect(first).rejects.toThrow("away");
  await turns();
  expect(asked).toHaveLength(2);
  asked[1]?.resolve();
  expect((await others).every((gone) => gone.has("gone"))).toBe(true);
  const later = goneOf([{ pod: "gone" }], new Map(), context);
  await turns();
  expect(asked).toHaveLength(3);
  asked[2]?.resolve();
  expect([...(await later)]).toEqual(["gone"]);
});

test("entries are taken out from the end, each under a test that it is still there", () => {
  const entries = [{ pod: "a" }, { pod: "b" }, { pod: "c" }];
  expect(forget(entries, new Set(["a", "c"]))).toEqual([
    { op: "test", path: "/status/replicas/2/pod", value: "c" },
    { op: "remove", path: "/status/replicas/2" },
    { op: "test", path: "/status/replicas/0/pod", value: "a" },
    { op: "remove", path: "/status/replicas/0" },
  ]);
});

test.for([
  ["its own entry", [{ pod: "a" }], "a", true],
  ["no entry at all", [], "a", true],
  ["an entry of somebody who is gone", [{ pod: "gone" }, { pod: "b" }], "a", true],
  ["entries of others that are there", [{ pod: "b" }], "a", false],
] as const)("a pod concerns %s", ([, entries, pod, answer]) => {
  expect(mayBeNews(entries, aPod(pod), seen([aPod("a"), aPod("b")]))).toBe(answer);
});
