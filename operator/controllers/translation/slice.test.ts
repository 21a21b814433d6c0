// A look at a few hosts gives for them what a look at the whole cluster gives, and stays small however large that is.
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { Domain } from "#api/domain.ts";
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import {
  type GatewayObject,
  Ingress,
  IngressClass,
  type IngressClassObject,
  type IngressObject,
  type RouteObject,
} from "#kube/kinds.ts";
import { referencesOfGateway, referencesOfRoute } from "#operator/translate/gateway/references.ts";
import { hostOfUrl } from "#operator/endpoint/host.ts";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import { aService } from "#test/support/builders.ts";
import {
  classes,
  copies,
  emptyCluster,
  gatewayClasses,
  gatewayOf,
  ingressOf,
  key,
  options,
  policies,
  routeOf,
  services,
  type Sketch,
  store,
  worlds,
} from "#test/support/hosts.ts";
import { HOSTS_IN_ORDER } from "./indexes.ts";
import { hostKey, hostsOfIngress, seedOf, serviceKeyOf, serviceOfEndpoint, servicesOfIngress } from "./keys.ts";
import { ClusterLook } from "./look.ts";
import { sliceOf } from "./slice.ts";
import { within } from "./within.ts";

function clusterOf(
  ingresses: readonly IngressObject[],
  gateways: readonly GatewayObject[] = [],
  routes: readonly RouteObject[] = [],
  permits: readonly KubeObject[] = [],
) {
  const objects = [
    ...classes,
    ...services,
    ...copies,
    ...policies,
    ...gatewayClasses,
    key,
    ...ingresses,
    ...gateways,
    ...routes,
    ...permits,
  ];
  const cache = emptyCluster();
  for (const one of objects) store(cache, one);
  const look = new ClusterLook(cache, classes, options);
  return { cache, look, whole: translate(index(objects), options) };
}

type Found = ReturnType<typeof translate>["endpoints"][number];

/** The service of an AgentEndpoint, the host of a CloudEndpoint: the place at which it is decided about. */
const placeOf = (one: Found): string =>
  "upstream" in one.spec
    ? serviceKeyOf(serviceOfEndpoint(one as AgentEndpoint)[0] ?? "")
    : hostKey(hostOfUrl(one.spec.url)[0] ?? "");
const named = (all: readonly Found[]) => new Map(all.map((one) => [`${one.kind} ${keyOf(refOf(one))}`, one]));

/** Which of two hosts gets the plain name of a Domain is settled by who comes first: it is not made anew for it. */
const nameless = ({ metadata, ...rest }: Domain) => ({ ...rest, metadata: { ...metadata, name: "" } });

const plain: Omit<Sketch, "hosts"> = {
  fallback: undefined,
  foreign: false,
  deleting: false,
  verbose: false,
  refused: false,
  description: undefined,
};

/** The second is refused on the host that both name, for its default backend, and uses that from its other host alone. */
const refusedOnOne: Sketch[] = [
  { ...plain, hosts: [["one.example.com", "a", 80]] },
  {
    ...plain,
    hosts: [
      ["one.example.com", "a", 80],
      ["*.example.com", "c", 80],
    ],
    fallback: "d",
  },
];

/**
 * The last is looked at with the hosts of the first. One of them the third asks for as well, which is refused on its other
 * host for what the second says there: nobody looks at that host.
 */
const refusedAside: Sketch[] = [
  {
    ...plain,
    hosts: [
      ["*.example.com", "a", 8080],
      ["two.example.com", "a", 8080],
    ],
  },
  { ...plain, hosts: [["four.internal", "c", 80]], fallback: "d" },
  {
    ...plain,
    hosts: [
      ["four.internal", "a", 80],
      ["*.example.com", "a", 9],
    ],
  },
  { ...plain, hosts: [["one.example.com", "a", 8080]] },
];

