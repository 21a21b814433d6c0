// A look at a few hosts gives for them what a look at the whole cluster gives, and stays small however large that is.
import fc from "fast-check";
import { expect, test } from "vitest";
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  type GatewayObject,
  HTTPRoute,
  Ingress,
  IngressClass,
  type IngressObject,
  type RouteObject,
  Service,
  TLSRoute,
} from "#kube/kinds.ts";
import { Cache } from "#operator/runtime/cache.ts";
import { referencesOfGateway, referencesOfRoute } from "#operator/translate/gateway/references.ts";
import { index } from "#operator/translate/manifests.ts";
import type { Options } from "#operator/translate/model.ts";
import { translate } from "#operator/translate/translate.ts";
import {
  aGateway,
  aGatewayClass,
  anHTTPRoute,
  anIngress,
  anIngressClass,
  aService,
  aTLSRoute,
} from "#test/support/builders.ts";
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
import { sources } from "./sources.ts";

const options: Options = {
  managerNamespace: "ops",
  managerName: "ngrok-operator-manager",
  clusterDomain: "svc.cluster.local",
  referenceGrants: true,
  ingressControllerName: "ngrok.com/ingress-controller",
  gatewayControllerName: "ngrok.com/gateway-controller",
};

const classes = [
  anIngressClass(),
  anIngressClass({ metadata: { name: "other" }, spec: { controller: "example.com/x" } }),
];
const services = ["a", "b", "c", "d"].map((name) =>
  aService({
    metadata: { name, namespace: "shop", uid: `uid-${name}` },
    spec: {
      ports: [
        { name: "web", port: 80 },
        { name: "admin", port: 8080, appProtocol: "kubernetes.io/h2c" },
      ],
    },
  }),
);

interface Sketch {
  readonly hosts: readonly (readonly [host: string, service: string, port: string | number])[];
  readonly fallback: string | undefined;
  readonly foreign: boolean;
  readonly deleting: boolean;
  readonly verbose: boolean;
  /** Asks for what there is not, so that all of it is refused. */
  readonly refused: boolean;
  readonly description: string | undefined;
}

