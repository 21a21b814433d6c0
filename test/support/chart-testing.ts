// chart-testing on a cluster, whoever provides it: every values file of chart/ci through install, test and uninstall, in a
// namespace that has what production asks for, the level restricted and a quota.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { featuresOf } from "#scripts/demo/features.ts";
import { CA, startNgrok, valuesOf } from "#scripts/demo/fronts.ts";
import { testTools } from "#tools/binaries.ts";
import type { Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import type { NgrokApi } from "./ngrok-api/server.ts";
import { type Stage, TOP } from "./stage.ts";

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

/** A bound for what hangs: of each file install, test and uninstall, on a machine that has other things to do as well. */
const WITHIN_MS = 1_500_000;

/** What `ct install` printed, and ngrok as it is afterwards; `before` are the ids of the endpoints that were there. */
export interface Tested {
  readonly said: string;
  readonly api: Pick<NgrokApi, "objects">;
  readonly before: readonly unknown[];
}

/** Runs `ct install` to its end and hands what came of it to `judge`; the namespace of ct.yaml goes afterwards. */
export async function chartTesting(stage: Stage, tell: Tell, judge: (tested: Tested) => Promise<void>): Promise<void> {
  const { cluster, kubectl } = stage;
  const { bin, kubeconfig, hostIp } = cluster;
  await using ngrok = await startNgrok(featuresOf("agent,bindings").ways, { host: hostIp, name: hostIp }, KEY);
  const { api, fronts } = ngrok;
  const before = api.objects("endpoints").map(({ id }) => id);
  const { namespace } = parse(await readFile(join(TOP, "ct.yaml"), "utf8")) as { namespace: string };
  const { "agent.enabled": _agents, "bindings.enabled": _bindings, ...reach } = valuesOf(fronts);
  const account = { "credentials.apiKey": KEY, "credentials.authtoken": "unused" };
  const values = { ...reach, ...account, apiURL: `http://${hostIp}:${api.port}` };
  const sets = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const flags = [...stage.imageFlags.filter((flag) => flag !== "--set-string"), ...sets];
  const extra = ["--helm-extra-set-args", flags.map((value) => `--set ${value}`).join(" ")];
  const { bin: tools } = await testTools(tell);
  await kubectl.apply(namespaceOf(namespace, fronts.edge?.ca ?? ""));
  try {
    const args = ["install", "--config", "ct.yaml", "--all", ...extra, "--helm-extra-args", "--timeout 300s"];
    const env = { PATH: `${tools}:${bin}:${process.env["PATH"]}`, KUBECONFIG: kubeconfig };
    await judge({ said: await command(join(tools, "ct"), args, { cwd: TOP, env, timeout: WITHIN_MS }), api, before });
  } finally {
    await kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
  }
}

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
