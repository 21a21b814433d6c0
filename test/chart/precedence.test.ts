// What people say wins over what the chart says by itself, also where it is false or empty, and no object says a thing
// twice: a YAML parser that is strict refuses the second (objects() is one).
import { expect, test } from "vitest";
import { leavesOf, valuesSchema } from "#scripts/generate/values-schema.ts";
import { objects, podsOf, type Rendered } from "./helm.ts";

const ON = ["agent.enabled=true", "bindings.enabled=true", "installCRDs=false"];
const MONITORS = ["podMonitor", "rules", "dashboard"].map((name) => `metrics.${name}`);

interface Template {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
}

function templates(all: readonly Rendered[]): Template[] {
  const found = all.flatMap(({ spec }) => (spec?.template === undefined ? [] : [spec.template as unknown as Template]));
  expect(found).toHaveLength(6);
  return found;
}

test("a label of all objects that pods have another of", async () => {
  const all = await objects({ set: [...ON, "commonLabels.team=edge", "podLabels.team=night"] });
  for (const { metadata } of all) expect(metadata.labels, metadata.name).toMatchObject({ team: "edge" });
  for (const { metadata } of templates(all)) expect(metadata.labels).toMatchObject({ team: "night" });
});

test("a label of all objects that monitors have another of", async () => {
  const set = ["commonLabels.release=edge", ...MONITORS.flatMap((name) => [`${name}.enabled=true`])];
  const all = await objects({ set: [...ON, ...set, ...MONITORS.map((name) => `${name}.labels.release=prometheus`)] });
  const monitors = all.filter(({ metadata }) => metadata.labels?.["release"] === "prometheus");
  expect(monitors.map(({ kind }) => kind).toSorted()).toEqual(["ConfigMap", "PodMonitor", "PrometheusRule"]);
});

test("a label of the chart's own", async () => {
  const json = ['commonLabels={"app.kubernetes.io/part-of":"platform"}'];
  for (const { metadata } of await objects({ set: ON, json })) {
    expect(metadata.labels, metadata.name).toMatchObject({ "app.kubernetes.io/part-of": "platform" });
  }
});

test.for([false, ""])("an annotation of the chart's own, by %o", async (value) => {
  const json = [`podAnnotations={"prometheus.io/scrape":${JSON.stringify(value)}}`];
  for (const { metadata } of templates(await objects({ set: ON, json }))) {
    expect(metadata.annotations).toMatchObject({ "prometheus.io/scrape": String(value) });
  }
});

test.for([
  [["ingressClass.create=false"], 1],
  [["ingressClass.create=null"], 1],
  [["ingress.ingressClass.create=false"], 0],
  [["ingress.ingressClass.create=false", "ingressClass.create=false"], 0],
  [["ingress.ingressClass.create=false", "ingressClass.create=true"], 1],
] as const)("an IngressClass that either form asks for, as before, is there: %j", async ([set, count]) => {
  const classes = (await objects({ set: [...ON, ...set] })).filter(({ kind }) => kind === "IngressClass");
  expect(classes).toHaveLength(count);
});

test("braces that shall stay in an annotation, written as values.yaml says", async () => {
  const about = leavesOf(valuesSchema()).find(({ path }) => path.join() === "podAnnotations")?.schema.description;
  const [, escaped = ""] = /is written `(.*)`/.exec(about ?? "") ?? [];
  const json = [`podAnnotations=${JSON.stringify({ release: "{{ .Release.Name }}", note: escaped })}`];
  for (const { metadata } of templates(await objects({ set: ON, json }))) {
    expect(metadata.annotations).toMatchObject({ release: "edge", note: "{{name}}" });
  }
});

test("a registry at an address of IPv6, and variables whose names YAML would take for something else", async () => {
  const json = ['extraEnv={"NO":"1","null":"2","Y":"3"}'];
  const pods = podsOf(await objects({ set: [...ON, "image.registry=[::1]:5000"], json }));
  expect(pods).toHaveLength(6);
  for (const { id, pod } of pods) {
    expect(pod.containers[0]?.image, id).toMatch(/^\[::1\]:5000\/ngrok\/ngrok-operator:/);
    const names = pod.containers[0]?.env.map(({ name }) => name);
    expect(names, id).toEqual(expect.arrayContaining(["NO", "null", "Y"]));
  }
});

test("a pull Secret, as a name and as an object", async () => {
  const json = ['image.pullSecrets=["a","b"]', 'global={"imagePullSecrets":[{"name":"b"}]}'];
  for (const { id, pod } of podsOf(await objects({ set: ON, json }))) {
    expect((pod as { imagePullSecrets?: unknown }).imagePullSecrets, id).toEqual([{ name: "b" }, { name: "a" }]);
  }
});

test("a node that has a label, whatever its value", async () => {
  const set = ["nodeAffinityPreset.type=hard", "nodeAffinityPreset.key=zone"];
  for (const { pod } of podsOf(await objects({ set: [...ON, ...set] }))) {
    const { affinity } = pod as unknown as { affinity: { nodeAffinity: object } };
    expect(JSON.stringify(affinity.nodeAffinity)).toContain(
      '{"matchExpressions":[{"key":"zone","operator":"Exists"}]}',
    );
  }
});

test.for([
  ["agent", "edge-ngrok-operator-agent"],
  ["bindings.forwarder", "edge-ngrok-operator-bindings-forwarder"],
] as const)(
  "how the pods of %s are replaced: a number is one for Kubernetes, also where Terraform has made a text of it",
  async ([part, name]) => {
    const strategyWith = async (rollingUpdate: object): Promise<unknown> => {
      const json = [`${part}.updateStrategy.rollingUpdate=${JSON.stringify(rollingUpdate)}`];
      const all = await objects({ set: ON, json });
      const spec = all.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === name)?.spec;
      return (spec as { strategy?: unknown } | undefined)?.strategy;
    };
    const type = "RollingUpdate";
    const numbers = { maxSurge: 0, maxUnavailable: 1 };
    expect(await strategyWith({ maxSurge: "0", maxUnavailable: "1" })).toEqual({ type, rollingUpdate: numbers });
    const shares = { maxSurge: "25%", maxUnavailable: 2 };
    expect(await strategyWith(shares)).toEqual({ type, rollingUpdate: shares });
  },
);

test.for([
  ["minAvailable=null", { maxUnavailable: 1 }],
  ["maxUnavailable=", { maxUnavailable: 1 }],
  ["maxUnavailable=null", { maxUnavailable: 1 }],
  ["maxUnavailable=0", { maxUnavailable: 0 }],
  ["minAvailable=50%", { minAvailable: "50%" }],
  ["minAvailable=0", { minAvailable: 0 }],
] as const)("how many pods may be away: %s", async ([set, expected]) => {
  const more = ["podDisruptionBudget.create=true", "replicaCount=2", `podDisruptionBudget.${set}`];
  const all = await objects({ set: ["installCRDs=false", "agent.enabled=false", ...more] });
  const { selector: _, ...spec } = all.find(({ kind }) => kind === "PodDisruptionBudget")?.spec ?? {};
  expect(spec).toEqual({ ...expected, unhealthyPodEvictionPolicy: "AlwaysAllow" });
});
