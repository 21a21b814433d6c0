// What is set once holds for every pod and every object of the chart: three managers, and the hooks, whose day is the last.
import { expect, test } from "vitest";
import { idOf, objects, type Rendered } from "./helm.ts";

const ALL_ON = ["agent.enabled=true", "bindings.enabled=true", "networkPolicy.enabled=true", "protect.enabled=true"];
const MORE = [
  "agent.replicaCount=2",
  "bindings.forwarder.replicaCount=2",
  "podDisruptionBudget.create=true",
  "replicaCount=2",
  "credentials.apiKey=k",
  "credentials.authtoken=t",
];

const LINUX = { "kubernetes.io/os": "linux" };
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

interface Pod {
  readonly imagePullSecrets?: readonly { name: string }[];
  readonly nodeSelector?: object;
  readonly tolerations?: readonly { key?: string }[];
  readonly priorityClassName?: string;
  readonly topologySpreadConstraints?: readonly object[];
  readonly affinity?: {
    readonly nodeAffinity?: object;
    readonly podAffinity?: object;
    readonly podAntiAffinity?: object;
  };
  readonly volumes?: readonly { name: string }[];
  readonly securityContext: object;
  readonly containers: readonly {
    readonly securityContext: object;
    readonly image: string;
    readonly env: readonly { name: string; value?: string }[];
    readonly resources: { requests: Record<string, string>; limits: Record<string, string> };
    readonly volumeMounts?: readonly { name: string }[];
  }[];
}

/** Sets a knob where it stands for all, and where agents and forwarders have one of their own. */
function everywhere(name: string, value: string): string[] {
  return ["", "agent.", "bindings.forwarder."].map((part) => `${part}${name}=${value}`);
}

async function podsWith(
  set: readonly string[],
  json: readonly string[] = [],
): Promise<{ id: string; hook: boolean; pod: Pod }[]> {
  const found = (await objects({ set: [...ALL_ON, ...set], json })).flatMap((object) => {
    const pod = object.spec?.template?.spec as Pod | undefined;
    const hook = object.kind !== "Deployment";
    return pod === undefined ? [] : [{ id: idOf(object), hook, pod }];
  });
  expect(found.filter(({ hook }) => !hook)).toHaveLength(3);
  expect(found.filter(({ hook }) => hook).length).toBeGreaterThanOrEqual(2);
  return found;
}

const variable = (pod: Pod, name: string): (string | undefined)[] =>
  pod.containers.map(({ env }) => env.find((one) => one.name === name)?.value);

test("image, registry and pull Secrets", async () => {
  const set = ["global.imageRegistry=mirror.local", "global.imagePullSecrets[0]=shared", "image.pullSecrets[0]=own"];
  for (const { id, pod } of await podsWith(set)) {
    expect(pod.imagePullSecrets, id).toEqual([{ name: "shared" }, { name: "own" }]);
    for (const { image } of pod.containers) expect(image, id).toMatch(/^mirror\.local\/ngrok\/ngrok-operator:/);
  }
});

test("the parts of an image, and a digest, which wins", async () => {
  const parts = ["image.registry=reg.local", "image.repository=a/b", "image.tag=1.2.3"];
  for (const { id, pod } of await podsWith(parts)) expect(pod.containers[0]?.image, id).toBe("reg.local/a/b:1.2.3");
  const digest = `sha256:${"c".repeat(64)}`;
  for (const { id, pod } of await podsWith([...parts, `image.digest=${digest}`]))
    expect(pod.containers[0]?.image, id).toBe(`reg.local/a/b@${digest}`);
});

test("nodes: selector, tolerations, affinity, priority", async () => {
  const set = [
    ...everywhere("nodeSelector.pool", "edge"),
    ...everywhere("tolerations[0].key", "edge"),
    ...everywhere("priorityClassName", "high"),
    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key=a",
  ];
  for (const { id, pod } of await podsWith(set)) {
    expect(pod.nodeSelector, id).toEqual({ ...LINUX, pool: "edge" });
    expect(
      pod.tolerations?.map(({ key }) => key),
      id,
    ).toContain("edge");
    expect(pod.priorityClassName, id).toBe("high");
    expect(JSON.stringify(pod.affinity?.nodeAffinity), id).toContain('"key":"a"');
  }
});

test("no node of Windows, of which many clusters have some without a taint, is given a pod", async () => {
  for (const { id, pod } of await podsWith([])) expect(pod.nodeSelector, id).toEqual(LINUX);
});

test("spread over zones, of what has replicas", async () => {
  for (const { id, pod, hook } of await podsWith(everywhere("topologySpreadConstraints[0].topologyKey", "zone")))
    expect(pod.topologySpreadConstraints, id).toEqual(hook ? undefined : [{ topologyKey: "zone" }]);
});

test.for([
  ["affinity", ["podAffinity", "podAntiAffinity"].map((part) => `affinity.${part}.${REQUIRED}[0].topologyKey=zone`)],
  ["presets", ["podAffinityPreset=hard", "podAntiAffinityPreset=hard"]],
] as const)(
  "beside which pods, or away from which, by %s: not of a hook, which starts where the others are gone",
  async ([, set]) => {
    for (const { id, pod, hook } of await podsWith(set)) {
      const said = JSON.stringify([pod.affinity?.podAffinity, pod.affinity?.podAntiAffinity]);
      expect(said.split(REQUIRED), id).toHaveLength(hook ? 1 : 3);
    }
  },
);

