// What wakes the translation: a change of whatever an Ingress or a Gateway leans on wakes its hosts, and nobody else's.
import { expect, test, vi } from "vitest";
import { DEFAULT_CLASS } from "#api/classes.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  ReferenceGrant,
  Secret,
  Service,
} from "#kube/kinds.ts";
import { Cache, type Change } from "#operator/runtime/cache.ts";
import { gatewayIndexes, routeIndexes } from "#operator/translate/gateway/links.ts";
import {
  aGateway,
  aGatewayClass,
  anIngress,
  anIngressClass,
  anNgrokTrafficPolicy,
  aService,
} from "#test/support/builders.ts";
import { aCaConfigMap, aGrant, aNamespace, aTlsSecret, aWebRoute } from "#test/support/gateway-ground.ts";
import { emptyCluster, options, store } from "#test/support/hosts.ts";
import { ClusterLook } from "./look.ts";
import { sources } from "./sources.ts";

interface Held {
  readonly kind: Kind;
  readonly object: KubeObject;
}

const held = (kind: Kind, object: KubeObject): Held => ({ kind, object });

/** An Ingress and a Gateway with all that the two can lean on; nothing is shared by two shops of different names. */
function aShop(name: string): Readonly<Record<string, Held>> {
  const [certs, routes] = [`${name}-certs`, `${name}-routes`];
  const annotations = { "ngrok.com/traffic-policy": "office" };
  const backend = { service: { name: "web", port: { number: 80 } } };
  const rules = [{ host: `ing.${name}.com`, http: { paths: [{ path: "/", pathType: "Prefix" as const, backend }] } }];
  const listener = {
    name: "https",
    hostname: `gw.${name}.com`,
    port: 443,
    protocol: "HTTPS",
    tls: { certificateRefs: [{ name: "cert", namespace: certs }] },
    allowedRoutes: { namespaces: { from: "Selector" as const, selector: { matchLabels: { open: "yes" } } } },
  };
  const validation = { caCertificateRefs: [{ kind: "ConfigMap", name: "ca", namespace: certs }] };
  const from = { kind: "Gateway", namespace: name };
  return {
    "its IngressClass": held(IngressClass, anIngressClass({ metadata: { name } })),
    "its Ingress": held(
      Ingress,
      anIngress({ metadata: { name, namespace: name, annotations }, spec: { ingressClassName: name, rules } }),
    ),
    "its Service": held(
      Service,
      aService({ metadata: { name: "web", namespace: name }, spec: { ports: [{ port: 80 }] } }),
    ),
    "its traffic policy": held(
      NgrokTrafficPolicy,
      anNgrokTrafficPolicy({ metadata: { name: "office", namespace: name } }),
    ),
    "its GatewayClass": held(GatewayClass, aGatewayClass({ metadata: { name } })),
    "its Gateway": held(
      Gateway,
      aGateway({
        metadata: { name, namespace: name, annotations },
        spec: { gatewayClassName: name, listeners: [listener], tls: { frontend: { default: { validation } } } },
      }),
    ),
    "its certificate": held(Secret, aTlsSecret("cert", certs)),
    "its authority": held(ConfigMap, aCaConfigMap("ca", certs)),
    "the grant for both": held(ReferenceGrant, aGrant({ in: certs, from, to: { kind: "Secret" } })),
    "its route": held(
      HTTPRoute,
      aWebRoute(
        {
          parentRefs: [{ name, namespace: name }],
          rules: [{ backendRefs: [{ name: "web", namespace: name, port: 80 }] }],
        },
        { name, namespace: routes },
      ),
    ),
    "the Namespace of its route": held(Namespace, aNamespace(routes, { open: "yes" })),
    "the grant for its route": held(
      ReferenceGrant,
      aGrant({ in: name, from: { kind: "HTTPRoute", namespace: routes }, to: { kind: "Service" } }),
    ),
  };
}

/** In the same namespaces and of the same names, as far as they may be, and yet leaning on nothing of a shop. */
function besides(name: string): readonly KubeObject[] {
  const rules = [{ host: `beside.${name}.com`, http: { paths: [] } }];
  const listeners = [{ name: "https", hostname: `beside.${name}.com`, port: 443, protocol: "HTTPS" }];
  return [
    anIngress({ metadata: { name: "beside", namespace: name }, spec: { ingressClassName: undefined, rules } }),
    aGateway({ metadata: { name: "beside", namespace: name }, spec: { gatewayClassName: "beside", listeners } }),
    // Its Gateway does not choose by Namespaces, and its Service needs no grant.
    aWebRoute({ parentRefs: [{ name: "beside", namespace: name }] }, { name: "beside", namespace: `${name}-routes` }),
  ];
}