test("whatever is asked of a slice comes out as from the whole, and what is not in the whole is not in it", () => {
  fc.assert(
    fc.property(worlds, ([sketches, gatewaySketches, routeSketches, permits]) => {
      const ingresses = sketches.map(ingressOf);
      const gateways = gatewaySketches.map(gatewayOf);
      const routes = routeSketches.map(routeOf);
      const { look, whole } = clusterOf(ingresses, gateways, routes, permits);
      const seeds = new Set([
        ...ingresses.flatMap(hostsOfIngress).map(hostKey),
        ...ingresses.flatMap(servicesOfIngress).map(serviceKeyOf),
        ...gateways.flatMap((one) => referencesOfGateway(one).hosts).map(hostKey),
        ...routes.flatMap((one) => referencesOfRoute(one).services).map(serviceKeyOf),
      ]);
      for (const seed of seeds) {
        const slice = sliceOf(seedOf(seed), look);
        const seen = new Set([...slice.hosts, ...slice.beside]);
        const part = within(slice, translate(look.view(look.askingFor(seen)), options, seen));
        const decided = new Set([...[...slice.hosts].map(hostKey), ...[...slice.services].map(serviceKeyOf)]);
        expect(decided.has(seed)).toBe(true);
        // All that the slice makes is what the whole makes there, and nothing that the whole makes there is missing.
        expect(named(part.endpoints)).toEqual(named(whole.endpoints.filter((one) => decided.has(placeOf(one)))));
        const domains = whole.domains.filter(({ spec }) => slice.hosts.has(spec.domain));
        expect(part.domains.map(nameless)).toEqual(domains.map(nameless));
      }
    }),
    { numRuns: 100, examples: [[[refusedOnOne, [], [], []]], [[refusedAside, [], [], []]]] },
  );
}, 60_000);

/** A thousand hosts, all on one port of one Service. */
const thousand = (service: string, port: string | number, more: Partial<Sketch> = {}): IngressObject[] =>
  Array.from({ length: 1_000 }, (_, at) =>
    ingressOf({ ...plain, hosts: [[`h${at}.example.com`, service, port]], ...more }, at),
  );

/** What a look at one of them takes from the cache: objects, one by one or by an index. */
function lookedAt(ingresses: readonly IngressObject[], present: readonly IngressClassObject[] = classes) {
  const { cache } = clusterOf(ingresses);
  for (const one of classes.filter((each) => !present.includes(each))) cache.store(IngressClass).remove(one);
  // Who asks first has what the Ingresses lead to worked out for all that come after.
  cache.inOrder(Ingress, HOSTS_IN_ORDER, "shop/a");
  const look = new ClusterLook(cache, present, options);
  const by = vi.spyOn(cache, "by");
  const get = vi.spyOn(cache, "get");
  const slice = sliceOf(seedOf(hostKey("h500.example.com")), look);
  const listed = by.mock.results.flatMap(({ value }) => value as readonly unknown[]).length;
  return { slice, objects: listed + get.mock.calls.length };
}

test("one of a thousand hosts on one Service is looked at with two others, and alone decided about", () => {
  const { slice, objects } = lookedAt(thousand("a", 80));
  // Each of a thousand keys is looked at like this: who asks for the others here asks a million times.
  expect(objects).toBeLessThan(40);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
  expect([...slice.beside].toSorted()).toEqual(["h0.example.com", "h1.example.com"]);
});

test.for([
  ["a Service that is not there", "gone", 80],
  ["a port that the Service does not have", "a", 81],
  ["a port name that the Service does not have", "a", "metrics"],
] as const)("one of a thousand hosts that are refused for %s is looked at alone", ([, service, port], { expect }) => {
  const { slice, objects } = lookedAt(thousand(service, port));
  expect(objects).toBeLessThan(20);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
  expect([...slice.services]).toEqual([`shop/${service}`]);
  expect([...slice.beside]).toEqual([]);
});

test.for<[string, Partial<Sketch>]>([
  ["their annotations", { refused: true }],
  ["a traffic policy that is not there", { policy: "missing" }],
  ["a default backend that is not there", { fallback: "gone" }],
  ["their class, which is another controller's", { foreign: true }],
  ["their end", { deleting: true }],
])("one of a thousand hosts on one Service that are refused for %s is looked at alone", ([, more], { expect }) => {
  const { slice, objects } = lookedAt(thousand("a", 80, more));
  expect(objects).toBeLessThan(20);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
});

