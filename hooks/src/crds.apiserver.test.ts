// One install owns the CRDs and would take them along (crds.keep=false). While somebody else depends on them it is refused,
// nothing has changed then, and what the refusal prints works when it is typed: here it is typed, into a shell.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { KubeObject } from "#kube/kind.ts";
import { aDomain } from "#test/support/builders.ts";
import { HELMS, type HelmVersion } from "#test/support/helm.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";

let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
  await cluster.kubectl.run(["create", "namespace", "shop-a"]);
  await cluster.kubectl.run(["create", "namespace", "shop-b"]);
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** The release with the CRDs in it, watching shop-a. */
async function owner(helm: HelmVersion): Promise<Release> {
  const values = { "crds.keep": false, "ingress.watchNamespace": "shop-a" };
  return await cluster.install({ name: "owner", namespace: "ops-a", helm, values });
}

async function settle(namespace: string, name: string): Promise<void> {
  const population = aPopulation(3, { namespaces: [namespace], name });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 180_000, signal: cluster.signal });
}

/** The uninstall is refused with this reason; what the hook printed after it. */
async function refused(release: Release, reason: RegExp): Promise<readonly string[]> {
  const run = await release.uninstall();
  const log = cluster.log(release, "drain");
  expect(run.code, run.stderr).not.toBe(0);
  expect(log).toMatch(reason);
  expect(log).toContain("Nothing was changed");
  return log.split("\n").flatMap((line) => (/ remedy +(.*)/.exec(line) ?? []).slice(1));
}

/** No mark, and the operator still works. */
async function nothingHasChanged(name: string): Promise<void> {
  const state = ["-n", "ops-a", "get", "configmap", "owner-ngrok-operator-drain-state", "-o", "jsonpath={.data}"];
  expect(await cluster.kubectl.run(state)).toBe("");
  await settle("shop-a", name);
}

async function crds(): Promise<number> {
  const all = await cluster.kubectl.run(["get", "crds", "-o", "name"]);
  return all.split("\n").filter((name) => name.endsWith(".k8s.ngrok.com")).length;
}

test.for(HELMS)(
  "Helm %s: an owner of the CRDs is refused while another install lives on them, and its three commands work as printed (F6)",
  async (helm) => {
    const release = await owner(helm);
    const values = { installCRDs: false, "ingress.watchNamespace": "shop-b", "ingress.ingressClass.create": false };
    const guest = await cluster.install({ name: "guest", namespace: "ops-b", helm: 4, values });
    await settle("shop-a", `a${helm}`);
    await settle("shop-b", `b${helm}`);

    const remedies = await refused(
      release,
      /refused +this release owns the CRDs .* the install ops-b\/guest still needs/,
    );
    await nothingHasChanged(`late${helm}`);
    const commands = remedies.filter((line) => line.startsWith("helm "));
    expect(commands).toHaveLength(3);
    for (const command of commands) await cluster.type(helm, command);

    expect(await cluster.kubectl.run(["-n", "ops-a", "get", "deployments,kubernetesoperators", "-o", "name"])).toBe("");
    expect(await crds()).toBe(7);
    await settle("shop-b", `after${helm}`);
    expect((await guest.uninstall()).code).toBe(0);
    await forget();
  },
);

test("the owner and another install uninstalled at once: at the latest the same command again takes the CRDs along, each keeps its policy (F6)", async () => {
  const release = await owner(3);
  const itself = { drainPolicy: "Delete", installCRDs: false };
  const values = { ...itself, "ingress.watchNamespace": "shop-b", "ingress.ingressClass.create": false };
  const guest = await cluster.install({ name: "guest", namespace: "ops-b", helm: 4, values });
  await settle("shop-a", "once-a");
  await settle("shop-b", "once-b");

  const [first, other] = await Promise.all([release.uninstall(), guest.uninstall()]);

  expect(other.code, `${other.stderr}\n${cluster.log(guest, "drain")}`).toBe(0);
  // Whether the other one is still there when the owner looks is a matter of the moment.
  const said = cluster.log(release, "drain");
  const isRefused = /ops-b\/guest still needs them\. Nothing was changed/.test(said);
  expect(first.code === 0 || isRefused, said).toBe(true);
  const last = first.code === 0 ? first : await release.uninstall();
  expect(last.code, `${last.stderr}\n${cluster.log(release, "drain")}`).toBe(0);
  expect(await crds()).toBe(0);
  const kept = cluster.api.objects("reserved_domains").map(({ domain }) => domain);
  expect(kept).toContain("once-a-2.ngrok.app");
  expect(kept).not.toContain("once-b-2.ngrok.app");
});

describe("without any other install", () => {
  test("a custom resource that another release has stamped is a reason too, and the commands keep it (F6, F18)", async () => {
    const release = await owner(4);
    await aDomainOf({ annotations: { [DRAIN_OWNER]: "elsewhere/other" } });

    const remedies = await refused(release, /domain shop-b\/theirs of elsewhere\/other still needs them/);
    await nothingHasChanged("stamped");
    for (const command of remedies.filter((line) => line.startsWith("helm "))) await cluster.type(4, command);

    expect(await crds()).toBe(7);
    expect((await theDomain())?.metadata.annotations?.[DRAIN_OWNER]).toBe("elsewhere/other");
    await forget();
  });

  test("one with our finalizer of which nobody can say whose it is would hang in them: it is named, and claimed by the printed command (F6, F18)", async () => {
    const release = await owner(3);
    await aDomainOf({ finalizers: [FINALIZER] });

    const remedies = await refused(release, /domain shop-b\/theirs carries our finalizer and does not say whose it is/);
    await nothingHasChanged("unstamped");
    const [claim = ""] = remedies.flatMap((line) => (/(kubectl .*)/.exec(line) ?? []).slice(1));
    await cluster.type(3, claim);
    const run = await release.uninstall();

    expect(run.code, cluster.log(release, "drain")).toBe(0);
    expect(await crds()).toBe(0);
  });
});

test.for(HELMS)(
  "Helm %s: CRDs that an uninstall kept are Helm's by the old name; a reinstall under another name takes them over when told to (F17)",
  async (helm) => {
    const values = { "ingress.watchNamespace": "shop-a" };
    const old = await cluster.install({ name: `old${helm}`, namespace: "ops-a", helm, values });
    expect((await old.uninstall()).code).toBe(0);
    const heir = `helm install heir${helm} $CHART -n ops-b --create-namespace --set ingress.watchNamespace=shop-b`;
    await expect(cluster.type(helm, heir)).rejects.toThrow("cannot be imported into the current release");

    await cluster.type(helm, `${heir} --take-ownership`);

    await cluster.type(helm, `helm uninstall heir${helm} -n ops-b`);
    expect(await crds()).toBe(7);
    await forget();
  },
);

async function aDomainOf(metadata: Partial<KubeObject["metadata"]>): Promise<void> {
  const domain = aDomain({ metadata: { name: "theirs", namespace: "shop-b", ...metadata } });
  await cluster.write.create(Domain, domain, cluster.signal);
}

async function theDomain(): Promise<KubeObject | undefined> {
  return await cluster.read.get(Domain, { name: "theirs", namespace: "shop-b" }, cluster.signal);
}

/** What a story keeps goes before the next one. */
async function forget(): Promise<void> {
  const names = (await cluster.kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  await cluster.kubectl.run(["delete", ...names.filter((name) => name.endsWith(".k8s.ngrok.com"))]);
}
