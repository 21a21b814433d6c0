// An install after an uninstall under Retain: under the same name everything is taken up again as it was, under another
// name nothing is taken, and people learn whose the objects are and how they are handed over.
import { afterAll, beforeAll, expect, test } from "vitest";
import { installCrds } from "#test/support/crds.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";
import { residue } from "#test/support/residue.ts";
import { systemClock } from "#wire/clock.ts";

const KINDS = "cloudendpoints,domains,ippolicies";
let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
  await installCrds(cluster.connection);
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

test("under the same name 200 objects keep the very ids that they had at ngrok, nothing is made twice, and Delete still ends it all (F17, F28)", async () => {
  const shop = await aNamespace();
  const first = await install("edge", shop);
  await settle(shop, 200);
  const ids = await remoteIds(shop);
  const made = madeAtNgrok();
  await uninstall(first);
  expect(await remoteIds(shop)).toEqual(ids);

  const second = await install("edge", shop);
  await claimed(shop);

  expect(await remoteIds(shop)).toEqual(ids);
  expect(new Set(ids).size).toBe(200);
  expect(madeAtNgrok()).toBe(made);
  const at = `edge $CHART -n ${second.namespace} --reset-then-reuse-values`;
  await cluster.type(4, `helm upgrade ${at} --set drainPolicy=Delete`);
  await uninstall(second);
  expect(cluster.api.remote()).toBe(0);
  expect((await residue(cluster.kubectl)).lines).toEqual([]);
});

test("under another name nothing is taken: each object says whose it is, and the printed command hands all of them over (F17, F18)", async () => {
  const shop = await aNamespace();
  await uninstall(await install("old", shop, { settled: 9 }));
  const ids = await remoteIds(shop);
  const made = madeAtNgrok();

  const heir = await install("heir", shop);
  const events = ["-n", shop, "get", "events.events.k8s.io", "-o"];
  const words = 'jsonpath={range .items[?(@.reason=="OwnedByAnotherRelease")]}{.note}{"\\n"}{end}';
  await expect.poll(async () => (await cluster.kubectl.run([...events, words])).trim().split("\n").length).toBe(9);
  const notes = await cluster.kubectl.run([...events, words]);
  expect(notes).toContain("belongs to release old-ns/old, which is not installed any more");
  expect(await finalizersOf(shop)).toBe("");
  const log = cluster.log(heir, "controller");
  const told = log.split("\n").filter((line) => line.includes("objects are left alone"));
  expect(told).toHaveLength(1);

  const { handOver } = JSON.parse(told[0] ?? "{}") as { handOver: string };
  await cluster.type(4, handOver);
  await claimed(shop);

  expect(await remoteIds(shop)).toEqual(ids);
  expect(madeAtNgrok()).toBe(made);
  await uninstall(heir);
  expect(cluster.log(heir, "drain")).toMatch(/done +9 objects/);
  expect(cluster.api.remote()).toBe(9);
  expect((await residue(cluster.kubectl)).lines).toEqual([]);
});

test("a copy that Git made in another namespace, stamp and all, is named by the install that watches there, and handed over alone (F18)", async () => {
  const [shop, copies] = [await aNamespace(), await aNamespace()];
  const a = await install("first", shop, { settled: 3 });
  const b = await install("second", copies);
  const exported = await cluster.kubectl.json<{ items: Exported[] }>(["-n", shop, "get", "domains"]);
  const [original] = exported.items;
  if (original === undefined) throw new Error("a domain was made");
  const { annotations } = original.metadata;
  const metadata = { name: "copy", namespace: copies, annotations };
  await cluster.kubectl.apply([{ ...original, metadata, spec: { domain: "copy.ngrok.app" }, status: undefined }]);

  await expect.poll(() => cluster.log(b, "controller"), { timeout: 180_000 }).toContain("does not serve it");
  const [line = "{}"] = cluster
    .log(b, "controller")
    .split("\n")
    .filter((one) => one.includes("does not serve it"));
  await cluster.type(3, (JSON.parse(line) as { handOver: string }).handOver);
  await cluster.kubectl.run(["-n", copies, "wait", "domain/copy", "--for=condition=Ready", "--timeout=150s"]);
  for (const release of [a, b]) await uninstall(release);
  expect((await residue(cluster.kubectl)).lines).toEqual([]);
});

interface Exported {
  readonly metadata: { readonly annotations?: Record<string, string> };
}

let namespaces = 0;

async function aNamespace(): Promise<string> {
  namespaces += 1;
  const name = `shop-${namespaces}`;
  await cluster.kubectl.run(["create", "namespace", name]);
  return name;
}

async function install(name: string, watch: string, { settled = 0 } = {}): Promise<Release> {
  const values = { installCRDs: false, "ingress.watchNamespace": watch, "ingress.ingressClass.create": false };
  const release = await cluster.install({ name, namespace: `${name}-ns`, values });
  if (settled > 0) await settle(watch, settled);
  return release;
}

async function settle(namespace: string, count: number): Promise<void> {
  const population = aPopulation(count, { namespaces: [namespace], name: namespace });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 180_000, signal: cluster.signal });
}

async function uninstall(release: Release): Promise<void> {
  const run = await release.uninstall();
  expect(run.code, `${run.stderr}${cluster.log(release, "drain")}`).toBe(0);
}

async function remoteIds(namespace: string): Promise<string[]> {
  const each = 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.status.id}{"\\n"}{end}';
  return (await cluster.kubectl.run(["-n", namespace, "get", KINDS, "-o", each])).split("\n").filter(Boolean);
}

async function finalizersOf(namespace: string): Promise<string> {
  return await cluster.kubectl.run(["-n", namespace, "get", KINDS, "-o", "jsonpath={.items[*].metadata.finalizers}"]);
}

/** Every object is ours again, and the operator has nothing more to ask of ngrok. */
async function claimed(namespace: string): Promise<void> {
  const held = "--for=jsonpath={.metadata.finalizers[0]}=k8s.ngrok.com/finalizer";
  await cluster.kubectl.run(["-n", namespace, "wait", held, KINDS, "--all", "--timeout=150s"], { timeout: 180_000 });
  for (let before = -1; before !== cluster.api.ledger.total; await systemClock.sleep(1_000))
    before = cluster.api.ledger.total;
}

function madeAtNgrok(): number {
  const paths = ["/endpoints", "/reserved_domains", "/ip_policies", "/ip_policy_rules"];
  return paths.reduce((sum, path) => sum + cluster.api.count("POST", path), 0);
}
