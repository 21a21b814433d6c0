// Following a kind on a real API server through what happens to real ones: restarts, compaction, a frozen network, size.
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { patient } from "#test/support/patient.ts";
import { tcpProxy } from "#test/support/tcp-proxy.ts";
import { afterUninstall } from "#wire/fence.ts";
import type { KnownError } from "#wire/errors.ts";
import { connect, type Connection } from "./connection.ts";
import { isNewer, targetOf } from "./kind.ts";
import { ConfigMap, Namespace, type ConfigMapObject } from "./kinds.ts";
import { reader } from "./reader.ts";
import { follow, type FollowOptions } from "./watch.ts";
import { writer, type Writer } from "./writer.ts";

type Plane = Awaited<ReturnType<typeof ownControlPlane>>;

const { signal } = new AbortController();
const eventually = { interval: 50 };

let plane: Plane;
let admin: Connection;
let write: Writer;

beforeAll(async () => {
  // Nothing is kept of the past for longer than some seconds, and nothing is answered from a cache of it.
  plane = await ownControlPlane({ apiServerFlags: ["--etcd-compaction-interval=2s", "--watch-cache=false"] });
  admin = patient(await connect({ kubeconfig: plane.kubeconfig }));
  write = writer(admin, afterUninstall(signal));
});

afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await plane?.[Symbol.asyncDispose]();
});

async function aNamespace(name: string): Promise<string> {
  await write.create(Namespace, { metadata: { name } }, signal);
  return name;
}

async function aConfigMap(namespace: string, name: string): Promise<ConfigMapObject> {
  return await write.create(ConfigMap, { metadata: { name, namespace } }, signal);
}

/** Follows in a store, as a cache does. */
function following(connection: Connection, namespace: string, options: Partial<FollowOptions<ConfigMapObject>> = {}) {
  const store = new Map<string, ConfigMapObject>();
  const seen = { lists: 0, changes: 0, removals: [] as string[], told: "0", trouble: [] as KnownError[] };
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  const view = { at: (key: string) => store.get(key), keys: () => store.keys() };
  const running = follow(
    connection,
    ConfigMap,
    { namespace, store: view, backoff: { baseMs: 50, capMs: 500 }, ...options },
    {
      changed: (object) => {
        seen.changes += 1;
        store.set(`${namespace}/${object.metadata.name}`, object);
      },
      removed: (last) => {
        seen.removals.push(last.metadata.name);
        store.delete(`${namespace}/${last.metadata.name}`);
      },
      told: (resourceVersion) => (seen.told = resourceVersion),
      synced: () => (seen.lists += 1),
      trouble: (error) => seen.trouble.push(error),
    },
    end.signal,
  );
  running.catch(() => undefined);
  const names = (): string[] => [...store.values()].map((each) => each.metadata.name).toSorted();
  return { store, seen, names };
}

