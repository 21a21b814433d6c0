// Which hosts are reserved, where, and under which name.
import { expect, test } from "vitest";
import { aDomain, anIngressClass } from "#test/support/builders.ts";
import { backend, ingress, LABELS, translated } from "#test/support/translating.ts";
import { distinctDomainName } from "#api/names.ts";

const shop = backend("shop");
const to = [{ to: "shop" }];
const names = (...objects: Parameters<typeof translated>[0]) =>
  translated([shop, ...objects]).domains.map(
    ({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${spec.domain}`,
  );

test("a host's Domain, complete to the letter", () => {
  expect(translated([shop, ingress("a", { "*.example.com": to })]).domains).toEqual([
    {
      apiVersion: "ingress.k8s.ngrok.com/v1alpha1",
      kind: "Domain",
      metadata: { name: "wildcard-example-com", namespace: "default", labels: LABELS },
      spec: { domain: "*.example.com", reclaimPolicy: "Delete" },
    },
  ]);
  expect(
    translated([ingress("a", { "a.example.com": to })], { domainReclaimPolicy: "Retain" }).domains[0]?.spec
      .reclaimPolicy,
  ).toBe("Retain");
});

test("each host once, whether or not its backends are there; an internal one is reserved nowhere", () => {
  const first = ingress("a", { "a.example.com": to, "shop.internal": to });
  const second = ingress("b", { "a.example.com": [{ to: "gone" }], "b.example.com": [{ to: "gone" }] });
  expect(names(first, second)).toEqual(["default/a-example-com a.example.com", "default/b-example-com b.example.com"]);
});

test("a host that the first Ingress cannot serve is reserved where the second serves it", () => {
  const bad = { "ngrok.com/traffic-policy": "gone" };
  const first = ingress("a", { "a.example.com": to }, { namespace: "alpha", annotations: bad });
  expect(names(first)).toEqual(["alpha/a-example-com a.example.com"]);
  expect(names(first, ingress("b", { "a.example.com": to }))).toEqual(["default/a-example-com a.example.com"]);
});

test("two hosts under one name: the first by the alphabet has it, the other's says which it is", () => {
  const both = [ingress("a", { "a.b.com": to }), ingress("b", { "a-b.com": to })];
  expect(names(...both)).toEqual(["default/a-b-com a-b.com", `default/${distinctDomainName("a.b.com")} a.b.com`]);
});

test("a Domain that is there keeps its name, and its name is nobody else's", () => {
  const one = ingress("a", { "a.b.com": to });
  const plain = aDomain({ metadata: { name: "a-b-com" }, spec: { domain: "a-b.com" } });
  const distinct = aDomain({ metadata: { name: distinctDomainName("a.b.com") }, spec: { domain: "a.b.com" } });
  expect(names(one, plain)).toEqual([`default/${distinctDomainName("a.b.com")} a.b.com`]);
  expect(names(one, distinct)).toEqual([`default/${distinctDomainName("a.b.com")} a.b.com`]);
});

test("an Ingress of another class reserves nothing", () => {
  const other = ingress("a", { "a.example.com": to });
  other.spec = { ...other.spec, ingressClassName: "nginx" };
  expect(names(other, anIngressClass({ metadata: { name: "nginx" }, spec: { controller: "k8s.io/nginx" } }))).toEqual(
    [],
  );
});
