// Events never crowd out the work: repeats are counted, a crowd is paced, and what is too much is dropped, Normal ones first.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { Gateway, GatewayClass, HTTPRoute, Ingress, Service, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { Events, failureEvent, tellerOf, type Telling } from "./events.ts";

function anEvents({ until = Promise.resolve() } = {}) {
  const clock = testClock();
  const sent: Telling[] = [];
  const events = new Events({
    clock,
    async send(telling) {
      sent.push(telling);
      await until;
    },
  });
  const tell = (uid: string, reason: string, type: "Normal" | "Warning" = "Warning", note = "n"): boolean =>
    events.tell(CloudEndpoint, aCloudEndpoint({ metadata: { uid } }), { type, reason, note });
  return { clock, sent, events, tell };
}

test("the first is told at once, repeats within a minute are counted and told with the next one after it", async () => {
  const { clock, sent, tell } = anEvents();
  tell("u", "CreateError");
  for (let n = 0; n < 4; n += 1) tell("u", "CreateError");
  await clock.advance(60_000);
  expect(sent.map(({ count }) => count)).toEqual([1]);
  tell("u", "CreateError");
  await clock.advance(0);
  expect(sent.map(({ count }) => count)).toEqual([1, 6]);
});

test("another object and another reason are another event", async () => {
  const { clock, sent, tell } = anEvents();
  tell("u", "CreateError");
  tell("u", "UpdateError");
  tell("v", "CreateError");
  await clock.advance(0);
  expect(sent).toHaveLength(3);
});

test("a Warning with another note is other news, a Normal one is a repeat with any", async () => {
  const { clock, sent, tell } = anEvents();
  for (const note of ["a is wrong", "b is wrong", "a is wrong"]) tell("u", "ConfigError", "Warning", note);
  for (const note of ["serves a", "serves b"]) tell("u", "Updated", "Normal", note);
  await clock.advance(0);
  expect(sent.map(({ event }) => event.note)).toEqual(["a is wrong", "b is wrong", "serves a"]);
});

test.for([
  ["invalid", ["the host is taken", "the key is refused"]],
  ["transient", ["the host is taken"]],
  ["throttled", ["the host is taken"]],
] as const)("of two %s failures within a minute %j are told: what passes by itself once", async ([kind, told]) => {
  const { clock, sent, events } = anEvents();
  const object = aCloudEndpoint({ metadata: { uid: "u" } });
  for (const note of ["the host is taken", "the key is refused"])
    events.tell(CloudEndpoint, object, failureEvent(new KnownError(kind, note), { reason: "CreateError", note }));
  await clock.advance(0);
  expect(sent.map(({ event }) => event.note)).toEqual(told);
});

test("a crowd goes out slowly after the first fifty", async () => {
  const { clock, sent, tell } = anEvents();
  for (let n = 0; n < 60; n += 1) tell(`u${n}`, "Created", "Normal");
  await clock.advance(0);
  expect(sent).toHaveLength(50);
  await clock.advance(1000);
  expect(sent).toHaveLength(60);
});

test("when too many wait, Normal ones are dropped, as who tells them hears, and a Warning takes the place of one", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { clock, sent, tell } = anEvents({ until: promise });
  for (let n = 0; n < 1500; n += 1) tell(`u${n}`, "Created", "Normal");
  expect([tell("v", "Created", "Normal"), tell("w", "CreateError", "Warning")]).toEqual([false, true]);
  // Nor is it told by being told again.
  expect(tell("v", "Created", "Normal")).toBe(false);
  resolve();
  await clock.advance(200_000);
  // The one on its way, and a thousand that waited.
  expect(sent).toHaveLength(1001);
  expect(sent.map(({ event }) => event.reason)).toContain("CreateError");
});

test("a Warning does not wait behind a crowd that is well; Warnings keep their order", async () => {
  const { clock, sent, tell } = anEvents();
  for (let n = 0; n < 200; n += 1) tell(`u${n}`, "Created", "Normal");
  await clock.advance(0);
  const before = sent.length;
  tell("w", "CreateError", "Warning");
  tell("w", "UpdateError", "Warning");
  await clock.advance(400);
  expect(sent.slice(before, before + 3).map(({ event }) => event.reason)).toEqual([
    "CreateError",
    "UpdateError",
    "Created",
  ]);
});

test("after the stop nothing is told", async () => {
  const { clock, sent, tell, events } = anEvents();
  events.stop();
  tell("u", "Created");
  await clock.advance(0);
  expect(sent).toEqual([]);
});

test("who tells of a kind has the name by which people have filtered events so far", () => {
  const kinds = [AgentEndpoint, BoundEndpoint, CloudEndpoint, Domain, Gateway, GatewayClass, HTTPRoute, IPPolicy];
  const others = [Ingress, KubernetesOperator, NgrokTrafficPolicy, Service, TCPRoute, TLSRoute];
  expect(Object.fromEntries([...kinds, ...others].map((kind) => [kind.kind, tellerOf(kind)]))).toEqual({
    AgentEndpoint: "agentendpoint-controller",
    BoundEndpoint: "bindings-controller",
    CloudEndpoint: "cloud-endpoint-controller",
    Domain: "domain-controller",
    Gateway: "gateway-controller",
    GatewayClass: "gateway-class",
    HTTPRoute: "gateway-controller",
    IPPolicy: "ip-policy-controller",
    Ingress: "ingress-controller",
    KubernetesOperator: "kubernetes-operator-controller",
    NgrokTrafficPolicy: "policy-controller",
    Service: "service-controller",
    TCPRoute: "tcp-route",
    TLSRoute: "tls-route",
  });
});