async function throughProxy() {
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { clusters: [{ cluster: { server: string } }] };
  const proxy = await tcpProxy(config.clusters[0].cluster.server);
  config.clusters[0].cluster.server = proxy.url;
  const connection = await connect({ kubeconfig: config });
  onTestFinished(async () => {
    await connection[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });
  return { proxy, connection };
}

/** Waits until the server has forgotten the given resourceVersion. */
async function forgotten(resourceVersion: string | undefined): Promise<void> {
  const query = { resourceVersion, resourceVersionMatch: "Exact", limit: 1 };
  const asked = async () =>
    await admin.request({ method: "GET", path: "/api/v1/configmaps", query, signal }).then(
      () => "known",
      (error: KnownError) => error.code,
    );
  await expect.poll(asked, eventually).toBe("Expired");
}

test("what happened behind a compaction is told as the difference of a new list", async () => {
  const namespace = await aNamespace("compaction");
  const doomed = await aConfigMap(namespace, "doomed");
  await aConfigMap(namespace, "kept");
  const { proxy, connection } = await throughProxy();
  // The frozen watch is noticed by its silence; the place where it stopped is forgotten by then.
  const { seen, names } = following(connection, namespace, { silenceMs: 1_500 });
  await expect.poll(names, eventually).toContain("kept");
  proxy.freeze();
  await write.remove(targetOf(ConfigMap, doomed), signal);
  const last = await aConfigMap(namespace, "late");
  await forgotten(last.metadata.resourceVersion);
  proxy.thaw();
  proxy.cut();
  await expect.poll(names, eventually).toEqual(["kept", "kube-root-ca.crt", "late"]);
  expect(seen.removals).toEqual(["doomed"]);
  expect(seen.trouble.map((error) => error.code)).toContain("Expired");
  // Once more for each time that the server has forgotten the place, which it does every two seconds.
  expect(seen.lists).toBeGreaterThan(1);
});

test("a list that lasts longer than the server remembers ends as expired, not as a part", async () => {
  const namespace = await aNamespace("slow-list");
  for (const name of ["a", "b", "c"]) await aConfigMap(namespace, name);
  const pages = reader(admin).pages(ConfigMap, { namespace, limit: 1 }, signal)[Symbol.asyncIterator]();
  const first = await pages.next();
  await forgotten(first.done === true ? undefined : first.value.resourceVersion);
  await expect(pages.next()).rejects.toMatchObject({ class: "gone", code: "Expired" });
});

test.for(["from etcd", "from the server's cache"])(
  "a deletion that is watched %s is newer than every answer about its object, also where a finalizer's end is the deletion",
  async (how, { expect }) => {
    await using connection = patient(
      await connect({ kubeconfig: how === "from etcd" ? plane.kubeconfig : inject("kubeconfig") }),
    );
    const hand = writer(connection, afterUninstall(signal));
    const namespace = `deletions-${how === "from etcd" ? "etcd" : "cache"}`;
    await hand.create(Namespace, { metadata: { name: namespace } }, signal);
    const { seen } = following(connection, namespace);
    for (const finalizers of [[], ["example.com/held"]]) {
      const name = `with-${finalizers.length}`;
      const made = await hand.create(ConfigMap, { metadata: { name, namespace, finalizers } }, signal);
      const operations = [{ op: "add", path: "/data", value: { a: "b" } }] as const;
      let last = await hand.patch(ConfigMap, { name, namespace }, made.metadata.uid ?? "", [...operations], signal);
      await hand.remove(targetOf(ConfigMap, last), signal);
      if (finalizers.length > 0) {
        const free = [{ op: "remove", path: "/metadata/finalizers" }] as const;
        last = await hand.patch(ConfigMap, { name, namespace }, made.metadata.uid ?? "", [...free], signal);
      }
      await expect.poll(() => seen.removals, eventually).toContain(name);
      expect(isNewer(last.metadata.resourceVersion ?? "", seen.told)).toBe(false);
    }
  },
);

test("a silent watch is noticed and replaced, and nothing is missed or told twice", async () => {
  const namespace = await aNamespace("silence");
  await aConfigMap(namespace, "before");
  const { proxy, connection } = await throughProxy();
  const { seen, names } = following(connection, namespace, { silenceMs: 1_000 });
  await expect.poll(() => seen.lists, eventually).toBeGreaterThan(0);
  await aConfigMap(namespace, "watched");
  await expect.poll(names, eventually).toContain("watched");
  proxy.freeze();
  await aConfigMap(namespace, "meanwhile");
  await expect.poll(() => seen.trouble.map((error) => error.code), eventually).toContain("Silent");
  proxy.thaw();
  proxy.cut();
  await expect.poll(names, eventually).toEqual(["before", "kube-root-ca.crt", "meanwhile", "watched"]);
  expect(seen).toMatchObject({ changes: 4, removals: [] });
});

test("an API server that is restarted in mid-watch is found again, with what happened since", async () => {
  const namespace = await aNamespace("restart");
  const doomed = await aConfigMap(namespace, "doomed");
  const { seen, names } = following(admin, namespace);
  await expect.poll(names, eventually).toContain("doomed");
  await plane.stopApiServer();
  await expect.poll(() => seen.trouble.length, eventually).toBeGreaterThan(1);
  await plane.startApiServer();
  const again = patient(await connect({ kubeconfig: plane.kubeconfig }));
  await writer(again, afterUninstall(signal)).remove(targetOf(ConfigMap, doomed), signal);
  await writer(again, afterUninstall(signal)).create(ConfigMap, { metadata: { name: "late", namespace } }, signal);
  await again[Symbol.asyncDispose]();
  await expect.poll(names, eventually).toEqual(["kube-root-ca.crt", "late"]);
  expect(seen.removals).toEqual(["doomed"]);
});

test("10,000 objects pass by pages, and memory holds a page", async () => {
  // On a busy machine the pages last longer than the other server remembers.
  await using other = await ownControlPlane();
  await using connection = patient(await connect({ kubeconfig: other.kubeconfig }));
  const creator = writer(connection, afterUninstall(signal));
  const namespace = "many";
  await creator.create(Namespace, { metadata: { name: namespace } }, signal);
  const rest = Array.from({ length: 10_000 }, (_, index) => `object-${index}`).values();
  const make = async (): Promise<void> => {
    for (const name of rest) await creator.create(ConfigMap, { metadata: { name, namespace } }, signal);
  };
  await Promise.all(Array.from({ length: 32 }, make));

  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  let objects = 0;
  let largest = 0;
  let growth = 0;
  const before = heap();
  for await (const page of reader(connection).pages(ConfigMap, { namespace }, signal)) {
    objects += page.items.length;
    largest = Math.max(largest, page.items.length);
    growth = Math.max(growth, heap() - before);
  }
  expect(objects).toBe(10_001);
  expect(largest).toBe(200);
  // All 10,000 would be some 10 MiB as JavaScript objects; a page is a fifth of one.
  expect(growth).toBeLessThan(4);
}, 400_000);
