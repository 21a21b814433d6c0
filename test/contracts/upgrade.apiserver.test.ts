// An upgrade from the version before, and the way back, as far as Helm and the API server have a say in it: each of Helm's
// three ways with values is taken, or refused with the one that works; no object is made anew on the way.
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { connect } from "#kube/connection.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { chartBefore } from "#test/support/chart-before.ts";
import { installCrds } from "#test/support/crds.ts";
import { patient } from "#test/support/patient.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { afterUninstall } from "#wire/fence.ts";
import { CHART, type HelmVersion } from "../chart/helm.ts";

// The CustomResourceDefinitions belong to the whole tier.
const OWN = { installCRDs: false, "ingress.ingressClass.create": false, "bindings.enabled": true };
const VALUES = Object.entries(OWN).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
const KINDS = "deployments,configmaps,secrets,serviceaccounts,roles,rolebindings";
const CLUSTER = "clusterroles,clusterrolebindings";

test.for(["helm3", "helm4"] as const)(
  "%s upgrades from the version before, rolls back and upgrades again, and every object stays the one that it was",
  async (version: HelmVersion, { signal }) => {
    const bin = await binaries(() => {});
    const at = ["--kubeconfig", inject("kubeconfig"), "--namespace", `upgrade-${version}`];
    const helm = (...args: string[]): Promise<string> =>
      command(join(bin, version), [...args, ...at], { timeout: 180_000 });
    const uids = async (): Promise<string[]> => {
      const mine = ["--selector", `app.kubernetes.io/instance=up-${version}`];
      const fields = "{.kind} {.metadata.name} {.metadata.uid} {.spec.selector.matchLabels}";
      const output = ["-o", `jsonpath={range .items[*]}${fields}{"\\n"}{end}`];
      const text = await command(join(bin, "kubectl"), ["get", `${KINDS},${CLUSTER}`, ...mine, ...output, ...at]);
      // What tells of a rollback is a hook's, made anew at each, and swept by the cleanup.
      const isTrace = (line: string): boolean => line.startsWith(`ConfigMap up-${version}-ngrok-operator-rollback `);
      return text
        .split("\n")
        .filter((line) => line !== "" && !isTrace(line))
        .toSorted();
    };
    const policy = async (): Promise<unknown> => {
      const deployment = ["get", "deployment", `up-${version}-ngrok-operator-manager`, "-o", "json"];
      const { spec } = JSON.parse(await command(join(bin, "kubectl"), [...deployment, ...at])) as Manager;
      return spec.template.spec.containers[0]?.args.find((arg) => arg.startsWith("--drain-policy="));
    };
    await using before = await chartBefore();
    const release = `up-${version}`;
    await helm("install", release, before.path, "--create-namespace", ...VALUES, "--set", "drainPolicy=Delete");
    const made = await uids();
    expect(made.filter((line) => line.startsWith("Deployment "))).toHaveLength(3);

    const reused = helm("upgrade", release, CHART, "--reuse-values");
    await expect(reused).rejects.toThrow(/missing property 'ngrokApi'[^]*--reset-then-reuse-values/);
    expect(await uids()).toEqual(made);

    await counted(`upgrade-${version}`, release, signal);
    const said = await helm("upgrade", release, CHART, "--reset-then-reuse-values");
    expect(said).toContain("Counted: 1 CloudEndpoint, 2 Domain (1 of the Domains at ngrok stay reserved).");
    expect([await uids(), await policy()]).toEqual([made, "--drain-policy=Delete"]);

    await helm("rollback", release, "1");
    expect([await uids(), await policy()]).toEqual([made, "--drain-policy=Delete"]);

    await helm("upgrade", release, CHART, ...VALUES);
    expect([await uids(), await policy()]).toEqual([made, "--drain-policy=Retain"]);
    await helm("uninstall", release, "--no-hooks");
    expect(await uids()).toEqual([]);
  },
);

/** The KubernetesOperator, with what the leader has counted. */
async function counted(namespace: string, name: string, signal: AbortSignal): Promise<void> {
  await using connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
  await installCrds(connection);
  const write = writer(connection, afterUninstall(signal));
  await write.create(KubernetesOperator, aKubernetesOperator({ metadata: { name, namespace } }), signal);
  const underDelete = { deleted: { CloudEndpoint: 1, Domain: 2 }, domainsKept: 1 };
  await applyStatus(connection, KubernetesOperator, { name, namespace }, { underDelete }, "leader", signal);
}

interface Manager {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } } };
}
