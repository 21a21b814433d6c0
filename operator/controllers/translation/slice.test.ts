// A look at a few hosts gives for them what a look at the whole cluster gives, and stays small however large that is.
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import type { GatewayObject, IngressObject, RouteObject } from "#kube/kinds.ts";
import { referencesOfGateway, referencesOfRoute } from "#operator/translate/gateway/references.ts";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import {
  classes,
  emptyCluster,
  gatewayClasses,
  gatewayOf,
  ingressOf,
  options,
  routeOf,
  services,
  store,
  worlds,
} from "#test/support/hosts.ts";
import {
  hostKey,
  hostOfUrl,
  hostsOfIngress,
  seedOf,
  serviceKeyOf,
  serviceOfEndpoint,
  servicesOfIngress,
} from "./keys.ts";
import { ClusterLook } from "./look.ts";
import { sliceOf } from "./slice.ts";
import { within } from "./within.ts";

function clusterOf(
  ingresses: readonly IngressObject[],
  gateways: readonly GatewayObject[] = [],
  routes: readonly RouteObject[] = [],
) {
  const objects = [...classes, ...services, ...gatewayClasses, ...ingresses, ...gateways, ...routes];
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

test("whatever is asked of a slice comes out as from the whole, and what is not in the whole is not in it", () => {
  fc.assert(
    fc.property(worlds, ([sketches, gatewaySketches, routeSketches]) => {
      const ingresses = sketches.map(ingressOf);
      const gateways = gatewaySketches.map(gatewayOf);
      const routes = routeSketches.map(routeOf);
      const { look, whole } = clusterOf(ingresses, gateways, routes);
      const seeds = new Set([
        ...ingresses.flatMap(hostsOfIngress).map(hostKey),
        ...ingresses.flatMap(servicesOfIngress).map(serviceKeyOf),
        ...gateways.flatMap((one) => referencesOfGateway(one).hosts).map(hostKey),
        ...routes.flatMap((one) => referencesOfRoute(one).services).map(serviceKeyOf),
      ]);
      for (const seed of seeds) {
        const slice = sliceOf(seedOf(seed), look);
        const part = within(slice, translate(look.view(look.askingFor([...slice.hosts, ...slice.beside])), options));
        const decided = new Set([...[...slice.hosts].map(hostKey), ...[...slice.services].map(serviceKeyOf)]);
        expect(decided.has(seed)).toBe(true);
        // All that the slice makes is what the whole makes there, and nothing that the whole makes there is missing.
        expect(named(part.endpoints)).toEqual(named(whole.endpoints.filter((one) => decided.has(placeOf(one)))));
        const domains = whole.domains.filter(({ spec }) => slice.hosts.has(spec.domain));
        expect(part.domains).toEqual(domains);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

/** A thousand hosts, all on one port of one Service. */
const thousand = (service: string, port: string | number): IngressObject[] =>
  Array.from({ length: 1_000 }, (_, at) =>
    ingressOf(
      {
        hosts: [[`h${at}.example.com`, service, port]],
        fallback: undefined,
        foreign: false,
        deleting: false,
        verbose: false,
        refused: false,
        description: undefined,
      },
      at,
    ),
  );

/** What a look at one of them takes from the cache. */
function lookedAt(ingresses: readonly IngressObject[]) {
  const { cache, look } = clusterOf(ingresses);
  const got = vi.spyOn(cache, "by");
  const slice = sliceOf(seedOf(hostKey("h500.example.com")), look);
  return { slice, objects: got.mock.results.flatMap(({ value }) => value as readonly unknown[]).length };
}

test("one of a thousand hosts on one Service is looked at with two others, and alone decided about", () => {
  const { slice, objects } = lookedAt(thousand("a", 80));
  // Each of a thousand keys is looked at like this: who asks for the others here asks a million times.
  expect(objects).toBeLessThan(20);
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
