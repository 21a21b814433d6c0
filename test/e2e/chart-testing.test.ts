// chart-testing installs, tests and uninstalls the chart with every values file of chart/ci, one after the other, in a
// namespace that has what production asks for: the level restricted, and a quota.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { featuresOf } from "#scripts/demo/features.ts";
import { CA, startNgrok, valuesOf } from "#scripts/demo/fronts.ts";
import { testTools } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { residue } from "#test/support/residue.ts";
import { test } from "#test/support/scene.ts";
import { CHART, TOP } from "#test/support/stage.ts";

const KEY = "stand-in-key";
/** Enough for every pod of the fullest values and one hook beside them: a pod without requests or limits is refused. */
const QUOTA = {
  "requests.cpu": "1",
  "requests.memory": "1Gi",
  "limits.cpu": "16",
  "limits.memory": "4Gi",
  pods: "10",
  persistentvolumeclaims: "0",
};

test("ct install takes the chart through install, test and uninstall with every values file of chart/ci, restricted and under a quota", async ({
  scene,
}) => {
  const { stage } = scene;
  const { kubectl, cluster } = stage;
  const { bin, kubeconfig, hostIp } = cluster;
  const { ways } = featuresOf("agent,bindings");
  await using ngrok = await startNgrok(ways, { host: hostIp, name: hostIp }, KEY);
  const { api, fronts } = ngrok;
  const own = api.objects("endpoints").map(({ id }) => id);
  const config = parse(await readFile(join(TOP, "ct.yaml"), "utf8")) as { namespace: string };
  await kubectl.apply(namespaceOf(config.namespace, fronts.edge?.ca ?? ""));
  const { "agent.enabled": _agents, "bindings.enabled": _bindings, ...reach } = valuesOf(fronts);
  const account = { "credentials.apiKey": KEY, "credentials.authtoken": "unused" };
  const values = { ...reach, ...account, apiURL: `http://${hostIp}:${api.port}` };
  const sets = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const flags = [...stage.imageFlags.filter((flag) => flag !== "--set-string"), ...sets];
  const { bin: tools } = await testTools(() => {});
  const extra = ["--helm-extra-set-args", flags.map((value) => `--set ${value}`).join(" ")];
  const said = await command(
    join(tools, "ct"),
    ["install", "--config", "ct.yaml", "--all", ...extra, "--helm-extra-args", "--timeout 120s"],
    {
      cwd: TOP,
      env: { PATH: `${tools}:${bin}:${process.env["PATH"]}`, KUBECONFIG: kubeconfig },
      timeout: 400_000,
    },
  );

  expect(said).not.toContain("No chart changes detected");
  expect(said).toContain("All charts installed successfully");
  const files = readdirSync(join(CHART, "ci"));
  expect(files).toContain("default-values.yaml");
  for (const file of files) expect(said).toContain(`chart/ci/${file}`);
  // ct takes an uninstall that failed for a success.
  expect(said).not.toContain("Error deleting Helm release");
  expect((await residue(kubectl)).lines).toEqual([]);
  expect(api.objects("kubernetes_operators")).toEqual([]);
  expect(api.objects("endpoints").map(({ id }) => id)).toEqual(own);
  await kubectl.run(["delete", "namespace", config.namespace, "--wait=false"]);
});

function namespaceOf(name: string, ca: string): object[] {
  const level = (mode: string): string => `pod-security.kubernetes.io/${mode}`;
  const labels = { [level("enforce")]: "restricted", [level("warn")]: "restricted" };
  const at = (own: string): object => ({ name: own, namespace: name });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } },
    { apiVersion: "v1", kind: "ResourceQuota", metadata: at("tight"), spec: { hard: QUOTA } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: at(CA), data: { "ca.crt": ca } },
  ];
}
