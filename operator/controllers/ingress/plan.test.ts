// What an Ingress shows of its hosts.
import { expect, test } from "vitest";
import { aDomain, anIngress } from "#test/support/builders.ts";
import { domainEvents, hostsOf, loadBalancerOf, pickDomain, unservedEvent } from "./plan.ts";

const ready = (status: "True" | "False", message = "") => [
  { type: "Ready", status, reason: "X", message, lastTransitionTime: "2026-01-01T00:00:00Z" },
];
const domains = [
  aDomain({ spec: { domain: "b.example.com" }, status: { domain: "b.example.com", cnameTarget: "x.ngrok-cname.com" } }),
  aDomain({ spec: { domain: "a.ngrok.app" }, status: { domain: "a.ngrok.app" } }),
  aDomain({ spec: { domain: "*.ngrok.app" }, status: { domain: "*.ngrok.app", conditions: ready("False", "no DNS") } }),
  aDomain({ spec: { domain: "new.example.com" } }),
];
const domainOf = (host: string) => domains.find(({ spec }) => spec.domain === host);

test("each host leads to its CNAME target or to itself, sorted, each once", () => {
  expect(loadBalancerOf(["b.example.com", "a.ngrok.app", "*.ngrok.app", "new.example.com", "none"], domainOf)).toEqual({
    ingress: [{ hostname: "a.ngrok.app" }, { hostname: "ngrok.app" }, { hostname: "x.ngrok-cname.com" }],
  });
});

test("hosts are told once, in lower case", () => {
  const rules = ["A.example.com", "a.example.com", ""].map((host) => ({ host }));
  expect(hostsOf(anIngress({ spec: { rules } }))).toEqual(["a.example.com"]);
});

test("a Domain that is not ready is told with its reason; one that nobody has tried yet is not", () => {
  expect(domainEvents(["*.ngrok.app", "new.example.com"], domainOf)).toMatchObject({
    reason: "DomainNotReady",
    note: 'Domain "*.ngrok.app" is not ready: no DNS',
  });
  expect(domainEvents(["a.ngrok.app", "new.example.com"], domainOf)).toBeUndefined();
});

test("of two Domains for a host that of the same namespace counts, else the first", () => {
  const [a, b] = ["a", "b"].map((namespace) => aDomain({ metadata: { namespace } }));
  expect(
    pickDomain(
      [b, a].flatMap((one) => one ?? []),
      "b",
    ),
  ).toBe(b);
  expect(
    pickDomain(
      [b, a].flatMap((one) => one ?? []),
      "c",
    ),
  ).toBe(a);
  expect(pickDomain([], "c")).toBeUndefined();
});

const problem = { object: "Ingress default/shop", reason: "x", effect: "refused" as const };
const CLASS = { ...problem, field: "spec.ingressClassName" };
const HOST = { ...problem, field: "spec.rules[0].host" };
const ANNOTATION = {
  ...problem,
  field: 'metadata.annotations["kubernetes.io/ingress.class"]',
  effect: "ignored" as const,
};

test("why an Ingress is not served is told by the reason that releases so far have used", () => {
  const told = (...problems: (typeof CLASS | typeof ANNOTATION)[]) => unservedEvent({ served: false, problems });
  expect(told(CLASS)?.reason).toBe("NoDefaultIngressClassFound");
  expect(told(HOST)).toMatchObject({ reason: "InvalidIngressSpec", note: "spec.rules[0].host: x" });
  expect(told(ANNOTATION, HOST)?.note).toBe(`${ANNOTATION.field}: x; spec.rules[0].host: x`);
  expect(told()).toBeUndefined();
});

test("of an Ingress that is served only what is wrong with its class is told here, the rest by the translation", () => {
  expect(unservedEvent({ served: true, problems: [ANNOTATION] })).toBeUndefined();
  expect(unservedEvent({ served: true, problems: [ANNOTATION, CLASS] })).toMatchObject({
    reason: "NoDefaultIngressClassFound",
    note: "spec.ingressClassName: x",
  });
});
