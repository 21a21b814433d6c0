// A look at one of thousands of Gateways takes from the caches what it needs and no more, whatever keeps the others from
// being served, and however many ReferenceGrants there are.
import { expect, test, vi } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { GatewayListener } from "#kube/routing-objects.ts";
import { aGateway, anNgrokTrafficPolicy, aService } from "#test/support/builders.ts";
import { aCaConfigMap, aGrant, aNamespace, aTlsSecret, aWebRoute } from "#test/support/gateway-ground.ts";
import { classes, emptyCluster, gatewayClasses, kindOf, options, store } from "#test/support/hosts.ts";
import type { Options } from "#operator/translate/model.ts";
import { translate } from "#operator/translate/translate.ts";
import { hostKey, seedOf } from "./keys.ts";
import { ClusterLook } from "./look.ts";
import { sliceOf } from "./slice.ts";

const service = aService({ metadata: { name: "a", namespace: "shop", uid: "a" }, spec: { ports: [{ port: 80 }] } });

interface Each {
  readonly gateway?: Parameters<typeof aGateway>[0];
  /** Of its listener, HTTPS on 443. */
  readonly listener?: Partial<GatewayListener>;
  readonly route?: NonNullable<RouteObject["spec"]>;
  readonly routesIn?: string;
}

/** A Gateway with a host of its own, and its route to the one Service. */
function one(at: number, each: Each = {}): [GatewayObject, RouteObject] {
  const { gateway = {}, route = {}, routesIn = "shop" } = each;
  const name = String(at).padStart(4, "0");
  const listener = { name: "l", hostname: `h${at}.example.com`, port: 443, protocol: "HTTPS", ...each.listener };
  const backendRefs = [{ name: "a", namespace: "shop", port: 80 }];
  return [
    aGateway({
      ...gateway,
      metadata: { name, namespace: "shop", uid: `gateway-${at}`, ...gateway.metadata },
      spec: { listeners: [listener], ...gateway.spec },
    }),
    aWebRoute(
      {
        parentRefs: [{ name, namespace: "shop" }],
        rules: [{ matches: [{ path: { type: "PathPrefix", value: "/" } }], backendRefs }],
        ...route,
      },
      { name, namespace: routesIn },
    ),
  ];
}

const thousand = (each: Each = {}): KubeObject[] => Array.from({ length: 1_000 }, (_, at) => one(at, each)).flat();

/** What a look at one of them takes from the caches after its route has changed, object by object. */
function lookedAt(
  objects: readonly KubeObject[],
  { more = {}, each = {} }: { more?: Partial<Options>; each?: Each } = {},
) {
  const cache = emptyCluster();
  for (const object of [...gatewayClasses, service, ...objects]) store(cache, object);
  const given = { ...options, ...more };
  const seed = seedOf(hostKey("h500.example.com"));
  sliceOf(seed, new ClusterLook(cache, classes, given));
  const [, route] = one(500, each);
  store(cache, { ...route, metadata: { ...route.metadata, labels: { changed: "yes" } } });
  const [by, get, all] = [vi.spyOn(cache, "by"), vi.spyOn(cache, "get"), vi.spyOn(cache, "all")];
  const look = new ClusterLook(cache, classes, given);
  const slice = sliceOf(seed, look);
  const seen = new Set([...slice.hosts, ...slice.beside]);
  translate(look.view(look.askingFor(seen)), given, seen);
  const listed = by.mock.results.flatMap(({ value }) => value as readonly unknown[]).length;
  const walked = all.mock.calls.reduce((sum, [kind]) => sum + cache.store(kind).size, 0);
  return { slice, objects: listed + walked + get.mock.calls.length };
}

test("one of a thousand Gateways on one Service is looked at with two others, and alone decided about", () => {
  const { slice, objects } = lookedAt(thousand());
  expect(objects).toBeLessThan(120);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
  expect([...slice.beside].toSorted()).toEqual(["h0.example.com", "h1.example.com"]);
});

test("of the Gateways on one Service those that reach it in another way are found among the thousand", () => {
  const others = thousand().filter(({ metadata }) => metadata.name !== "0900");
  const { slice, objects } = lookedAt([...others, ...one(900, { listener: { port: 80, protocol: "HTTP" } })]);
  expect(objects).toBeLessThan(150);
  expect([...slice.hosts].toSorted()).toEqual(["h500.example.com", "h900.example.com"]);
});