test.for<[string, Partial<Sketch>]>([
  ["its namespace", { copied: true }],
  ["its traffic policy", { policy: "office" }],
  ["its pooling", { pooled: true }],
  ["its default backend", { fallback: "d" }],
])(
  "one of a thousand hosts on which a second Ingress is refused for %s is looked at alone, however many of those share a Service",
  ([, more], { expect }) => {
    const firsts = Array.from({ length: 1_000 }, (_, at) =>
      ingressOf({ ...plain, hosts: [[`h${at}.example.com`, "b", 80]] }, at),
    );
    const seconds = thousand("a", 80, more).map((one, at) => ({
      ...one,
      metadata: { ...one.metadata, name: `second-${at}` },
    }));
    const { slice, objects } = lookedAt([...firsts, ...seconds]);
    expect(objects).toBeLessThan(60);
    expect([...slice.hosts]).toEqual(["h500.example.com"]);
    expect(slice.services).toContain(more.copied === true ? "staging/a" : "shop/a");
    expect([...slice.beside].toSorted()).toEqual(["h0.example.com", "h1.example.com"]);
  },
);

test("one of a thousand hosts on one Service whose class has gone is looked at alone", () => {
  const { slice, objects } = lookedAt(thousand("a", 80), []);
  expect(objects).toBeLessThan(20);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
});

test("a thousand names that are none of hosts are not walked to find those that are served", () => {
  const refused = Array.from({ length: 1_000 }, (_, at) =>
    ingressOf({ ...plain, hosts: [[`h${at}.${"x".repeat(64)}.com`, "a", 80]] }, at),
  );
  const served = ingressOf({ ...plain, hosts: [["h500.example.com", "a", 80]] }, 1_000);
  const { slice, objects } = lookedAt([...refused, served]);
  expect(objects).toBeLessThan(40);
  expect([...slice.hosts]).toEqual(["h500.example.com"]);
});

test("a thousand refused hosts that the translator would come to first are not walked to find those that are served", () => {
  const served = [1_000, 1_001, 500].map((at) => {
    const one = ingressOf({ ...plain, hosts: [[`h${at}.example.com`, "a", 80]] }, at);
    return { ...one, metadata: { ...one.metadata, name: `last-${at}` } };
  });
  const refused = thousand("a", 80, { policy: "missing" }).filter((_, at) => at !== 500);
  const { slice, objects } = lookedAt([...refused, ...served]);
  expect(objects).toBeLessThan(40);
  expect([...slice.beside].toSorted()).toEqual(["h1000.example.com", "h1001.example.com"]);
});

test("a port that one of a thousand hosts uses as well is not looked for among the others", () => {
  const [first, ...others] = thousand("a", 80);
  const both = ingressOf(
    {
      ...plain,
      hosts: [
        ["h0.example.com", "a", 80],
        ["h0.example.com", "a", 8080],
      ],
    },
    0,
  );
  expect(first).toBeDefined();
  const { slice, objects } = lookedAt([both, ...others]);
  expect(objects).toBeLessThan(60);
  expect(slice.hosts).toContain("h500.example.com");
});

test("an Ingress of many hosts is read once a look, not once a host", () => {
  const many = (count: number) => {
    const hosts = Array.from({ length: count }, (_, at) => [`h${at}.example.com`, `s${at}`, 80] as const);
    const { cache, look } = clusterOf([ingressOf({ ...plain, hosts }, 0)]);
    for (const [, name] of hosts)
      store(cache, aService({ metadata: { name, namespace: "shop", uid: name }, spec: { ports: [{ port: 80 }] } }));
    const get = vi.spyOn(cache, "get");
    const slice = sliceOf(seedOf(hostKey("h0.example.com")), look);
    expect(slice.hosts.size).toBe(count);
    return get.mock.calls.length;
  };
  // Ten times the hosts, ten times the work.
  expect(many(300) / many(30)).toBeLessThan(12);
});
