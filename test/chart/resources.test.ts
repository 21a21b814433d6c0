// Requests and limits: of each resource either all that people say, or all that the chart says. A half of theirs beside a half
// of ours may be one that the API server refuses, and of a hook that would show on uninstall day.
import { expect, test } from "vitest";
import { leavesOf, valuesSchema } from "#scripts/generate/values-schema.ts";
import { objects, podsOf } from "./helm.ts";

const OURS = { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "2", memory: "512Mi" } };
const OF_HOOKS = { requests: { cpu: "50m", memory: "96Mi" }, limits: OURS.limits };
const PODS = [
  { value: "resources", pods: /^Deployment .*-manager$/, ours: OURS },
  { value: "agent.resources", pods: /^Deployment .*-agent$/, ours: OURS },
  { value: "bindings.forwarder.resources", pods: /^Deployment .*-bindings-forwarder$/, ours: OURS },
  { value: "cleanupHook.resources", pods: /^Job /, ours: OF_HOOKS },
];

/** What the pods of one value have of it, which is the same for all of them. */
async function resourcesOf({ value, pods }: (typeof PODS)[number], given?: object): Promise<object | undefined> {
  const json = given === undefined ? [] : [`${value}=${JSON.stringify(given)}`];
  const all = podsOf(await objects({ set: ["bindings.enabled=true", "installCRDs=false"], json }));
  const found = all.filter(({ id }) => pods.test(id)).map(({ pod }) => pod.containers[0]?.resources);
  expect(found.length).toBe(value === "cleanupHook.resources" ? 3 : 1);
  for (const one of found) expect(one).toEqual(found[0]);
  return found[0];
}

test.for(PODS)("$value: what nobody says is ours, and values.yaml tells it", async (pod) => {
  expect(await resourcesOf(pod)).toEqual(pod.ours);
  // As the values of chart 0.24 have it, and as people write "not set".
  expect(await resourcesOf(pod, { limits: {}, requests: {} })).toEqual(pod.ours);
  expect(await resourcesOf(pod, { claims: null })).toEqual(pod.ours);
  const about = leavesOf(valuesSchema()).find(({ path }) => path.join(".") === pod.value)?.schema.description;
  const { cpu, memory } = pod.ours.requests;
  expect(about).toContain(`${cpu} CPU and ${memory} requested, limits of 2 and 512Mi`);
});

test.for(PODS)("$value: of a resource that people name, ours says nothing beside it", async (pod) => {
  const { requests, limits } = pod.ours;
  expect(await resourcesOf(pod, { limits: { memory: "64Mi" } })).toEqual({
    requests: { cpu: requests.cpu },
    limits: { cpu: limits.cpu, memory: "64Mi" },
  });
  expect(await resourcesOf(pod, { requests: { memory: "1Gi" } })).toEqual({
    requests: { cpu: requests.cpu, memory: "1Gi" },
    limits: { cpu: limits.cpu },
  });
  expect(await resourcesOf(pod, { limits: { cpu: "50m" }, requests: { memory: "32Mi" } })).toEqual({
    requests: { memory: "32Mi" },
    limits: { cpu: "50m" },
  });
  expect(await resourcesOf(pod, { limits: { "ephemeral-storage": "1Gi" } })).toEqual({
    requests,
    limits: { ...limits, "ephemeral-storage": "1Gi" },
  });
});

test.for(PODS)("$value: null takes away the half that it stands for, and nothing else", async (pod) => {
  const { requests, limits } = pod.ours;
  expect(await resourcesOf(pod, { limits: { cpu: null } })).toEqual({ requests, limits: { memory: limits.memory } });
  expect(await resourcesOf(pod, { requests: { cpu: null } })).toEqual({
    requests: { memory: requests.memory },
    limits,
  });
  expect(await resourcesOf(pod, { limits: null })).toEqual({ requests });
});

test("what the operator asks a quota for is what the hooks have", async () => {
  const set = ["cleanupHook.resources.limits.memory=64Mi"];
  const [manager] = podsOf(await objects({ set })).filter(({ id }) => id.endsWith("-manager"));
  const told = manager?.pod.containers[0]?.env.find(({ name }) => name === "HOOK_POD")?.value ?? "{}";
  expect((JSON.parse(told) as { resources: object }).resources).toEqual({
    requests: { cpu: "50m" },
    limits: { cpu: "2", memory: "64Mi" },
  });
});
