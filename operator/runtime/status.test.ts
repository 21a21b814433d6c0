// A status is written when it says something new, holds only what is ours, and turns its times only where something turned.
import { expect, test } from "vitest";
import { fails, holds } from "#api/conditions.ts";
import type { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { aCloudEndpoint, aKubernetesOperator, aService } from "#test/support/builders.ts";
import { asShown, nextFields, nextStatus } from "./status.ts";

const NOW = "2026-02-02T00:00:00Z";
const BEFORE = "2026-01-01T00:00:00Z";
const ready = holds("Ready", "CloudEndpointActive", "it is");
const shown = { fields: { id: "ep_1" }, findings: [ready] };
const stored = {
  id: "ep_1",
  observedGeneration: 1,
  conditions: [{ ...ready, lastTransitionTime: BEFORE, observedGeneration: 1 }],
};

function anEndpoint(status: object | undefined, generation = 1) {
  return aCloudEndpoint({ metadata: { generation }, ...(status === undefined ? {} : { status }) });
}

test("the first status has the time of the look and the generation that was looked at", () => {
  expect(nextStatus(anEndpoint(undefined), shown, NOW)).toEqual({
    id: "ep_1",
    observedGeneration: 1,
    conditions: [{ ...ready, lastTransitionTime: NOW, observedGeneration: 1 }],
  });
});

test("what is stored already is not written again, in whatever order it stands", () => {
  expect(nextStatus(anEndpoint(stored), shown, NOW)).toBeUndefined();
  const other = holds("CloudEndpointCreated", "CloudEndpointCreated");
  const at = { lastTransitionTime: BEFORE, observedGeneration: 1 };
  const both = { ...stored, conditions: [{ ...other, ...at }, ...stored.conditions] };
  expect(nextStatus(anEndpoint(both), { ...shown, findings: [ready, other] }, NOW)).toBeUndefined();
});

test("a field that is undefined is a field that is not there", () => {
  expect(
    nextStatus(anEndpoint(stored), { ...shown, fields: { id: "ep_1", assignedURL: undefined } as object }, NOW),
  ).toBeUndefined();
});

test("a new message keeps the time of the turn, a new status gets a new one", () => {
  const reworded = { ...shown, findings: [{ ...ready, message: "still" }] };
  expect(nextStatus(anEndpoint(stored), reworded, NOW)?.conditions?.[0]?.lastTransitionTime).toBe(BEFORE);
  const turned = { ...shown, findings: [fails("Ready", "Pending", "no")] };
  expect(nextStatus(anEndpoint(stored), turned, NOW)?.conditions?.[0]?.lastTransitionTime).toBe(NOW);
});

test("a new generation is written even if all else is the same", () => {
  expect(nextStatus(anEndpoint(stored, 2), shown, NOW)).toMatchObject({ observedGeneration: 2 });
});

test("a condition and a field that are not shown any more go", () => {
  const more = {
    ...stored,
    assignedURL: "https://x",
    conditions: [...stored.conditions, { ...holds("TrafficPolicyApplied", "R"), lastTransitionTime: BEFORE }],
  };
  expect(nextStatus(anEndpoint(more), shown, NOW)).toEqual(stored);
});

test("what another writes is neither compared nor written (W24)", () => {
  const leaves = { fields: ["drain"], conditions: ["Draining"] };
  const registered = holds("Registered", "Registered", "yes");
  const at = { lastTransitionTime: BEFORE, observedGeneration: 1 };
  const operator: KubernetesOperator = aKubernetesOperator({
    metadata: { generation: 1 },
    status: {
      id: "k8sop_1",
      observedGeneration: 1,
      drain: { drainedResources: 1, failedResources: 0, totalResources: 2 },
      conditions: [
        { ...registered, ...at },
        { ...holds("Draining", "DrainInProgress", ""), ...at },
      ],
    },
  });
  expect(nextStatus(operator, { fields: { id: "k8sop_1" }, findings: [registered] }, NOW, leaves)).toBeUndefined();
  expect(nextStatus(operator, { fields: { id: "k8sop_2" }, findings: [registered] }, NOW, leaves)).toEqual({
    id: "k8sop_2",
    observedGeneration: 1,
    conditions: [{ ...registered, ...at }],
  });
});

test("said again, a status moves only with the generation", () => {
  expect(nextStatus(anEndpoint(stored), asShown(anEndpoint(stored)), NOW)).toBeUndefined();
  expect(nextStatus(anEndpoint(stored, 2), asShown(anEndpoint(stored)), NOW)?.observedGeneration).toBe(2);
});

test("of a status that is not ours only the named fields count, and what is empty is what is not there", () => {
  const service = aService({ status: { loadBalancer: { ingress: [{ hostname: "a" }] } } });
  expect(nextFields(service, { loadBalancer: { ingress: [{ hostname: "a" }] } })).toBeUndefined();
  expect(nextFields(service, { loadBalancer: { ingress: [] } })).toEqual({ loadBalancer: { ingress: [] } });
  expect(nextFields(aService(), { loadBalancer: { ingress: [] } })).toBeUndefined();
  expect(nextFields(aService(), undefined)).toBeUndefined();
});

test("nor is what others show beside our fields in a status that is not of our making", () => {
  const ours = { loadBalancer: { ingress: [{ hostname: "a.example.com" }] } };
  const service = { metadata: { name: "web" }, status: { ...ours, conditions: [{ type: "theirs" }] } };
  expect(nextFields(service, ours)).toBeUndefined();
  expect(nextFields(service, { loadBalancer: {} })).toEqual({ loadBalancer: {} });
});
