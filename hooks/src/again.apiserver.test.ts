// The same command again is right, whatever Helm was told and however it ended: interrupted, with --keep-history, or where
// nearly everything is gone already. Helm, the operators and the hooks are real (test/support/nodeless.ts).
import { afterAll, beforeAll, expect, test } from "vitest";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { installCrds } from "#test/support/crds.ts";
import { HELMS, type HelmVersion } from "#test/support/helm.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";
import { residue } from "#test/support/residue.ts";

let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

test.for(HELMS)(
  "Helm %s: with operator, drain state, KubernetesOperator and all CRDs gone it finds nothing, and ends",
  async (helm) => {
    const at = { name: `bare${helm}`, namespace: `ops-bare${helm}` };
    const release = await cluster.install({ ...at, helm, values: { "crds.keep": false, drainPolicy: "Delete" } });
    const kubectl = async (...args: string[]): Promise<string> =>
      await cluster.kubectl.run(["-n", at.namespace, ...args]);
    await kubectl("scale", "deployment", "--all", "--replicas=0");
    await kubectl("wait", "--for=delete", "pod", "--all", "--timeout=150s");
    await kubectl("patch", "kubernetesoperator", at.name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}');
    await kubectl("delete", "deployment,configmap,kubernetesoperator", "-l", `app.kubernetes.io/instance=${at.name}`);
    await kubectl("delete", "kubernetesoperator", "--all");
    const crds = (await kubectl("get", "crds", "-o", "name"))
      .split("\n")
      .filter((name) => name.endsWith(".k8s.ngrok.com"));
    expect(crds).toHaveLength(7);
    await kubectl("delete", ...crds);

    const { code, stderr } = await release.uninstall();

    expect(code, `${stderr}\n${cluster.log(release, "drain")}`).toBe(0);
    expect(cluster.log(release, "drain")).toMatch(
      /unseen +the CustomResourceDefinitions of .*CloudEndpoint.* are gone, and their objects with them/,
    );
    // A state that nobody reads is not made anew: it would be left behind, marked.
    expect(
      await kubectl("get", "configmap,lease,job", "-l", `app.kubernetes.io/instance=${at.name}`, "-o", "name"),
    ).toBe("");
  },
);

test.for(HELMS)(
  "Helm %s: after a Ctrl-C in mid-drain the same command goes on, and nothing is deleted twice (E8)",
  async (helm) => {
    const { release, shop } = await anInstall("ctrl-c", helm);
    const match = { method: "DELETE", path: /^\/reserved_domains/ };
    const slow = cluster.api.faults.add({ kind: "latency", ms: 4_000, match, times: Infinity });
    const before = cluster.api.count("DELETE", "/reserved_domains", 204);
    const domains = cluster.api.objects("reserved_domains").length;
    const ctrlC = new AbortController();
    const first = release.uninstall([], { signal: ctrlC.signal });
    await expect.poll(() => slow.hits, { timeout: 180_000 }).toBeGreaterThan(0);

    ctrlC.abort();
    await expect(first).rejects.toThrow("aborted");
    const again = await release.uninstall();

    expect(again.code, `${again.stderr}\n${cluster.log(release, "drain")}`).toBe(0);
    slow.remove();
    expect(await left(shop)).toEqual([]);
    expect({
      remote: cluster.api.remote(),
      deleted: cluster.api.count("DELETE", "/reserved_domains", 204) - before,
    }).toEqual({ remote: 0, deleted: domains });
  },
);

test.for(HELMS)(
  "Helm %s: --keep-history drains like any uninstall, a rollback works anew, and the last uninstall leaves nothing",
  async (helm) => {
    const { release, shop } = await anInstall("history", helm);
    const kept = await release.uninstall(["--keep-history"]);
    expect(kept.code, kept.stderr).toBe(0);
    expect({ left: await left(shop), remote: cluster.api.remote() }).toEqual({ left: [], remote: 0 });

    await cluster.type(helm, `helm rollback ${release.name} 1 -n ${release.namespace}`);
    await release.ready();
    await settle(shop, "back");
    const last = await release.uninstall();

    expect(last.code, last.stderr).toBe(0);
    expect({ left: await left(shop), remote: cluster.api.remote() }).toEqual({ left: [], remote: 0 });
    const at = { name: release.name, namespace: release.namespace };
    expect(await cluster.read.get(KubernetesOperator, at, cluster.signal)).toBeUndefined();
  },
);

test.for(HELMS)(
  "Helm %s: an upgrade to Delete that failed is what a person asked for last: its policy holds, and its revision is named",
  async (helm) => {
    const { release, shop } = await anInstall("failed", helm, "Retain");
    const at = `${release.name} $CHART -n ${release.namespace} --reuse-values`;
    // What the upgrade adds is refused: Helm has written its revision down by then.
    const none = ["create", "quota", "none", "--hard=count/networkpolicies.networking.k8s.io=0"];
    await cluster.kubectl.run(["-n", release.namespace, ...none]);
    const upgrade = `helm upgrade ${at} --set drainPolicy=Delete --set networkPolicy.enabled=true`;
    await expect(cluster.type(helm, upgrade)).rejects.toThrow("UPGRADE FAILED");
    await cluster.kubectl.run(["-n", release.namespace, "delete", "quota", "none"]);
    expect(await cluster.type(helm, `helm history ${release.name} -n ${release.namespace}`)).toMatch(/2 .*failed/);

    const { code, stderr } = await release.uninstall();

    const log = cluster.log(release, "drain");
    expect(code, `${stderr}\n${log}`).toBe(0);
    expect(log).toMatch(/revision 2 policy Delete/);
    expect({ left: await left(shop), remote: cluster.api.remote() }).toEqual({ left: [], remote: 0 });
  },
);

/** With objects of its own, all of them at ngrok. */
async function anInstall(
  word: string,
  helm: HelmVersion,
  drainPolicy = "Delete",
): Promise<{ readonly release: Release; readonly shop: string }> {
  await installCrds(cluster.connection);
  const shop = `shop-${word}${helm}`;
  await cluster.kubectl.run(["create", "namespace", shop]);
  const values = {
    drainPolicy,
    installCRDs: false,
    "ingress.watchNamespace": shop,
    "ingress.ingressClass.create": false,
  };
  const release = await cluster.install({ name: `${word}${helm}`, namespace: `ops-${word}${helm}`, helm, values });
  await settle(shop, word);
  return { release, shop };
}

async function settle(namespace: string, name: string): Promise<void> {
  const population = aPopulation(6, { namespaces: [namespace], name });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 180_000, signal: cluster.signal });
}

async function left(shop: string): Promise<readonly string[]> {
  return (await residue(cluster.kubectl)).lines.filter((line) => line.includes(shop));
}
