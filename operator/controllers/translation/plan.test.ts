// From what is wanted and what is there to writes: only real differences, in an order that never has two endpoints at one
// URL, and nothing that somebody else made.
import { expect, test } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { controllerLabels, DRAIN_OWNER } from "#api/keys.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import { aCloudEndpoint, aDomain, anAgentEndpoint } from "#test/support/builders.ts";
import { type Endpoint, isGenerated, kindOf, planWrites } from "./plan.ts";

const owner = { namespace: "ops", managerName: "m", stamp: "ops/ngrok" };
const labels = controllerLabels("ops", "m");
const cloud = (overrides: object = {}): CloudEndpoint =>
  aCloudEndpoint({ metadata: { labels, uid: "c" }, ...overrides });
const agent = (overrides: object = {}): AgentEndpoint =>
  anAgentEndpoint({ metadata: { labels, uid: "a" }, ...overrides });

function writes(
  endpoints: readonly Endpoint[],
  there: readonly Endpoint[],
  domains = { wanted: 0, there: 0 },
): string[] {
  const objects = new Map<string, OwnObject>(there.map((one) => [`${kindOf(one).kind} ${keyOf(refOf(one))}`, one]));
  if (domains.there > 0) objects.set("Domain default/web-example-com", aDomain());
  const at = (kind: OwnKind, key: string) => objects.get(`${kind.kind} ${key}`);
  const wanted = { endpoints, domains: domains.wanted > 0 ? [aDomain()] : [] };
  const generated = there.filter((one) => isGenerated(one, owner));
  return planWrites(wanted, { at, generated }, owner).map(
    ({ is, kind, object }) => `${is} ${kind.kind} ${object.metadata.name}`,
  );
}

test("what is there as it is wanted is not written", () => {
  expect(writes([cloud(), agent()], [cloud(), agent()], { wanted: 1, there: 1 })).toEqual([]);
});

test("what is missing is made, Domains first and the CloudEndpoint last", () => {
  expect(writes([cloud(), agent()], [], { wanted: 1, there: 0 })).toEqual([
    "create Domain web-example-com",
    "create AgentEndpoint shop",
    "create CloudEndpoint web",
  ]);
});

test("a host that is collapsed loses its CloudEndpoint before the AgentEndpoint takes the URL over", () => {
  expect(writes([agent({ spec: { url: "https://web.example.com" } })], [cloud(), agent()])).toEqual([
    "remove CloudEndpoint web",
    "patch AgentEndpoint shop",
  ]);
});

test("a host that is collapsed no more gets its CloudEndpoint after the AgentEndpoint has given the URL up", () => {
  expect(writes([cloud(), agent()], [agent({ spec: { url: "https://web.example.com" } })])).toEqual([
    "patch AgentEndpoint shop",
    "create CloudEndpoint web",
  ]);
});

test("an internal endpoint goes after the CloudEndpoint that forwards to it", () => {
  expect(writes([], [agent(), cloud()])).toEqual(["remove CloudEndpoint web", "remove AgentEndpoint shop"]);
});

test("a Domain is never deleted nor changed", () => {
  expect(writes([], [], { wanted: 0, there: 1 })).toEqual([]);
});

test("what somebody else made under a name that is wanted stays, and is told", () => {
  expect(writes([cloud()], [aCloudEndpoint({ spec: { url: "https://mine.example.com" } })])).toEqual([
    "taken CloudEndpoint web",
  ]);
});

test("what is going is waited for", () => {
  const going = cloud({ metadata: { labels, deletionTimestamp: "2026-01-01T00:00:00Z" } });
  expect(writes([cloud()], [going])).toEqual(["going CloudEndpoint web"]);
  expect(writes([], [going])).toEqual([]);
});

test("generated is what carries our labels, and no controller owns", () => {
  const owned = { apiVersion: "v1", kind: "Service", name: "db", uid: "1", controller: true };
  expect(isGenerated(cloud(), owner)).toBe(true);
  expect(isGenerated(aCloudEndpoint(), owner)).toBe(false);
  expect(isGenerated(aCloudEndpoint({ metadata: { annotations: { [DRAIN_OWNER]: "ops/ngrok" } } }), owner)).toBe(false);
  expect(isGenerated(cloud({ metadata: { labels, ownerReferences: [owned] } }), owner)).toBe(false);
  expect(isGenerated(cloud({ metadata: { labels: controllerLabels("ops", "other") } }), owner)).toBe(false);
});
