// Where a LoadBalancer Service listens and which endpoints it becomes; docs/service.md promises what its examples become.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { aService } from "#test/support/builders.ts";
import { became, docExamples } from "#test/support/doc-examples.ts";
import { LABELS, OPTIONS } from "#test/support/translating.ts";
import { index } from "./manifests.ts";
import { EMPTY_POLICY, policyWith } from "./policy.ts";
import { endpointsFor, listenAt, type Settings } from "./service.ts";
import { translateAll } from "./translate.ts";

const service = aService({ metadata: { name: "db", namespace: "shop", uid: "u1" } });
const URL = "tcp://1.tcp.ngrok.io:12345";
const settings: Settings = {
  strategy: "endpoints",
  bindings: [],
  policy: EMPTY_POLICY,
  poolingEnabled: undefined,
  clusterDomain: "svc.cluster.local",
  labels: { a: "b" },
};
const owner = { apiVersion: "v1", kind: "Service", name: "db", uid: "u1", controller: true };

describe("where it listens", () => {
  test.for([
    [undefined, undefined, { is: "reserve" }],
    ["tcp://", "", { is: "reserve" }],
    [
      undefined,
      "tcp://1.tcp.ngrok.io:1",
      { is: "recorded", url: "tcp://1.tcp.ngrok.io:1", address: "1.tcp.ngrok.io:1" },
    ],
    [undefined, "tls://db.example.com:443", { is: "reserve" }],
    ["tls://db.example.com:443", "tcp://1.tcp.ngrok.io:1", { is: "given", url: "tls://db.example.com:443" }],
  ] as const)("url %s, computed-url %s", ([given, computed, listen]) => {
    expect(listenAt(given, computed)).toEqual(listen);
  });

  test("a computed-url that cannot be read is written anew, with a word about it", () => {
    expect(listenAt(undefined, "tcp://nowhere")).toMatchObject({
      is: "reserve",
      problem: expect.stringContaining("port"),
    });
  });

  test("a url that cannot be read is the user's to mend", () => {
    expect(listenAt("ftp://x", undefined)).toMatchObject({ is: "invalid" });
  });
});

test("by default one AgentEndpoint listens and sends to the first port", () => {
  const policy = policyWith("on_tcp_connect", [{ actions: [{ type: "deny" }] }]);
  const { agent, cloud } = endpointsFor(service, URL, {
    port: 5432,
    settings: { ...settings, policy, bindings: ["internal"], poolingEnabled: true },
  });
  expect(cloud).toBeUndefined();
  expect(agent).toMatchObject({
    kind: "AgentEndpoint",
    metadata: { generateName: "db-", namespace: "shop", labels: { a: "b" }, ownerReferences: [owner] },
    spec: {
      url: URL,
      upstream: { url: "tcp://db.shop.svc.cluster.local:5432" },
      bindings: ["internal"],
      trafficPolicy: { inline: { on_tcp_connect: [{ actions: [{ type: "deny" }] }] } },
    },
  });
});

test("asks for no right at the Service's finalizers, which OpenShift wants of who holds up an owner's deletion", () => {
  const { agent, cloud } = endpointsFor(service, URL, {
    port: 1,
    settings: { ...settings, strategy: "endpoints-verbose" },
  });
  for (const made of [agent, cloud]) expect(made?.metadata.ownerReferences).toStrictEqual([owner]);
});

test("without a policy an empty one is written", () => {
  expect(endpointsFor(service, URL, { port: 1, settings }).agent.spec).toEqual({
    url: URL,
    upstream: { url: "tcp://db.shop.svc.cluster.local:1" },
    trafficPolicy: { inline: {} },
  });
});

test("endpoints-verbose is a CloudEndpoint that forwards to an internal AgentEndpoint after the user's own rules", () => {
  const policy = policyWith("on_tcp_connect", [{ name: "mine", actions: [{ type: "log" }] }]);
  const { agent, cloud } = endpointsFor(service, URL, {
    port: 5432,
    settings: { ...settings, strategy: "endpoints-verbose", policy, poolingEnabled: false, bindings: ["public"] },
  });
  const internal = "tcp://u1.db.shop.internal:5432";
  const whole = {
    on_tcp_connect: [
      { name: "mine", actions: [{ type: "log" }] },
      { actions: [{ type: "forward-internal", config: { url: internal } }] },
    ],
  };
  expect(cloud).toMatchObject({
    kind: "CloudEndpoint",
    metadata: { generateName: "db-", ownerReferences: [owner] },
    spec: {
      url: URL,
      bindings: ["public"],
      poolingEnabled: false,
      trafficPolicy: { inline: whole, policy: whole },
    },
  });
  expect(agent.metadata).toMatchObject({ generateName: "db-internal-" });
  expect(agent.spec).toEqual({ url: internal, upstream: { url: "tcp://db.shop.svc.cluster.local:5432" } });
});

describe("what all of them become, for people", () => {
  const of = (...objects: Parameters<typeof index>[0]) => translateAll(index(objects), OPTIONS);

  test.for(docExamples(readFileSync("docs/service.md", "utf8")))(
    "the example $name of docs/service.md becomes what the page says, and what is not known before is told",
    ({ name, objects, promised }) => {
      const translation = of(...objects);
      expect(became(translation).map((line) => line.replace(/tcp:\/\/(?= |$)/, "(reserved)"))).toEqual(promised);
      const told = translation.problems.map(({ object, field, effect }) => [object, field, effect]);
      const field = name === "address" ? 'metadata.annotations["ngrok.com/computed-url"]' : "metadata.uid";
      expect(told).toEqual([["Service data/postgres", field, "pending"]]);
    },
  );

  test("of a Service in a cluster all is known: its uid, and the address that was written down on it", () => {
    const annotations = { "ngrok.com/computed-url": URL, "ngrok.com/mapping-strategy": "endpoints-verbose" };
    const there = { ...service, metadata: { ...service.metadata, annotations } };
    const { endpoints, problems } = of(there);
    expect(problems).toEqual([]);
    expect(endpoints).toMatchObject([
      { kind: "CloudEndpoint", metadata: { generateName: "db-", labels: LABELS }, spec: { url: URL } },
      {
        kind: "AgentEndpoint",
        metadata: { ownerReferences: [owner] },
        spec: { url: "tcp://u1.db.shop.internal:5432" },
      },
    ]);
  });

  test.for([
    ["no port", { spec: { ports: [] } }, "spec.ports"],
    ["no URL", { metadata: { annotations: { "ngrok.com/url": "ftp://x" } } }, 'metadata.annotations["ngrok.com/url"]'],
    [
      "a policy that is not there",
      { metadata: { annotations: { "ngrok.com/traffic-policy": "gone" } } },
      'metadata.annotations["ngrok.com/traffic-policy"]',
    ],
  ] as const)("%s: refused, and nothing is made of it", ([, over, field]) => {
    const { endpoints, domains, problems } = of(aService(over as Parameters<typeof aService>[0]));
    expect({ endpoints, domains }).toEqual({ endpoints: [], domains: [] });
    expect(problems).toMatchObject([{ object: "Service default/database", field, effect: "refused" }]);
  });

  test("in any order the same, and none of another class", () => {
    const [one, two, other] = [
      aService({ metadata: { name: "b" } }),
      aService({ metadata: { name: "a" } }),
      aService({ metadata: { name: "c" }, spec: { loadBalancerClass: "theirs" } }),
    ];
    expect(of(one, two, other)).toEqual(of(other, two, one));
    expect(of(one, two, other).endpoints.map(({ metadata }) => metadata.generateName)).toEqual(["a-", "b-"]);
  });
});
