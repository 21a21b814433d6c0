// The chart's monitors and rules before an API server that has the Prometheus operator's own kinds: every field is one of theirs,
// and none is dropped.
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { prometheusCrds } from "#tools/prometheus-crds.ts";
import { objects } from "../chart/helm.ts";

const NAMESPACE = "monitors";
const monitor = JSON.stringify({
  enabled: true,
  interval: "30s",
  labels: { release: "prometheus" },
  relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node", action: "replace" }],
});

async function kubectl(args: readonly string[], input = ""): Promise<string> {
  const program = join(await binaries(() => {}), "kubectl");
  return await command(program, ["--kubeconfig", inject("kubeconfig"), ...args], { input, timeout: 180_000 });
}

async function made(kind: string, json: readonly string[]): Promise<KubeObject> {
  const rendered = (await objects({ namespace: NAMESPACE, json })).filter((object) => object.kind === kind);
  expect(rendered.map(({ metadata }) => metadata.name)).toEqual(["edge-ngrok-operator"]);
  return rendered[0] as KubeObject;
}

beforeAll(async () => {
  const crds = await prometheusCrds((line) => void process.stderr.write(`${line}\n`));
  const files = crds.flatMap((file) => ["-f", file]);
  await kubectl(["apply", "--server-side", ...files]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...files]);
  await kubectl(["create", "namespace", NAMESPACE]);
});

afterAll(async () => {
  const crds = await prometheusCrds(() => {});
  await kubectl(["delete", "--wait=false", "namespace", NAMESPACE]);
  await kubectl(["delete", "--wait=false", ...crds.flatMap((file) => ["-f", file])]);
});

const cases = [
  ["PodMonitor", [`metrics.podMonitor=${monitor}`]],
  ["ServiceMonitor", [`metrics.serviceMonitor=${monitor}`]],
  ["PrometheusRule", [`metrics.rules={"enabled":true,"labels":{"release":"prometheus"}}`]],
] as const;

test.for(cases)("%s: taken as it is rendered, without a warning, and kept whole", async ([kind, json]) => {
  const object = await made(kind, json);
  await kubectl(["create", "--validate=strict", "--warnings-as-errors", "-f", "-"], JSON.stringify(object));
  const { metadata } = object;
  const kept = JSON.parse(await kubectl(["-n", NAMESPACE, "get", kind, metadata.name, "-o", "json"])) as KubeObject;
  expect(kept).toMatchObject(object);
});

test("a field that the kind does not have is refused", async () => {
  const object = JSON.stringify(await made(...cases[0])).replace("podMetricsEndpoints", "podMetricEndpoints");
  await expect(kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], object)).rejects.toThrow(
    /podMetricEndpoints/,
  );
});
