// Two installs in one cluster, each with its own namespace to watch: whatever the order in which they come and go, neither
// touches what is the other's. Helm, the operators and the hooks are real (test/support/nodeless.ts).
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { aGatewayClass, anIngress } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";
import { residue } from "#test/support/residue.ts";

const COUNT = 6;
let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
  await Promise.all([installCrds(cluster.connection), cluster.gatewayApi()]);
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

type Name = "a" | "b";
type Policy = "Retain" | "Delete";

/** Each order of coming with each order of going; each policy first, last and at the same time as the other. */
const stories = [
  { come: ["a", "b"], go: "a then b", policies: { a: "Retain", b: "Delete" } },
  { come: ["a", "b"], go: "b then a", policies: { a: "Delete", b: "Delete" } },
  { come: ["a", "b"], go: "both at once", policies: { a: "Delete", b: "Retain" } },
  { come: ["b", "a"], go: "a then b", policies: { a: "Delete", b: "Retain" } },
  { come: ["b", "a"], go: "b then a", policies: { a: "Retain", b: "Retain" } },
  { come: ["b", "a"], go: "both at once", policies: { a: "Delete", b: "Delete" } },
] as const;

test.for(stories)(
  "$come.0 comes first, gone are $go, a by $policies.a and b by $policies.b: each frees its own alone (F18, F19)",
  async ({ come, go, policies }) => {
    const id = crypto.randomUUID().slice(0, 4);
    const installs = new Map<Name, Install>();
    for (const name of come) installs.set(name, await install(name, id, policies[name]));
    const [one, other] = (["a", "b"] as const)
      .toSorted((left) => (go.startsWith("b") === (left === "b") ? -1 : 1))
      .map((name) => installs.get(name));
    if (one === undefined || other === undefined) throw new Error("two installs were made");

    if (go === "both at once") await Promise.all([uninstall(one), uninstall(other)]);
    else await oneAfterTheOther(one, other);

    for (const { id: population, policy } of [one, other])
      expect(remoteOf(population).length > 0, `${policy} at ngrok`).toBe(policy === "Retain");
    expect((await residue(cluster.kubectl)).lines.filter((line) => line.includes(id))).toEqual([]);
  },
);

/** Nothing of the other changes when one goes, and it works on. */
async function oneAfterTheOther(one: Install, other: Install): Promise<void> {
  const before = await ofTheOther(other);
  await uninstall(one);
  const after = butForItsCounts(await ofTheOther(other), before);
  expect(after).toEqual(before);
  const { name, namespace } = other.release;
  const owned = `left      ${COUNT} objects, .*: another install owns them: ${namespace}/${name}\n`;
  expect(cluster.log(one.release, "drain")).toMatch(new RegExp(owned));
  await settle(other, 3, `late-${other.id}`);
  await uninstall(other);
}