const [INGRESS, GATEWAY] = ["host ing.mine.com", "host gw.mine.com"];
const SERVICE = "service mine/web";

const woken: readonly (readonly [what: string, whenChanged: readonly string[], whenGone: readonly string[]])[] = [
  ["its IngressClass", [INGRESS], [INGRESS]],
  // What only it sent to is nobody's any more.
  ["its Ingress", [INGRESS], [INGRESS, SERVICE]],
  ["its Service", [GATEWAY, INGRESS], [GATEWAY, INGRESS]],
  ["its traffic policy", [GATEWAY, INGRESS], [GATEWAY, INGRESS]],
  ["its GatewayClass", [GATEWAY], [GATEWAY]],
  ["its Gateway", [GATEWAY, SERVICE], [GATEWAY, SERVICE]],
  ["its certificate", [GATEWAY], [GATEWAY]],
  ["its authority", [GATEWAY], [GATEWAY]],
  ["the grant for both", [GATEWAY], [GATEWAY]],
  ["its route", [GATEWAY], [GATEWAY, SERVICE]],
  ["the Namespace of its route", [GATEWAY], [GATEWAY]],
  ["the grant for its route", [GATEWAY], [GATEWAY]],
];

test.for(woken)("a change of %s wakes what leans on it, and nothing of anybody else's", ([what, changed, gone]) => {
  const cache = emptyCluster();
  const mine = aShop("mine");
  for (const { kind, object } of [...Object.values(mine), ...Object.values(aShop("theirs"))])
    cache.store<KubeObject>(kind).put(object);
  for (const object of besides("mine")) store(cache, object);
  const { kind, object } = named(mine, what);
  const keys = new Set<string>();
  for (const source of sources.filter((one) => one.kind.kind === kind.kind))
    cache.store(kind).onChange((change: Change) => {
      for (const key of source.keys({ ...change, first: false }, cache)) keys.add(key);
    });
  const { metadata } = object;

  cache.store<KubeObject>(kind).put({ ...object, status: { seen: "yes" } } as KubeObject);
  expect([...keys]).toEqual([]);
  cache
    .store<KubeObject>(kind)
    .put({ ...object, metadata: { ...metadata, labels: { ...metadata.labels, new: "yes" } } });
  expect([...keys].toSorted()).toEqual(changed);
  keys.clear();
  cache.store<KubeObject>(kind).remove(object);
  expect([...keys].toSorted()).toEqual(gone);
});

test("an Ingress without a class is woken by a class that is the default, or was it", () => {
  const cache = emptyCluster();
  store(cache, anIngress({ metadata: { name: "plain", namespace: "shop" }, spec: { ingressClassName: undefined } }));
  const plain = anIngressClass({ metadata: { name: "a" } });
  const standard = anIngressClass({ metadata: { name: "a", annotations: { [DEFAULT_CLASS]: "true" } } });
  const told = (before: KubeObject | undefined, after: KubeObject | undefined) =>
    sourceOf(IngressClass).keys({ before, after, first: false }, cache);
  expect(told(undefined, plain)).toEqual([]);
  expect(told(plain, standard)).toEqual(["host shop.example.com"]);
  expect(told(standard, plain)).toEqual(["host shop.example.com"]);
  expect(told(plain, undefined)).toEqual([]);
});

test("an Ingress whose class is missing is woken when its stamp or its finalizer comes or goes; where its class is there that says nothing", () => {
  const cache = emptyCluster();
  const of = (finalizers: string[], annotations: Record<string, string>) =>
    anIngress({ metadata: { name: "shop", finalizers, annotations }, spec: { ingressClassName: "gone" } });
  const [stamp, finalizers] = [{ [DRAIN_OWNER]: "ops/ngrok" }, [FINALIZER]];
  const held_ = of(finalizers, stamp);
  const free = [of(finalizers, {}), of([], stamp), of([], {})];
  const told = (before: KubeObject, after: KubeObject) =>
    sourceOf(Ingress).keys({ before, after, first: false }, cache);
  const turns = (): (readonly string[])[] => free.flatMap((one) => [told(held_, one), told(one, held_)]);
  expect(turns()).toEqual(turns().map(() => ["host shop.example.com"]));
  expect(told(free[0]!, free[1]!)).toEqual([]);
  store(cache, anIngressClass({ metadata: { name: "gone" } }));
  expect(turns()).toEqual(turns().map(() => []));
});

