// Where a LoadBalancer Service listens and what becomes of it.
import { describe, expect, test } from "vitest";
import { aService } from "#test/support/builders.ts";
import { EMPTY_POLICY, policyWith } from "#operator/translate/policy.ts";
import {
  endpointsFor,
  keepOne,
  leavesAddress,
  listenAt,
  loadBalancerAt,
  ownerUids,
  recordUrl,
  reservationOf,
  type Settings,
} from "./plan.ts";

const service = aService({ metadata: { name: "db", namespace: "shop", uid: "u1" } });
const settings: Settings = {
  url: "tcp://1.tcp.ngrok.io:12345",
  strategy: "endpoints",
  bindings: [],
  policy: EMPTY_POLICY,
  poolingEnabled: undefined,
  clusterDomain: "svc.cluster.local",
  labels: { a: "b" },
};
const owner = { apiVersion: "v1", kind: "Service", name: "db", uid: "u1", controller: true, blockOwnerDeletion: true };

test("the reservation is known by text that names the Service (F28)", () => {
  expect(reservationOf(service)).toEqual({
    description: "Reserved for shop/db",
    metadata: '{"namespace":"shop","name":"db"}',
  });
});

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

  test.for([
    ["tcp://1.tcp.ngrok.io:1", "tls://db.example.com:443", true],
    ["tcp://1.tcp.ngrok.io:1", "tcp://9.tcp.ngrok.io:9", true],
    ["tcp://1.tcp.ngrok.io:1", "tcp://1.TCP.ngrok.io:1", false],
    ["tls://db.example.com:443", "tcp://9.tcp.ngrok.io:9", false],
    ["", "tcp://9.tcp.ngrok.io:9", false],
  ] as const)("from %j to %j: leaves an address is %s", ([computed, url, leaves]) => {
    expect(leavesAddress(computed, url)).toBe(leaves);
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

test("the URL is written down under both prefixes, and only what differs", () => {
  const url = "tcp://1.tcp.ngrok.io:1";
  const keys = ["ngrok.com/computed-url", "k8s.ngrok.com/computed-url"];
  const both = Object.fromEntries(keys.map((key) => [key, url]));
  expect(recordUrl(service, url)).toEqual([{ op: "add", path: "/metadata/annotations", value: both }]);
  expect(recordUrl(aService({ metadata: { annotations: both } }), url)).toEqual([]);
  expect(recordUrl(aService({ metadata: { annotations: { "ngrok.com/computed-url": url } } }), undefined)).toEqual([
    { op: "remove", path: "/metadata/annotations/ngrok.com~1computed-url" },
  ]);
  expect(recordUrl(service, undefined)).toEqual([]);
});

test("by default one AgentEndpoint listens and sends to the first port", () => {
  const policy = policyWith("on_tcp_connect", [{ actions: [{ type: "deny" }] }]);
  const { agent, cloud } = endpointsFor(service, 5432, {
    ...settings,
    policy,
    bindings: ["internal"],
    poolingEnabled: true,
  });
  expect(cloud).toBeUndefined();
  expect(agent).toMatchObject({
    kind: "AgentEndpoint",
    metadata: { generateName: "db-", namespace: "shop", labels: { a: "b" }, ownerReferences: [owner] },
    spec: {
      url: settings.url,
      upstream: { url: "tcp://db.shop.svc.cluster.local:5432" },
      bindings: ["internal"],
      trafficPolicy: { inline: { on_tcp_connect: [{ actions: [{ type: "deny" }] }] } },
    },
  });
});

test("without a policy an empty one is written", () => {
  expect(endpointsFor(service, 1, settings).agent.spec).toEqual({
    url: settings.url,
    upstream: { url: "tcp://db.shop.svc.cluster.local:1" },
    trafficPolicy: { inline: {} },
  });
});

test("endpoints-verbose is a CloudEndpoint that forwards to an internal AgentEndpoint after the user's own rules", () => {
  const policy = policyWith("on_tcp_connect", [{ name: "mine", actions: [{ type: "log" }] }]);
  const { agent, cloud } = endpointsFor(service, 5432, {
    ...settings,
    strategy: "endpoints-verbose",
    policy,
    poolingEnabled: false,
    bindings: ["public"],
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
      url: settings.url,
      bindings: ["public"],
      poolingEnabled: false,
      trafficPolicy: { inline: whole, policy: whole },
    },
  });
  expect(agent.metadata).toMatchObject({ generateName: "db-internal-" });
  expect(agent.spec).toEqual({ url: internal, upstream: { url: "tcp://db.shop.svc.cluster.local:5432" } });
});

test("of several copies the oldest that is not going stays", () => {
  const one = (name: string, creationTimestamp: string, deletionTimestamp?: string) => ({
    metadata: { name, creationTimestamp, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  });
  const [old, young, going] = [one("a", "2026-01-01"), one("b", "2026-01-02"), one("c", "2025-01-01", "2026-01-03")];
  expect(keepOne([young, going, old])).toEqual({ kept: old, surplus: [young] });
  expect(keepOne([going])).toEqual({ kept: undefined, surplus: [] });
});

test("only a controlling Service owns", () => {
  expect(
    ownerUids({ metadata: { name: "x", ownerReferences: [owner, { ...owner, uid: "u2", controller: false }] } }),
  ).toEqual(["u1"]);
});

test.for([
  ["tcp://1.tcp.ngrok.io:12345", undefined, "1.tcp.ngrok.io", 12_345],
  ["tls://db.example.com", undefined, "db.example.com", 443],
  ["tls://db.example.com:443", "x.ngrok-cname.com", "x.ngrok-cname.com", 443],
] as const)("%s is reached at %s", ([url, target, hostname, port]) => {
  expect(loadBalancerAt(url, target)).toEqual({ ingress: [{ hostname, ports: [{ port, protocol: "TCP" }] }] });
});
