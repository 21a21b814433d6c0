// Conditions and Services as data.
import { describe, expect, test } from "vitest";
import { GIVEN } from "#api/binding.ts";
import type { BoundEndpoint } from "#api/bound-endpoint.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { jsonPatched } from "#test/model/patch.ts";
import { aBoundEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { checkConnectivity } from "./connectivity.ts";
import { type Seen, showBoundEndpoint } from "./plan.ts";
import { planService, targetService, upstreamService } from "./services.ts";

const endpoint = aBoundEndpoint({ metadata: { generation: 2 } });
const reached = { is: "reached" } as const;
const place = { clusterDomain: "svc.cluster.local", instance: "ngrok" };

function conditions(one: BoundEndpoint, seen: Partial<Seen> = {}): string[] {
  const { findings } = showBoundEndpoint(one, {
    services: { refs: {} },
    checked: reached,
    forwarders: new Map([["f-1", true]]),
    where: "kubectl get pods",
    ...seen,
  });
  return findings.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

function said(reason: "Listening" | "PortUnavailable", pod = "f-1", observedGeneration = 2): BoundEndpoint {
  return { ...endpoint, status: { replicas: [{ pod, reason, observedGeneration, message: "in use" }] } };
}

const connected = (status: "True" | "False", observedGeneration = 2): BoundEndpoint => ({
  ...endpoint,
  status: {
    conditions: [
      {
        type: "ConnectivityVerified",
        status,
        reason: status === "True" ? "ConnectivityVerified" : "ConnectivityFailed",
        message: "before",
        lastTransitionTime: "2026-01-01T00:00:00Z",
        observedGeneration,
      },
    ],
  },
});

const READY = [
  "ServicesCreated True ServicesCreated",
  "ConnectivityVerified True ConnectivityVerified",
  "Ready True BoundEndpointReady",
];
const CHECKING = ["ServicesCreated True ServicesCreated", "Ready False ConnectivityNotVerified"];
const UNREACHED = [
  "ServicesCreated True ServicesCreated",
  "ConnectivityVerified False ConnectivityFailed",
  "Ready False ConnectivityFailed",
];

test.for<readonly [string, BoundEndpoint, Partial<Seen>, readonly string[]]>([
  ["one that is reached is ready", endpoint, {}, READY],
  ["one that is not looked at yet is not", endpoint, { checked: undefined }, CHECKING],
  ["what was found before a restart stands", connected("True"), { checked: undefined }, READY],
  ["so does what failed", connected("False"), { checked: undefined }, UNREACHED],
  ["but not what was found for an older spec", connected("True", 1), { checked: undefined }, CHECKING],
  ["one that is not reached is not ready", endpoint, { checked: { is: "not reached", why: "refused" } }, UNREACHED],
  ["a forwarder that listens is in nobody's way", said("Listening"), {}, READY],
  ["one that cannot is", said("PortUnavailable"), {}, UNREACHED],
  ["one that is gone is not", said("PortUnavailable", "f-0"), {}, READY],
  ["nor one that is not ready", said("PortUnavailable"), { forwarders: new Map([["f-1", false]]) }, READY],
  ["nor what it said of an older spec", said("PortUnavailable", "f-1", 1), {}, READY],
  [
    "where Pods may not be read every word counts",
    said("PortUnavailable", "f-0"),
    { forwarders: undefined },
    UNREACHED,
  ],
  [
    "without Services nothing is known of the connection",
    connected("True"),
    { services: { refs: {}, problem: "taken" } },
    ["ServicesCreated False ServiceCreationFailed", "Ready False ServiceCreationFailed"],
  ],
])("%s", ([, one, seen, wanted]) => {
  expect(conditions(one, seen)).toEqual(wanted);
});

/** As the API server stores it: with more than was asked for. */
function stored(service: ServiceObject): ServiceObject {
  return { ...service, spec: { ...service.spec, clusterIP: "10.0.0.1", allocateLoadBalancerNodePorts: true } };
}

test("a Service that is as wanted is not written", () => {
  for (const service of [upstreamService(endpoint, place), targetService(endpoint, place)])
    expect(planService(service, stored(service), endpoint)).toEqual({ is: "none" });
});

test("only what differs is written", () => {
  const before = stored(upstreamService(endpoint, place));
  const moved = aBoundEndpoint({ spec: { port: 10_001 } });
  const step = planService(upstreamService(moved, place), before, endpoint);
  expect(step).toMatchObject({ is: "patch", operations: [{ path: "/spec/ports", value: [{ targetPort: 10_001 }] }] });
});

describe("labels and annotations that a BoundEndpoint asks for", () => {
  const asking = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
    targetService(aBoundEndpoint({ spec: { target: { metadata: { labels, annotations } } } }), place);
  /** What is written once the Service that `before` made, with `theirs` on it, is to be as `after` has it; and what it is then. */
  const turned = (before: ServiceObject, after: ServiceObject, theirs: ServiceObject["metadata"]) => {
    const { labels, annotations } = theirs;
    const there = jsonPatched(before, [
      ...Object.entries(labels ?? {}).map(([key, value]) => ({
        op: "add" as const,
        path: `/metadata/labels/${key}`,
        value,
      })),
      { op: "add", path: "/metadata/annotations", value: { ...before.metadata.annotations, ...annotations } },
    ]);
    const step = planService(after, there, endpoint);
    const now = step.is === "patch" ? jsonPatched(there, step.operations) : there;
    expect(planService(after, now, endpoint)).toEqual({ is: "none" });
    return now.metadata;
  };
  const theirs = { name: "theirs", labels: { mesh: "on" }, annotations: { note: "theirs" } };
  const plain = targetService(endpoint, place).metadata;

  test("go when they are asked for no more, and those of others stay", () => {
    const { labels, annotations } = turned(
      asking({ team: "a", tier: "b" }, { "x/y": "z" }),
      asking({ tier: "c" }),
      theirs,
    );
    expect(labels).toEqual({ ...plain.labels, tier: "c", mesh: "on" });
    expect(annotations).toEqual({ note: "theirs", [GIVEN]: '{"labels":["tier"],"annotations":[]}' });
  });

  test("leave nothing behind when none is asked for any more", () => {
    const { labels, annotations } = turned(asking({ team: "a" }, { "x/y": "z" }), asking({}), theirs);
    expect({ labels, annotations }).toEqual({
      labels: { ...plain.labels, mesh: "on" },
      annotations: { note: "theirs" },
    });
  });

  test("give way to the operator's own of the same key", () => {
    const { labels } = turned(asking({ "app.kubernetes.io/managed-by": "us" }), asking({}), theirs);
    expect(labels).toEqual({ ...plain.labels, mesh: "on" });
  });

  test.for([
    ["an earlier release has not remembered", undefined],
    ["nobody can read any more", "{"],
    ["are remembered as something else", "[1]"],
    ["are remembered in no list", '{"labels":"team"}'],
  ] as const)("stay where they %s", ([, memory]) => {
    const asked = asking({ team: "a" });
    const annotations = memory === undefined ? {} : { [GIVEN]: memory };
    const before = { ...asked, metadata: { ...asked.metadata, annotations } };
    expect(turned(before, asking({}), theirs).labels).toMatchObject({ team: "a", mesh: "on" });
  });
});

test("a Service of another BoundEndpoint is named by it, a user's is left as it is, one that goes is waited for", () => {
  const wanted = targetService(endpoint, place);
  const others = targetService(aBoundEndpoint({ metadata: { name: "other" } }), place);
  const going = { ...wanted, metadata: { ...wanted.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const why = (there: ServiceObject): string => {
    const step = planService(wanted, there, endpoint);
    return step.is === "blocked" ? step.why : step.is;
  };
  expect(why(others)).toContain("serves BoundEndpoint ngrok-operator/other");
  expect(why({ metadata: { name: "billing", namespace: "default" } })).toContain("rename or delete it");
  expect(why(going)).toContain("is being deleted");
});

test("a connection is tried for ten seconds at most", async () => {
  const clock = testClock({ hurry: true });
  let tries = 0;
  const dial = async () => await Promise.reject(new Error(`refused ${(tries += 1)}`));
  const to = { host: "billing.default", port: 80 };
  expect(await checkConnectivity(to, { dial, clock }, new AbortController().signal)).toEqual({
    is: "not reached",
    why: "refused 4",
  });
  expect(clock.sleeps).toEqual([1000, 2000, 4000]);
});

test("a connection that comes to stand in between is one", async () => {
  const clock = testClock({ hurry: true });
  let tries = 0;
  const dial = async () => await ((tries += 1) < 3 ? Promise.reject(new Error("no such host")) : Promise.resolve());
  const to = { host: "billing.default", port: 80 };
  expect(await checkConnectivity(to, { dial, clock }, new AbortController().signal)).toEqual(reached);
});