test("a grant for the certificate that a Gateway shows wakes it if a route of it leads into that namespace", () => {
  const cache = emptyCluster();
  const showing = (name: string, certificate: string, leadsTo: string): void => {
    const listeners = [{ name: "https", hostname: `${name}.example.com`, port: 443, protocol: "HTTPS" }];
    const tls = { backend: { clientCertificateRef: { name: certificate } } };
    store(cache, aGateway({ metadata: { name, namespace: "infra" }, spec: { listeners, tls } }));
    const rules = [{ backendRefs: [{ name: "web", namespace: leadsTo, port: 80 }] }];
    store(cache, aWebRoute({ parentRefs: [{ name, namespace: "infra" }], rules }, { name, namespace: "infra" }));
  };
  showing("here", "client", "shop");
  showing("other-certificate", "another", "shop");
  showing("elsewhere", "client", "depot");
  const granted = (name?: string) => {
    const to = { kind: "Secret", ...(name === undefined ? {} : { name }) };
    const after = aGrant({ in: "shop", from: { kind: "Gateway", namespace: "infra" }, to });
    return sourceOf(ReferenceGrant).keys({ before: undefined, after, first: false }, cache);
  };
  expect(granted("client")).toEqual(["host here.example.com"]);
  expect(granted()).toEqual(["host here.example.com", "host other-certificate.example.com"]);
});

test("with Gateway API off a Gateway that is watched to be let go of asks for nothing", () => {
  const cache = new Cache();
  cache.add(Gateway, gatewayIndexes);
  cache.add(HTTPRoute, routeIndexes);
  const { "its Gateway": gateway, "its route": route } = aShop("mine");
  for (const { kind, object } of [gateway!, route!]) cache.store<KubeObject>(kind).put(object);
  expect(new ClusterLook(cache, [], options).askingFor(["gw.mine.com"]).gateways).toEqual([]);
  const after = aService({ metadata: { name: "web", namespace: "mine" } });
  expect(sourceOf(Service).keys({ before: undefined, after, first: false }, cache)).toEqual([]);
});

test("of a Namespace only the labels are news", () => {
  const cache = emptyCluster();
  for (const { object } of Object.values(aShop("mine"))) store(cache, object);
  const before = aNamespace("mine-routes", { open: "yes" });
  const after = { ...before, metadata: { ...before.metadata, annotations: { seen: "yes" } } };
  expect(sourceOf(Namespace).keys({ before, after, first: false }, cache)).toEqual([]);
});

test("of a Namespace not even the labels are, where no listener chooses by them: its routes are not looked at", () => {
  const cache = emptyCluster();
  for (const object of besides("mine")) store(cache, object);
  const looked = vi.spyOn(cache, "by");
  const after = aNamespace("mine-routes", { open: "yes" });
  expect(sourceOf(Namespace).keys({ before: undefined, after, first: false }, cache)).toEqual([]);
  expect(new Set(looked.mock.calls.map(([kind]) => kind.kind))).toEqual(new Set(["Gateway"]));
});

function sourceOf(kind: Kind): (typeof sources)[number] {
  const found = sources.find((one) => one.kind.kind === kind.kind);
  if (found === undefined) throw new Error(`nothing is woken by a ${kind.kind}`);
  return found;
}

function named(shop: Readonly<Record<string, Held>>, what: string): Held {
  const found = shop[what];
  if (found === undefined) throw new Error(`a shop has no ${what}`);
  return found;
}

test("every kind that wakes it is one of these, or made by it", () => {
  const told = new Set(Object.values(aShop("mine")).map(({ kind }) => kind.kind));
  const others = sources.map(({ kind }) => kind.kind).filter((kind) => !told.has(kind));
  expect(others.toSorted()).toEqual(["AgentEndpoint", "CloudEndpoint", "Domain", "TCPRoute", "TLSRoute"]);
});
