// Two installs in one cluster, each with its own namespace to watch: whatever the order in which they come and go, neither
// touches what is the other's. Helm, the operators and the hooks are real (test/support/nodeless.ts).
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { installCrds } from "#test/support/crds.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";
import { residue } from "#test/support/residue.ts";

const COUNT = 6;
let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
  await installCrds(cluster.connection);
}, 60_000);
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
  { timeout: 120_000 },
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
  const after = await ofTheOther(other);
  expect(after).toEqual(before);
  const { name, namespace } = other.release;
  const owned = `left      ${COUNT} objects, .*: another install owns them: ${namespace}/${name}\n`;
  expect(cluster.log(one.release, "drain")).toMatch(new RegExp(owned));
  await settle(other, 3, `late-${other.id}`);
  await uninstall(other);
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
  return made;
}

async function settle({ shop }: Install, count: number, name: string): Promise<void> {
  const population = aPopulation(count, { namespaces: [shop], name });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 20_000, signal: cluster.signal });
}

async function uninstall({ release, policy }: Install): Promise<void> {
  const run = await release.uninstall();
  expect(run.code, `${run.stderr}\n${cluster.log(release, "drain")}`).toBe(0);
  expect(cluster.log(release, "drain")).toContain(`policy ${policy}`);
}

/** What an install has in the cluster and at ngrok, to the last resourceVersion. */
async function ofTheOther({ shop, release, id }: Install): Promise<unknown> {
  const kinds = "cloudendpoints,domains,ippolicies,kubernetesoperators,configmaps,secrets,roles,rolebindings";
  const inNamespace = async (namespace: string): Promise<KubeObject[]> =>
    (await cluster.kubectl.json<{ items: KubeObject[] }>(["-n", namespace, "get", kinds])).items;
  return [await inNamespace(shop), await inNamespace(release.namespace), remoteOf(id)];
}

/** What was made at ngrok for the objects of this population. */
function remoteOf(name: string): readonly unknown[] {
  const all = ["endpoints", "reserved_domains", "ip_policies"] as const;
  return all
    .flatMap((kind) => [...cluster.api.objects(kind)] as unknown[])
    .filter((object) => JSON.stringify(object).includes(name));
}