test.for<[string, Each]>([
  ["their class, which is another controller's", { gateway: { spec: { gatewayClassName: "other" } } }],
  ["their class, which is not there", { gateway: { spec: { gatewayClassName: "gone" } } }],
  ["their end", { gateway: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } } }],
  [
    "a traffic policy that is not there",
    { gateway: { metadata: { annotations: { "ngrok.com/traffic-policy": "x" } } } },
  ],
  ["a certificate that is not there", { listener: { tls: { certificateRefs: [{ name: "x" }] } } }],
  ["routes of another namespace", { routesIn: "elsewhere" }],
  ["host names of the routes that are not theirs", { route: { hostnames: ["other.example.com"] } }],
  ["a Service that is not there", { route: { rules: [{ backendRefs: [{ name: "gone", port: 80 }] }] } }],
  ["a port that the Service does not have", { route: { rules: [{ backendRefs: [{ name: "a", port: 81 }] }] } }],
])("one of a thousand Gateways on one Service that are refused for %s is looked at alone", ([, each]) => {
  const { slice, objects } = lookedAt(thousand(each), { each });
  expect(objects).toBeLessThan(60);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
  expect([...slice.beside]).toEqual([]);
});

const abroad: Each = { listener: { allowedRoutes: { namespaces: { from: "All" } } }, routesIn: "elsewhere" };

test("a thousand Gateways whose routes lack a grant are looked at alone, and with two where none is asked for", () => {
  const objects = thousand(abroad);
  const refused = lookedAt(objects, { each: abroad });
  expect(refused.objects).toBeLessThan(60);
  expect([...refused.slice.beside]).toEqual([]);
  const free = lookedAt(objects, { each: abroad, more: { referenceGrants: false } });
  expect(free.objects).toBeLessThan(120);
  expect([...free.slice.beside].toSorted()).toEqual(["h0.example.com", "h1.example.com"]);
});

test("a reference into a namespace is looked up among the grants of that namespace, not among thousands of others", () => {
  const from = { kind: "HTTPRoute", namespace: "elsewhere" };
  const grants = Array.from({ length: 1_000 }, (_, at) => aGrant({ in: `n${at}`, from, to: { kind: "Service" } }));
  const granted = aGrant({ in: "shop", from, to: { kind: "Service", name: "a" } });
  const { slice, objects } = lookedAt([...one(500, abroad), ...grants, granted], { each: abroad });
  expect(objects).toBeLessThan(60);
  expect([...slice.services]).toEqual(["shop/a"]);
});

const grant = aGrant({ in: "shop", from: { kind: "HTTPRoute", namespace: "elsewhere" }, to: { kind: "Service" } });
const matchLabels = { open: "yes" };
const [gateway, route] = one(0);

/** What a Gateway needs, or its route, to lead to the Service; `there` before that. */
const needed: readonly { what: string; each?: Each; there?: readonly KubeObject[]; comes: KubeObject }[] = [
  { what: "the Gateway", there: [route], comes: gateway },
  { what: "its route", there: [gateway], comes: route },
  {
    what: "its certificate",
    each: { listener: { tls: { certificateRefs: [{ name: "cert" }] } } },
    comes: aTlsSecret("cert", "shop"),
  },
  {
    what: "its authority",
    each: {
      listener: { tls: {} },
      gateway: {
        spec: {
          tls: { frontend: { default: { validation: { caCertificateRefs: [{ kind: "ConfigMap", name: "ca" }] } } } },
        },
      },
    },
    comes: aCaConfigMap("ca", "shop"),
  },
  {
    what: "its traffic policy",
    each: { gateway: { metadata: { annotations: { "ngrok.com/traffic-policy": "office" } } } },
    comes: anNgrokTrafficPolicy({ metadata: { name: "office", namespace: "shop" } }),
  },
  { what: "the grant for its route", each: abroad, comes: grant },
  {
    what: "the label of its route's Namespace",
    each: { ...abroad, listener: { allowedRoutes: { namespaces: { from: "Selector", selector: { matchLabels } } } } },
    there: [grant],
    comes: aNamespace("elsewhere", matchLabels),
  },
];

test.for(needed)("a Gateway leads to a Service as soon as $what is there, and no longer than that", (case_) => {
  const { each, there = [], comes } = case_;
  const cache = emptyCluster();
  const users = (): string[] =>
    new ClusterLook(cache, classes, options).usersOf("shop/a").flatMap(({ names }) => [...names]);
  const whole = each === undefined ? [] : one(0, each);
  for (const object of [...gatewayClasses, service, ...whole, ...there]) store(cache, object);
  expect(users()).toEqual([]);
  store(cache, comes);
  expect(users()).toEqual(["h0.example.com"]);
  cache.store(kindOf(comes)).remove(comes);
  expect(users()).toEqual([]);
});

test("a Gateway leads to a Service while that has the port", () => {
  const cache = emptyCluster();
  const users = (): number => new ClusterLook(cache, classes, options).usersOf("shop/a").length;
  for (const object of [...gatewayClasses, ...one(0)]) store(cache, object);
  for (const [port, length] of [
    [81, 0],
    [80, 1],
    [81, 0],
  ]) {
    store(cache, { ...service, spec: { ports: [{ port }] } } as KubeObject);
    expect(users()).toBe(length);
  }
});