test("users and groups are numbers for Kubernetes, also where Terraform has made texts of them", async () => {
  const pods = { runAsNonRoot: true, runAsUser: 1000680000, runAsGroup: 1000, fsGroup: 0, supplementalGroups: [7] };
  const containers = { runAsUser: 1001, seLinuxOptions: { level: "0" } };
  const texts = (numbers: object): string => JSON.stringify(numbers).replaceAll(/(?<=[:[])\d+/g, '"$&"');
  const json = [`podSecurityContext=${texts(pods)}`, `containerSecurityContext=${texts(containers)}`];
  expect(json.join()).toContain('"fsGroup":"0","supplementalGroups":["7"]');
  const all = await podsWith([], json);
  for (const { id, pod } of all) {
    expect(pod.securityContext, id).toEqual({ ...pods, seccompProfile: { type: "RuntimeDefault" } });
    expect(pod.containers[0]?.securityContext, id).toMatchObject(containers);
  }
  // What the operator tries an admission of a hook with.
  const tried = all.flatMap(({ pod }) => variable(pod, "HOOK_POD")).filter((text) => text !== undefined);
  expect(tried.map((text) => JSON.parse(text) as object)).toMatchObject([{ securityContext: pods }]);
});

test("environment, proxies and one more certificate authority", async () => {
  const set = [
    "extraEnv.TZ=UTC",
    "proxy.httpsProxy=http://proxy:3128",
    "proxy.httpProxy=http://proxy:3129",
    "proxy.noProxy=10.0.0.0/8\\,.local",
    "extraCA.secretName=ca",
  ];
  for (const { id, pod } of await podsWith(set)) {
    expect(variable(pod, "TZ"), id).toEqual(["UTC"]);
    expect(variable(pod, "HTTPS_PROXY"), id).toEqual(["http://proxy:3128"]);
    expect(variable(pod, "HTTP_PROXY"), id).toEqual(["http://proxy:3129"]);
    expect(variable(pod, "NO_PROXY"), id).toEqual(["10.0.0.0/8,.local"]);
    expect(
      pod.volumes?.map(({ name }) => name),
      id,
    ).toContain("extra-ca");
    expect(
      pod.containers[0]?.volumeMounts?.map(({ name }) => name),
      id,
    ).toContain("extra-ca");
  }
});

test("requests that fit a small quota, and limits", async () => {
  for (const { id, pod, hook } of await podsWith([])) {
    const { requests, limits } = pod.containers[0]?.resources ?? { requests: {}, limits: {} };
    expect(requests, id).toEqual(hook ? { cpu: "50m", memory: "96Mi" } : { cpu: "100m", memory: "128Mi" });
    expect(Object.keys(limits).toSorted(), id).toEqual(["cpu", "memory"]);
  }
});

/** All that the chart makes: the features, and in turn either monitor, and Helm or Argo CD. */
const WHOLE = [...ALL_ON, ...MORE, "metrics.rules.enabled=true", "metrics.dashboard.enabled=true"];
const WAYS = {
  "a PodMonitor": { set: ["metrics.podMonitor.enabled=true"], brings: ["PodMonitor", "PrometheusRule", "Job"] },
  "a ServiceMonitor": { set: ["metrics.serviceMonitor.enabled=true"], brings: ["ServiceMonitor", "Service"] },
  "one namespace": { set: ["ingress.watchNamespace=ngrok"], brings: ["Role", "ClusterRole"] },
  "Argo CD": { set: ["gitops.argocd=true"], brings: ["KubernetesOperator", "ValidatingAdmissionPolicy"] },
};

test.for(Object.entries(WAYS))(
  "commonLabels and commonAnnotations are on every object, and on every pod, with %s",
  async ([, { set, brings }]) => {
    const all = await objects({ set: [...WHOLE, ...set, "commonLabels.team=edge", "commonAnnotations.note=here"] });
    expect(all.map(({ kind }) => kind)).toEqual(expect.arrayContaining(brings));
    expect(all.map(({ metadata }) => metadata.name)).toContain("edge-ngrok-operator-dashboard");
    const metas = all.flatMap(({ metadata, spec }) => {
      const template = spec?.template as { metadata?: Rendered["metadata"] } | undefined;
      return template?.metadata === undefined ? [metadata] : [metadata, template.metadata];
    });
    expect(metas.length).toBeGreaterThan(50);
    for (const { name, labels, annotations } of metas) {
      expect(labels, name).toMatchObject({ team: "edge" });
      expect(annotations, name).toMatchObject({ note: "here" });
    }
  },
);

test.for([1, 2])("with %i replicas: a PodDisruptionBudget only above one", async (count) => {
  const set = [...ALL_ON, `agent.replicaCount=${count}`, `bindings.forwarder.replicaCount=${count}`];
  const more = [`replicaCount=${count}`, "podDisruptionBudget.create=true"];
  const budgets = (await objects({ set: [...set, ...more] })).filter(({ kind }) => kind === "PodDisruptionBudget");
  expect(budgets).toHaveLength(count === 1 ? 0 : 3);
  // Agents are ready by ngrok's session: while ngrok is out of reach none is, and no node could be drained.
  for (const { metadata, spec } of budgets)
    expect(spec, metadata.name).toMatchObject({ unhealthyPodEvictionPolicy: "AlwaysAllow" });
});
