// The proxy in front of a real API server: it knows its caller, passes watches through as they come, and each fault does
// what its name says.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, inject, test as base } from "vitest";
import { connect, type Connection } from "#kube/connection.ts";
import { KnownError } from "#wire/errors.ts";
import { startApiProxy, type ApiProxy } from "./api-proxy.ts";
import { seen } from "./manager-process.ts";
import { patient } from "./patient.ts";

interface World {
  readonly proxy: ApiProxy;
  /** As the ServiceAccount `edge-drain`, through the proxy. */
  readonly drain: Connection;
  /** Past the proxy. */
  readonly admin: Connection;
  readonly namespace: string;
}

interface Review {
  readonly status: { readonly allowed: boolean };
}

const test = base.extend<{ world: World }>({
  world: async ({ signal }, use) => {
    const kubeconfig = inject("kubeconfig");
    await using admin = patient(await connect({ kubeconfig }));
    const pki = join(dirname(kubeconfig), "pki");
    await using proxy = await startApiProxy({ host: "127.0.0.1", pki, target: admin.server });
    const namespace = `proxy-${crypto.randomUUID().slice(0, 6)}`;
    const post = async (path: string, body: object): Promise<unknown> =>
      await admin.request({ method: "POST", path, body, signal });
    await post("/api/v1/namespaces", { metadata: { name: namespace } });
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await post(accounts, { metadata: { name: "edge-drain" } });
    const { status } = (await post(`${accounts}/edge-drain/token`, { spec: {} })) as { status: { token: string } };
    await post(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      metadata: { name: "all" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" },
      subjects: [{ kind: "ServiceAccount", name: "edge-drain", namespace }],
    });
    const ca = (await readFile(join(pki, "ca.crt"))).toString("base64");
    const cluster = { server: `https://${proxy.host}:${proxy.port}`, "certificate-authority-data": ca };
    const login = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: { token: status.token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await using drain = patient(await connect({ kubeconfig: login }));
    // The API server hears of a new binding a moment after it was written. Asked past the proxy, which counts what it passes.
    const past = { ...login, clusters: [{ name: "c", cluster: { ...cluster, server: admin.server } }] };
    await using direct = patient(await connect({ kubeconfig: past }));
    const may = async (): Promise<boolean> => {
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const spec = { resourceAttributes: { namespace, verb: "create", resource: "configmaps" } };
      const review = (await direct.request({ method: "POST", path, body: { spec }, signal })) as Review;
      return review.status.allowed;
    };
    await seen(() => "the account may make ConfigMaps", may);
    await use({ proxy, drain, admin, namespace });
  },
});

const maps = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

const create = async ({ drain, namespace }: World, name: string, signal: AbortSignal): Promise<unknown> =>
  await drain.request({ method: "POST", path: maps(namespace), body: { metadata: { name } }, signal });

test("it passes calls on and knows who made them, in which order", async ({ world, signal }) => {
  const { proxy, drain, namespace } = world;
  await create(world, "one", signal);
  await drain.request({ method: "GET", path: maps(namespace), query: { resourceVersion: 0 }, signal });
  expect(proxy.calls.map(({ caller, n, method, path, query }) => [caller, n, method, path, query])).toEqual([
    ["drain", 1, "POST", maps(namespace), expect.stringContaining("timeout=")],
    ["drain", 2, "GET", maps(namespace), "resourceVersion=0"],
  ]);
  expect(proxy.calls[0]?.user).toBe(`system:serviceaccount:${namespace}:edge-drain`);
  expect(proxy.count("drain")).toBe(2);
  proxy.reset();
  expect(proxy.count("drain")).toBe(0);
});

test("a refusal comes at the call that was meant, once, with its Retry-After", async ({ world, signal }) => {
  const { proxy } = world;
  const fault = proxy.add({ kind: "status", status: 403, match: { caller: "drain", method: "POST" }, skip: 1 });
  await create(world, "first", signal);
  const refused = await create(world, "second", signal).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(KnownError);
  expect(refused).toMatchObject({ status: 403 });
  expect((await fault.hit).n).toBe(2);
  await create(world, "second", signal);
  expect(fault.hits).toBe(1);
});

test("an answer that is lost belongs to a change that was made, and a reset to one that was not", async ({
  world,
  signal,
}) => {
  const { proxy, admin, namespace } = world;
  proxy.add({ kind: "reset", after: "commit", match: { body: /made/ } });
  proxy.add({ kind: "reset", match: { body: /never/ } });
  await expect(create(world, "made", signal)).rejects.toBeInstanceOf(KnownError);
  await expect(create(world, "never", signal)).rejects.toBeInstanceOf(KnownError);
  const get = async (name: string) =>
    await admin.request({ method: "GET", path: `${maps(namespace)}/${name}`, signal });
  await expect(get("made")).resolves.toMatchObject({ metadata: { name: "made" } });
  await expect(get("never")).rejects.toMatchObject({ status: 404 });
});

test("what is held arrives when it is let go, though its caller has long gone", async ({ world, signal }) => {
  const { proxy, drain, admin, namespace } = world;
  const held = proxy.add({ kind: "hold", match: { method: "POST" } });
  const impatient = { method: "POST", path: maps(namespace), body: { metadata: { name: "late" } } } as const;
  await expect(drain.request({ ...impatient, signal, timeoutMs: 2_000 })).rejects.toBeInstanceOf(KnownError);
  const seen = admin.watch({ path: maps(namespace), query: { watch: true, resourceVersion: 0 }, signal });
  held.release();
  for await (const { object } of seen) {
    if ((object as { metadata: { name: string } }).metadata.name === "late") break;
  }
});

test("a watch streams through; a stale one is silent and its lists are old, until it is let go", async ({
  world,
  signal,
}) => {
  const { proxy, drain, admin, namespace } = world;
  // The one that a controller makes in each namespace, in its own time: from then on only ours come.
  const made = async (): Promise<boolean> =>
    await admin.request({ method: "GET", path: `${maps(namespace)}/kube-root-ca.crt`, signal }).then(
      () => true,
      () => false,
    );
  await seen(() => "the namespace is furnished", made);
  const list = async (query: Record<string, number>) =>
    (await drain.request({ method: "GET", path: maps(namespace), query, signal })) as { items: unknown[] };
  const nameOfNext = async (): Promise<string | undefined> => {
    const query = { watch: true, resourceVersion: 0, fieldSelector: "metadata.name=fresh" };
    for await (const { object } of drain.watch({ path: maps(namespace), query, signal }))
      return (object as { metadata: { name: string } }).metadata.name;
    return undefined;
  };
  const before = (await list({ resourceVersion: 0 })).items.length;
  const stale = proxy.add({ kind: "stale", match: { method: "GET" }, times: Infinity });
  await create(world, "fresh", signal);
  expect((await list({ resourceVersion: 0 })).items).toHaveLength(before);
  expect((await list({})).items).toHaveLength(before + 1);
  const silent = nameOfNext();
  await expect.poll(() => stale.hits).toBeGreaterThan(2);
  stale.release();
  expect(await silent).toBeUndefined();
  expect(await nameOfNext()).toBe("fresh");
});

test("something can happen while a call waits, by chance if wanted", async ({ world, signal }) => {
  const { proxy } = world;
  const seen: string[] = [];
  proxy.add({ kind: "do", run: ({ body }) => void seen.push(body), drop: true, match: { method: "POST" } });
  await expect(create(world, "dropped", signal)).rejects.toBeInstanceOf(KnownError);
  expect(seen).toEqual([expect.stringContaining("dropped")]);
  proxy.reset(() => 0.5);
  const rare = proxy.add({ kind: "status", status: 500, chance: 0.4, times: Infinity });
  const often = proxy.add({ kind: "status", status: 410, chance: 0.6, times: Infinity });
  await expect(create(world, "x", signal)).rejects.toMatchObject({ status: 410 });
  expect([rare.hits, often.hits]).toEqual([0, 1]);
});
