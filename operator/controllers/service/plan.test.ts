// What is written down on a LoadBalancer Service, and which endpoints are its own.
import { describe, expect, test } from "vitest";
import type { ServiceObject } from "#kube/kinds.ts";
import { aService } from "#test/support/builders.ts";
import {
  keepOne,
  leavesAddress,
  loadBalancerAt,
  ownerUids,
  recordUrl,
  reservationOf,
  reservedForAnother,
} from "./plan.ts";

const service = aService({ metadata: { name: "db", namespace: "shop", uid: "u1" } });
const owner = { apiVersion: "v1", kind: "Service", name: "db", uid: "u1", controller: true };

test("the reservation is known by text that names the Service (F28)", () => {
  expect(reservationOf(service)).toEqual({
    description: "Reserved for shop/db",
    metadata: '{"namespace":"shop","name":"db"}',
  });
});

describe("an address that is written down on a copy of a Service", () => {
  const url = "tcp://1.tcp.ngrok.io:1";
  const at = (namespace: string, computed = url) =>
    aService({ metadata: { name: "db", namespace, annotations: { "ngrok.com/computed-url": computed } } });
  const { metadata } = reservationOf(at("prod"));
  const another = (given: string, ...others: ServiceObject[]) =>
    reservedForAnother(at("staging"), given, (ref) =>
      others.find((one) => one.metadata.namespace === ref.namespace && one.metadata.name === ref.name),
    );

  test("is another's that listens there, however it is written", () => {
    const prod = { namespace: "prod", name: "db" };
    expect(another(metadata, at("prod"))).toEqual(prod);
    expect(another(metadata, at("prod", "TCP://1.TCP.ngrok.io:1"))).toEqual(prod);
  });

  test.for([
    ["the other is gone", metadata, []],
    ["the other listens elsewhere", metadata, [at("prod", "tcp://1.tcp.ngrok.io:2")]],
    ["the other has no address", metadata, [at("prod", "")]],
    ["it was reserved for this one", reservationOf(at("staging")).metadata, [at("staging"), at("prod")]],
    ["somebody else has reserved it", "mine", [at("prod")]],
    ["nobody says for whom", "", [at("prod")]],
    ["it says something else", '{"namespace":"prod","name":1}', [at("prod")]],
  ] as const)("is its own where %s", ([, given, others]) => {
    expect(another(given, ...others)).toBeUndefined();
  });
});

describe("where it listened before", () => {
  test.for([
    ["tcp://1.tcp.ngrok.io:1", "tls://db.example.com:443", true],
    ["tcp://1.tcp.ngrok.io:1", "tcp://9.tcp.ngrok.io:9", true],
    ["tcp://1.tcp.ngrok.io:1", "tcp://1.TCP.ngrok.io:1", false],
    ["tls://db.example.com:443", "tcp://9.tcp.ngrok.io:9", false],
    ["", "tcp://9.tcp.ngrok.io:9", false],
  ] as const)("from %j to %j: leaves an address is %s", ([computed, url, leaves]) => {
    expect(leavesAddress(computed, url)).toBe(leaves);
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
