// The drain's memory belongs to the chart and is written at run time: nothing that Helm does to a release may wipe it.
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { CHART, type HelmVersion } from "../chart/helm.ts";

const VALUES = ["installCRDs=false", "ingress.ingressClass.create=false"].flatMap((one) => ["--set", one]);
const MARKED = { phase: "Draining", policy: "Retain" };
/** Without hooks nobody takes it away but the page for such uninstalls, by its label. */
const TRACE = (release: string): string => `${release}-ngrok-operator-rollback`;

test.for(["helm3", "helm4"] as const)(
  "%s leaves a marked drain state alone, whatever it does (F11)",
  async (version: HelmVersion) => {
    const bin = await binaries(() => {});
    const at = ["--kubeconfig", inject("kubeconfig"), "--namespace", `memory-${version}`];
    const helm = (...args: string[]): Promise<string> =>
      command(join(bin, version), [...args, ...at], { timeout: 180_000 });
    const kubectl = (...args: string[]): Promise<string> =>
      command(join(bin, "kubectl"), [...args, ...at], { timeout: 180_000 });
    const data = async (): Promise<unknown> => {
      const { data: found } = JSON.parse(
        await kubectl("get", "configmap", `${version}-ngrok-operator-drain-state`, "-o", "json"),
      );
      return found;
    };

    await helm("install", version, CHART, "--create-namespace", ...VALUES);
    expect(await data()).toBeUndefined();
    const patch = JSON.stringify({ data: MARKED });
    await kubectl("patch", "configmap", `${version}-ngrok-operator-drain-state`, "--type", "merge", "--patch", patch);

    await helm("upgrade", version, CHART, ...VALUES, "--set", "replicaCount=2");
    expect(await data()).toEqual(MARKED);
    const rolledBack = async (): Promise<string> =>
      await kubectl(
        "get",
        "configmaps",
        "-o",
        `jsonpath={.items[?(@.metadata.name=="${TRACE(version)}")].metadata.uid}`,
      );
    expect(await rolledBack()).toBe("");
    await helm("rollback", version, "1");
    expect(await data()).toEqual(MARKED);
    // By which a drain hook that starts late sees that its uninstall was taken back: anew each time.
    const once = await rolledBack();
    expect(once).not.toBe("");
    await helm("rollback", version, "1");
    expect(await rolledBack()).not.toBe(once);
    const rendered = await helm("get", "manifest", version);
    await command(join(bin, "kubectl"), ["apply", "--server-side", "--force-conflicts", "-f", "-", ...at], {
      input: rendered,
    });
    expect(await data()).toEqual(MARKED);

    await helm("uninstall", version, "--no-hooks");
    const kinds =
      "deployments,configmaps,secrets,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,jobs";
    expect(await kubectl("get", kinds, "--selector", `app.kubernetes.io/instance=${version}`, "-o", "name")).toBe(
      `configmap/${TRACE(version)}\n`,
    );
  },
);
