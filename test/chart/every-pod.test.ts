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

interface Pod {
  readonly imagePullSecrets?: readonly { name: string }[];
  readonly nodeSelector?: object;
  readonly tolerations?: readonly { key?: string }[];
  readonly priorityClassName?: string;
  readonly topologySpreadConstraints?: readonly object[];
  readonly affinity?: { readonly nodeAffinity?: object };
  readonly volumes?: readonly { name: string }[];
  readonly containers: readonly {
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

async function podsWith(set: readonly string[]): Promise<{ id: string; hook: boolean; pod: Pod }[]> {
  const found = (await objects({ set: [...ALL_ON, ...set] })).flatMap((object) => {
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
    expect(pod.nodeSelector, id).toEqual({ pool: "edge" });
    expect(
      pod.tolerations?.map(({ key }) => key),
      id,
    ).toContain("edge");
    expect(pod.priorityClassName, id).toBe("high");
    expect(JSON.stringify(pod.affinity?.nodeAffinity), id).toContain('"key":"a"');
  }
});

test("spread over zones, of what has replicas", async () => {
  for (const { id, pod, hook } of await podsWith(everywhere("topologySpreadConstraints[0].topologyKey", "zone")))
    expect(pod.topologySpreadConstraints, id).toEqual(hook ? undefined : [{ topologyKey: "zone" }]);
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

test("commonLabels and commonAnnotations are on every object, and on every pod", async () => {
  const set = [...ALL_ON, ...MORE, "commonLabels.team=edge", "commonAnnotations.note=here"];
  const all = await objects({ set });
  const metas = all.flatMap(({ metadata, spec }) => {
    const template = spec?.template as { metadata?: Rendered["metadata"] } | undefined;
    return template?.metadata === undefined ? [metadata] : [metadata, template.metadata];
  });
  expect(metas.length).toBeGreaterThan(60);
  for (const { name, labels, annotations } of metas) {
    expect(labels, name).toMatchObject({ team: "edge" });
    expect(annotations, name).toMatchObject({ note: "here" });
  }
});

test.for([1, 2])("with %i replicas: a PodDisruptionBudget only above one", async (count) => {
  const set = [...ALL_ON, `agent.replicaCount=${count}`, `bindings.forwarder.replicaCount=${count}`];
  const more = [`replicaCount=${count}`, "podDisruptionBudget.create=true"];
  const budgets = (await objects({ set: [...set, ...more] })).filter(({ kind }) => kind === "PodDisruptionBudget");
  expect(budgets).toHaveLength(count === 1 ? 0 : 3);
});
