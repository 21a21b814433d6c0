// Whose pods are waited for and may be evicted: those of the three components of this release, and nobody else's.
import { expect, test } from "vitest";
import type { Release } from "#api/release.ts";
import { Pod, type PodObject } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { memoryServer } from "#test/support/memory-server.ts";
import { isComponentPod, podsOfRelease } from "./pods.ts";

const { signal } = new AbortController();
const release: Release = {
  name: "edge",
  namespace: "ops",
  fullname: "edge-ngrok-operator",
  nameLabel: "ngrok-operator",
};

function aPod(name: string, component: string, nameLabel?: string): PodObject {
  const labels = {
    "app.kubernetes.io/instance": "edge",
    "app.kubernetes.io/component": component,
    ...(nameLabel === undefined ? {} : { "app.kubernetes.io/name": nameLabel }),
  };
  return { metadata: { name, namespace: "ops", labels }, status: { phase: "Running" } } as PodObject;
}

const ours = aPod("edge-ngrok-operator-manager-7d9c-x1", "controller", "ngrok-operator");
/** Of other charts under the same parent. */
const nginx = aPod("edge-ingress-nginx-controller-5f4b-x2", "controller", "ingress-nginx");
const datadog = aPod("edge-datadog-k8s4", "agent", "datadog");

test("pods of a chart beside ours in the release are nobody to wait for, nor to evict, whatever their component", async () => {
  const server = memoryServer([Pod]);
  for (const pod of [nginx, ours, datadog]) server.put(Pod, pod);
  const found = await podsOfRelease(reader(server.connection), release, signal);
  expect(found.map(({ metadata }) => metadata.name)).toEqual([ours.metadata.name]);
  expect([ours, nginx, datadog].map((pod) => isComponentPod(pod, release))).toEqual([true, false, false]);
});

test.for([
  [
    "where an upgrade to another nameOverride failed and left it",
    aPod("edge-ngrok-operator-manager-7d9c-x1", "controller", "op"),
    {},
  ],
  [
    "of the Go operator, which carries the same label",
    aPod("edge-ngrok-operator-agent-1", "agent", "ngrok-operator"),
    {},
  ],
  ["that somebody's tool has named, by its label", aPod("rollout-7d9c-x1", "bindings-forwarder", "ngrok-operator"), {}],
  ["that says no name at all", aPod("by-hand", "controller"), {}],
  ["where nobody has told which name ours say", nginx, { nameLabel: undefined }],
  [
    "with a name that Kubernetes has cut",
    aPod(`${"f".repeat(55)}-max1y2z`, "controller", "op"),
    { fullname: "f".repeat(63) },
  ],
] as const)("one of ours is never overlooked: %s", ([, pod, told], { expect }) => {
  expect(isComponentPod(pod, { ...release, ...told })).toBe(true);
});
