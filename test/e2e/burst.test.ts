// Users do not stop because somebody uninstalls: Ingresses come, change and go all through the drain, and none of it sticks,
// is lost, or is made at ngrok once more.
import { expect } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { IngressObject } from "#kube/kinds.ts";
import { collectionOf, createAll } from "#test/support/create-all.ts";
import { ingress, service } from "#test/support/routing-parts.ts";
import { type Scene, test } from "#test/support/scene.ts";
import { systemClock } from "#wire/clock.ts";

const CHANGES = 300;
/** Ingresses that are there before, in three parts: those that change, those that go, and those that stay as they are. */
const PART = 40;

test(`a drain in a burst of ${CHANGES} changes of Ingresses ends with nothing left, and what users wrote stands (W2, W7, F14)`, async ({
  scene,
}) => {
  const { stage, namespaces, connection, signal, ngrok } = scene;
  const { kubectl } = stage;
  const [shop] = namespaces;
  const release = await scene.install({ values: { drainPolicy: "Delete" } });
  await kubectl.run(["create", "namespace", shop]);
  const names = (what: string, count = PART): string[] => Array.from({ length: count }, (_, at) => `${what}-${at}`);
  const there = ["changes", "goes", "stays"].flatMap((what) => names(what));
  await createAll(connection, [service(shop, "web"), ...there.map((name) => ingressFor(shop, name))], signal);
  await expect.poll(async () => await held(scene, shop), { interval: 500, timeout: 180_000 }).toBe(there.length);
  const newcomers = names("comes", CHANGES - 3 * PART);

  const wanted = new Map(there.map((name) => [name, "/"]));
  const path = collectionOf(ingressFor(shop, "any"));
  const ask = async (method: "PATCH" | "POST" | "DELETE", at: string, body?: unknown): Promise<unknown> =>
    await connection.request({
      method,
      path: `${path}${at}`,
      ...(body === undefined ? {} : { body }),
      ...(method === "PATCH" ? { contentType: "application/json-patch+json" } : {}),
      signal,
    });
  const change = async (name: string, to: string): Promise<void> => {
    await ask("PATCH", `/${name}`, [{ op: "replace", path: "/spec/rules/0/http/paths/0/path", value: to }]);
    wanted.set(name, to);
  };
  const burst: (() => Promise<void>)[] = mixed([
    names("changes").map((name) => async () => await change(name, "/first")),
    names("changes").map((name) => async () => await change(name, "/second")),
    names("goes").map((name) => async () => {
      await ask("DELETE", `/${name}`);
      wanted.delete(name);
    }),
    newcomers.map((name) => async () => {
      await ask("POST", "", ingressFor(shop, name));
      wanted.set(name, "/");
    }),
  ]);
  expect(burst).toHaveLength(CHANGES);

  // A third is done when the uninstall begins, and the rest goes on through all of it.
  await inOrder(burst.slice(0, CHANGES / 3));
  const [run] = await Promise.all([release.uninstall(), paced(burst.slice(CHANGES / 3))]);

  expect(run.code, run.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  const { items } = await kubectl.json<{ items: IngressObject[] }>(["-n", shop, "get", "ingresses"]);
  const left = items.map(({ metadata, spec }) => [metadata.name, spec?.rules?.[0]?.http?.paths[0]?.path ?? ""]);
  expect(Object.fromEntries(left)).toEqual(Object.fromEntries(wanted));
  for (const { metadata } of items) {
    expect(metadata.finalizers ?? []).toEqual([]);
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.includes("drain-owner"))).toEqual([]);
  }
});

function ingressFor(namespace: string, name: string): KubeObject {
  const backend = { service: { name: "web", port: { number: 80 } } };
  return ingress(namespace, name, { paths: [{ path: "/", pathType: "Prefix", backend }] });
}

async function held({ stage }: Scene, namespace: string): Promise<number> {
  const { items } = await stage.kubectl.json<{ items: KubeObject[] }>(["-n", namespace, "get", "ingresses"]);
  return items.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0).length;
}

/** One of each list after the other, each list in its order. */
function mixed<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

async function inOrder(work: readonly (() => Promise<void>)[]): Promise<void> {
  for (const one of work) await one();
}

/** Over the time that an uninstall takes, about: three changes, then a breath. */
async function paced(work: readonly (() => Promise<void>)[]): Promise<void> {
  for (const [at, one] of work.entries()) {
    await one();
    // A pace, not a wait: nothing is looked at afterwards.
    if (at % 3 === 2) await systemClock.sleep(100);
  }
}