function ingressOf(sketch: Sketch, at: number): IngressObject {
  const backend = (name: string, port: string | number) => ({
    service: { name, port: typeof port === "number" ? { number: port } : { name: port } },
  });
  return anIngress({
    metadata: {
      name: `ingress-${at}`,
      namespace: "shop",
      uid: `ingress-${at}`,
      ...(sketch.deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      annotations: {
        ...(sketch.verbose ? { "ngrok.com/mapping-strategy": "endpoints-verbose" } : {}),
        ...(sketch.refused ? { "ngrok.com/bindings": "public,internal" } : {}),
        ...(sketch.description === undefined ? {} : { "ngrok.com/description": sketch.description }),
      },
    },
    spec: {
      ingressClassName: sketch.foreign ? "other" : "ngrok",
      ...(sketch.fallback === undefined ? {} : { defaultBackend: backend(sketch.fallback, 80) }),
      rules: sketch.hosts.map(([host, service, port], path) => ({
        host,
        http: { paths: [{ path: `/${at}-${path}`, pathType: "Prefix", backend: backend(service, port) }] },
      })),
    },
  });
}

interface GatewaySketch {
  readonly listeners: readonly (readonly [host: string, protocol: "HTTP" | "HTTPS" | "TLS"])[];
  readonly foreign: boolean;
  readonly certificate: boolean;
}

interface RouteSketch {
  readonly gateways: readonly number[];
  readonly backends: readonly (readonly [service: string, port: number])[];
  readonly bytes: boolean;
  readonly deleting: boolean;
}

const ports = { HTTP: 80, HTTPS: 443, TLS: 9000 };

function gatewayOf({ listeners, foreign, certificate }: GatewaySketch, at: number): GatewayObject {
  const tls = { backend: { clientCertificateRef: { name: "certificate" } } };
  return aGateway({
    metadata: { name: `gateway-${at}`, namespace: "shop", uid: `gateway-${at}` },
    spec: {
      gatewayClassName: foreign ? "other" : "ngrok",
      listeners: listeners.map(([hostname, protocol], place) => ({
        name: `l${place}`,
        hostname,
        port: ports[protocol],
        protocol,
      })),
      ...(certificate ? { tls } : {}),
    },
  });
}

function routeOf({ gateways, backends, bytes, deleting }: RouteSketch, at: number): RouteObject {
  const make = bytes ? aTLSRoute : anHTTPRoute;
  const rule = { backendRefs: backends.map(([name, port]) => ({ name, port })) };
  return make({
    metadata: {
      name: `route-${at}`,
      namespace: "shop",
      uid: `route-${at}`,
      ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      parentRefs: gateways.map((one) => ({ name: `gateway-${one}` })),
      rules: [bytes ? rule : { ...rule, matches: [{ path: { type: "PathPrefix", value: `/${at}` } }] }],
    },
  });
}

function clusterOf(
  ingresses: readonly IngressObject[],
  gateways: readonly GatewayObject[] = [],
  routes: readonly RouteObject[] = [],
) {
  const gatewayClasses = [
    aGatewayClass(),
    aGatewayClass({ metadata: { name: "other" }, spec: { controllerName: "example.com/x" } }),
  ];
  const rest = [...gatewayClasses, ...gateways, ...routes];
  const objects: readonly KubeObject[] = [...classes, ...services, ...ingresses, ...rest];
  const cache = new Cache();
  for (const { kind, indexes } of sources) cache.add(kind, indexes);
  for (const one of classes) cache.store(IngressClass).put(one);
  for (const one of services) cache.store(Service).put(one);
  for (const one of ingresses) cache.store(Ingress).put(one);
  for (const one of gatewayClasses) cache.store(GatewayClass).put(one);
  for (const one of gateways) cache.store(Gateway).put(one);
  for (const one of routes) cache.store(one.kind === "TLSRoute" ? TLSRoute : HTTPRoute).put(one);
  return { look: new ClusterLook(cache, classes, options), whole: translate(index(objects), options) };
}

type Found = ReturnType<typeof translate>["endpoints"][number];

/** The service of an AgentEndpoint, the host of a CloudEndpoint: the place at which it is decided about. */
const placeOf = (one: Found): string =>
  "upstream" in one.spec
    ? serviceKeyOf(serviceOfEndpoint(one as never)[0] ?? "")
    : hostKey(hostOfUrl(one.spec.url)[0] ?? "");
const named = (all: readonly Found[]) => new Map(all.map((one) => [`${one.kind} ${keyOf(refOf(one))}`, one]));

const host = fc.constantFrom(
  "one.example.com",
  "two.example.com",
  "three.example.com",
  "*.example.com",
  "four.internal",
);
const service = fc.constantFrom("a", "b", "c", "d", "missing");
const port = fc.constantFrom(80, "web", 8080, "admin", 9);
const sketch: fc.Arbitrary<Sketch> = fc.record({
  hosts: fc.array(fc.tuple(host, service, port), { minLength: 1, maxLength: 3 }),
  fallback: fc.option(service, { nil: undefined, freq: 4 }),
  foreign: fc.constantFrom(false, false, true),
  deleting: fc.constantFrom(false, false, false, true),
  verbose: fc.boolean(),
  refused: fc.constantFrom(false, false, false, true),
  description: fc.constantFrom(undefined, undefined, "x", "y"),
});

const gatewaySketch: fc.Arbitrary<GatewaySketch> = fc.record({
  listeners: fc.array(fc.tuple(host, fc.constantFrom("HTTP", "HTTPS", "TLS")), { minLength: 1, maxLength: 3 }),
  foreign: fc.constantFrom(false, false, true),
  certificate: fc.constantFrom(false, false, true),
});
const routeSketch: fc.Arbitrary<RouteSketch> = fc.record({
  gateways: fc.array(fc.nat(2), { minLength: 1, maxLength: 2 }),
  backends: fc.array(fc.tuple(service, fc.constantFrom(80, 8080, 9)), { minLength: 1, maxLength: 2 }),
  bytes: fc.constantFrom(false, false, true),
  deleting: fc.constantFrom(false, false, false, true),
});
const worlds = fc.oneof(
  fc.tuple(fc.array(sketch, { maxLength: 7 }), fc.constant([]), fc.constant([])),
  fc.tuple(
    fc.array(sketch, { maxLength: 4 }),
    fc.array(gatewaySketch, { maxLength: 3 }),
    fc.array(routeSketch, { maxLength: 4 }),
  ),
);

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
        const part = translate(look.view(look.askingFor(slice.hosts)), options);
        const decided = new Set([...[...slice.hosts].map(hostKey), ...[...slice.services].map(serviceKeyOf)]);
        expect(decided.has(seed)).toBe(true);
        // All that the slice makes is what the whole makes there, and nothing that the whole makes there is missing.
        expect(named(part.endpoints)).toEqual(named(whole.endpoints.filter((one) => decided.has(placeOf(one)))));
        const domains = whole.domains.filter(({ spec }) => slice.hosts.has(spec.domain));
        expect(part.domains).toEqual(domains);
      }
    }),
    { numRuns: 300 },
  );
});

test("one of a thousand hosts on one Service is looked at with one other", () => {
  const ingresses = Array.from({ length: 1_000 }, (_, at) =>
    ingressOf(
      {
        hosts: [[`h${at}.example.com`, "a", 80]],
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
  const { look } = clusterOf(ingresses);
  const slice = sliceOf(seedOf(hostKey("h500.example.com")), look);
  expect([...slice.hosts].toSorted()).toEqual(["h0.example.com", "h1.example.com", "h500.example.com"]);
});