test("two that watch all namespaces with classes of their own: each object has one owner, and what has none or two goes with the last (F18, F19)", async () => {
  const id = crypto.randomUUID().slice(0, 4);
  const shop = `shop-${id}`;
  await cluster.kubectl.run(["create", "namespace", shop]);
  const everywhere = async (name: Name): Promise<Release> =>
    await cluster.install({
      name: `${name}-${id}`,
      namespace: `ops-${name}-${id}`,
      values: { installCRDs: false, "ingress.ingressClass.name": `class-${name}-${id}` },
    });
  const [a, b] = [await everywhere("a"), await everywhere("b")];
  await cluster.kubectl.run([
    "-n",
    a.namespace,
    "scale",
    `deployment/${a.name}-ngrok-operator-manager`,
    "--replicas=0",
  ]);
  const stamped = (release: Release) => ({ [DRAIN_OWNER]: `${release.namespace}/${release.name}` });
  const held = { namespace: shop, finalizers: [FINALIZER] };
  const spec = { ingressClassName: `class-b-${id}` };
  await cluster.kubectl.apply([
    // Of a broken install; its class was changed to the other's, which serves it as soon as it is free.
    anIngress({ metadata: { ...held, name: "moved", annotations: stamped(a) }, spec }),
    // Of the time before stamps, so it may be either's.
    anIngress({ metadata: { ...held, name: "unstamped" } }),
    aGatewayClass({
      metadata: { name: `ngrok-${id}`, finalizers: [GATEWAY_CLASS_FINALIZER], annotations: stamped(a) },
    }),
  ]);
  const finalizers = async (object: string): Promise<string> =>
    await cluster.kubectl.run(["-n", shop, "get", object, "-o", "jsonpath={.metadata.finalizers}"]);

  await uninstall({ id, release: a, policy: "Retain", shop });

  const stamp = `jsonpath={.metadata.annotations.${DRAIN_OWNER.replaceAll(".", "\\.")}}`;
  const moved = async (): Promise<string> =>
    await cluster.kubectl.run(["-n", shop, "get", "ingress/moved", "-o", stamp]);
  await expect.poll(moved).toBe(`${b.namespace}/${b.name}`);
  expect(await finalizers("ingress/unstamped")).toContain(FINALIZER);
  expect(await finalizers(`gatewayclass/ngrok-${id}`)).toContain(GATEWAY_CLASS_FINALIZER);
  const log = cluster.log(a, "drain");
  const owner = `${b.namespace}/${b.name}`;
  expect(log).toContain(
    `ingress ${shop}/unstamped: it carries our finalizer, but no stamp and no label says whose it is, and ${owner} may own it`,
  );
  expect(log).toContain(`gatewayclass ngrok-${id}: ${owner} may serve Gateway API with it`);

  await uninstall({ id, release: b, policy: "Retain", shop });
  expect(await finalizers("ingress/moved")).toBe("");
  expect(await finalizers("ingress/unstamped")).toBe("");
  expect(await finalizers(`gatewayclass/ngrok-${id}`)).toBe("");
});

test("two classes, both by Delete and uninstalled at once: the Ingresses stay without our finalizer, and all that was made of them goes (F18, F19)", async () => {
  const id = crypto.randomUUID().slice(0, 4);
  const shop = `shop-${id}`;
  await cluster.kubectl.run(["create", "namespace", shop]);
  const names = ["a", "b"] as const;
  const releases = await Promise.all(
    names.map(
      async (name) =>
        await cluster.install({
          name: `${name}-${id}`,
          namespace: `ops-${name}-${id}`,
          helm: name === "a" ? 3 : 4,
          values: { drainPolicy: "Delete", installCRDs: false, "ingress.ingressClass.name": `class-${name}-${id}` },
        }),
    ),
  );
  await cluster.kubectl.apply(names.flatMap((name) => aSite(name, id, shop)));
  const live = ["wait", "cloudendpoints", "--all", "--for=condition=Ready", "--timeout=150s"];
  await expect
    .poll(async () => await cluster.kubectl.run(["-n", shop, "get", "cloudendpoints", "-o", "name"]), {
      timeout: 120_000,
    })
    .toMatch(/(.+\n){2}/);
  await cluster.kubectl.run(["-n", shop, ...live]);
  expect(names.map((name) => remoteOf(`${name}-${id}.example.com`).length > 0)).toEqual([true, true]);

  await Promise.all(releases.map(async (release) => await uninstall({ id, release, policy: "Delete", shop })));

  const { items } = await cluster.kubectl.json<{ items: KubeObject[] }>(["-n", shop, "get", "ingresses"]);
  expect(items.map(({ metadata }) => [metadata.name, metadata.finalizers])).toEqual([
    ["site-a", undefined],
    ["site-b", undefined],
  ]);
  expect(names.flatMap((name) => remoteOf(`${name}-${id}.example.com`))).toEqual([]);
  expect((await residue(cluster.kubectl)).lines.filter((line) => line.includes(id))).toEqual([]);
});

