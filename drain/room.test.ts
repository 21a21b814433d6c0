// Room for a hook's pod, from quotas and ranges: what is in the way, in which words, and what is left out of the reckoning.
// Whether the API server sees it the same way: room.apiserver.test.ts.
import { expect, test } from "vitest";
import type { LimitRangeItem, ResourceQuotaObject } from "#kube/kinds.ts";
import { type HookPod, hookPodOf, refusalsOf } from "./room.ts";

/** The chart's own. */
const resources = { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "2", memory: "512Mi" } };
const pod: HookPod = { containers: [resources] };

type Hard = Record<string, string | number>;
type Spec = Omit<NonNullable<ResourceQuotaObject["spec"]>, "hard">;

function aQuota(hard: Hard, used: Hard = {}, spec: Spec = {}): ResourceQuotaObject {
  return { metadata: { name: "team" }, spec: { ...spec, hard }, status: { hard, used } };
}

function said(quotas: readonly ResourceQuotaObject[], limits: readonly LimitRangeItem[] = [], of = pod): string[] {
  const ranges = limits.map((item) => ({ name: "usual", item }));
  return refusalsOf(of, quotas, ranges).map(({ reason, now, remedy }) => `${reason} (${now}): ${remedy}`);
}

test("a namespace without quotas has room", () => {
  expect(said([])).toEqual([]);
});

test("the quota, the resource and what to do are named; what is left stands apart, since it changes by itself", () => {
  expect(said([aQuota({ "limits.memory": "1Gi" }, { "limits.memory": "768Mi" })])).toEqual([
    "ResourceQuota team has less limits.memory left than the 512Mi needed (256Mi of 1Gi left): raise that quota, or free as much in the namespace, or lower cleanupHook.resources",
  ]);
});

test("a pod that just fits is let in", () => {
  const hard = { cpu: "150m", "requests.memory": "196Mi", "limits.cpu": 3, pods: "2", "count/jobs.batch": "2" };
  expect(said([aQuota(hard, { cpu: "0.1", "requests.memory": "100Mi", "limits.cpu": 1, pods: "1" })])).toEqual([]);
});

test("both hooks have a Job, and the first is still there when the second is made", () => {
  expect(said([aQuota({ "count/jobs.batch": "1" })])).toEqual([
    "ResourceQuota team has less count/jobs.batch left than the 2 needed (1 of 1 left): raise that quota, or free as much in the namespace",
  ]);
});

test("a quota that was lowered leaves nothing, not less", () => {
  expect(said([aQuota({ pods: "1" }, { pods: "4" })])[0]).toContain("(0 of 1 left)");
});

test("a limit that the pod does not say is asked for, where no LimitRange gives it", () => {
  const bare: HookPod = { containers: [{ requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "1Gi" } }] };
  const quota = aQuota({ "limits.cpu": "4" });
  expect(said([quota], [], bare)).toEqual([
    "ResourceQuota team takes no pod that does not say its limits.cpu (): set cleanupHook.resources.limits.cpu",
  ]);
  expect(said([quota], [{ type: "Container", default: { cpu: "1" } }], bare)).toEqual([]);
  expect(said([quota], [{ type: "Container", default: { cpu: "5" } }], bare)[0]).toContain("less limits.cpu left than");
});

test("what is no matter of this pod is left out", () => {
  const others = { services: "0", "requests.storage": "0", "requests.nvidia.com/gpu": "0", "ephemeral-storage": "0" };
  expect(said([aQuota(others)])).toEqual([]);
});

test.for<[string, Spec, boolean]>([
  ["NotTerminating", { scopes: ["NotTerminating"] }, true],
  ["Terminating: its pod has no deadline", { scopes: ["Terminating"] }, false],
  ["NotBestEffort", { scopes: ["NotBestEffort"] }, true],
  ["BestEffort", { scopes: ["BestEffort"] }, false],
  ["both of two", { scopes: ["NotTerminating", "BestEffort"] }, false],
  ["a class that the chart does not name", { scopes: ["PriorityClass"] }, false],
  ["pods near those of other namespaces", { scopes: ["CrossNamespacePodAffinity"] }, false],
])("a quota for %s", ([, spec, counts]) => {
  expect(said([aQuota({ pods: "0" }, {}, spec)])).toHaveLength(counts ? 1 : 0);
});

test.for<[string, readonly string[], boolean]>([
  ["In", ["high"], true],
  ["In", ["low"], false],
  ["NotIn", ["low"], true],
  ["NotIn", ["high"], false],
  ["Exists", [], true],
  ["DoesNotExist", [], false],
])("a quota for priority classes %s %j where the hook has the class high", ([operator, values, counts]) => {
  const scopeSelector = { matchExpressions: [{ scopeName: "PriorityClass", operator, values: [...values] }] };
  const quota = aQuota({ pods: "0" }, {}, { scopeSelector });
  expect(said([quota], [], { ...pod, priorityClassName: "high" })).toHaveLength(counts ? 1 : 0);
});

test.for<[string, LimitRangeItem, readonly string[]]>([
  ["too much", { type: "Container", max: { cpu: "1" } }, ["LimitRange usual takes at most 1 of cpu a Container"]],
  ["too little", { type: "Pod", min: { memory: "128Mi" } }, ["LimitRange usual takes at least 128Mi of memory a Pod"]],
  [
    "too far apart",
    { type: "Container", maxLimitRequestRatio: { cpu: "4" } },
    ["LimitRange usual takes a limit of at most 4 times the request of cpu a Container"],
  ],
  ["within", { type: "Container", max: { cpu: "2" }, min: { cpu: "50m" }, maxLimitRequestRatio: { cpu: "40" } }, []],
  ["of another kind", { type: "PersistentVolumeClaim", max: { storage: "1" } }, []],
])("a LimitRange: %s", ([, item, reasons]) => {
  expect(refusalsOf(pod, [], [{ name: "usual", item }]).map(({ reason }) => reason)).toEqual(reasons);
});

test.for([undefined, "", "null", "7", "{"])("%s is no pod", (text) => {
  expect(hookPodOf(text)).toBeUndefined();
});