/** A user's Ingress of one install's class, and what it leads to. */
function aSite(name: Name, id: string, shop: string): KubeObject[] {
  const metadata = { name: `site-${name}`, namespace: shop };
  const backend = { service: { name: `site-${name}`, port: { number: 80 } } };
  const rule = { host: `${name}-${id}.example.com`, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } };
  const spec = { ingressClassName: `class-${name}-${id}`, rules: [rule] };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } } as KubeObject,
    anIngress({
      metadata: { ...metadata, annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } },
      spec,
    } as Parameters<typeof anIngress>[0]),
  ];
}

interface Install {
  readonly id: string;
  readonly release: Release;
  readonly policy: Policy;
  /** The namespace that it watches. */
  readonly shop: string;
}

/** An install with objects of its own, all of them at ngrok. */
async function install(name: Name, id: string, policy: Policy): Promise<Install> {
  const shop = `shop-${name}-${id}`;
  await cluster.kubectl.run(["create", "namespace", shop]);
  const release = await cluster.install({
    name: `${name}-${id}`,
    namespace: `ops-${name}-${id}`,
    helm: name === "a" ? 3 : 4,
    values: {
      drainPolicy: policy,
      installCRDs: false,
      "ingress.watchNamespace": shop,
      "ingress.ingressClass.create": false,
    },
  });
  const made = { id: `${name}-${id}`, release, policy, shop };
  await settle(made, COUNT, made.id);
  // Its last word for now: then nothing of it changes any more but its counts.
  const told = ["wait", "--for=condition=UninstallReady", `kubernetesoperator/${release.name}`, "--timeout=150s"];
  await cluster.kubectl.run(["-n", release.namespace, ...told]);
  return made;
}

async function settle({ shop }: Install, count: number, name: string): Promise<void> {
  const population = aPopulation(count, { namespaces: [shop], name });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 180_000, signal: cluster.signal });
}

async function uninstall({ release, policy }: Install): Promise<void> {
  const run = await release.uninstall();
  expect(run.code, `${run.stderr}\n${cluster.log(release, "drain")}`).toBe(0);
  expect(cluster.log(release, "drain")).toContain(`policy ${policy}`);
}

/** What an install has in the cluster and at ngrok, to the last resourceVersion. */
interface Belongings {
  readonly objects: readonly KubeObject[];
  readonly remote: readonly unknown[];
}

async function ofTheOther({ shop, release, id }: Install): Promise<Belongings> {
  const kinds = "cloudendpoints,domains,ippolicies,kubernetesoperators,configmaps,secrets,roles,rolebindings";
  const inNamespace = async (namespace: string): Promise<KubeObject[]> =>
    (await cluster.kubectl.json<{ items: KubeObject[] }>(["-n", namespace, "get", kinds])).items;
  return { objects: [...(await inNamespace(shop)), ...(await inNamespace(release.namespace))], remote: remoteOf(id) };
}

/**
 * The same without what the install's own leader says meanwhile: a minute after its first word it tells what Delete would take,
 * which on a busy machine falls between the two looks. Who has nothing else to say leaves the rest of the object as it was.
 */
function butForItsCounts({ objects, remote }: Belongings, before: Belongings): Belongings {
  const countsOf = (object: KubeObject | undefined): unknown =>
    (object as KubernetesOperator | undefined)?.status?.underDelete;
  const same = objects.map((object): KubeObject => {
    const was = before.objects.find(({ metadata }) => metadata.uid === object.metadata.uid);
    if (object.kind !== KubernetesOperator.kind || was === undefined) return object;
    if (isDeepStrictEqual(countsOf(object), countsOf(was))) return object;
    const metadata = { ...object.metadata, resourceVersion: was.metadata.resourceVersion };
    const status = { ...(object as KubernetesOperator).status, underDelete: countsOf(was) };
    return { ...object, metadata, status } as KubeObject;
  });
  return { objects: same, remote };
}

/** What was made at ngrok for the objects of this population. */
function remoteOf(name: string): readonly unknown[] {
  const all = ["endpoints", "reserved_domains", "ip_policies"] as const;
  return all
    .flatMap((kind) => [...cluster.api.objects(kind)] as unknown[])
    .filter((object) => JSON.stringify(object).includes(name));
}
