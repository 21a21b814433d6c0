// Small clusters for tests of the translation: Ingresses, Gateways and routes that meet on a handful of hosts and Services.
import fc from "fast-check";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { GatewayObject, IngressObject, RouteObject } from "#kube/kinds.ts";
import type { ReferenceGrantObject } from "#kube/routing-objects.ts";
import { sources } from "#operator/controllers/translation/sources.ts";
import { Cache } from "#operator/runtime/cache.ts";
import type { Options as Flags } from "#operator/runtime/options.ts";
import type { Options } from "#operator/translate/model.ts";
import {
  aGateway,
  aGatewayClass,
  anHTTPRoute,
  anIngress,
  anIngressClass,
  anNgrokTrafficPolicy,
  aService,
  aTLSRoute,
} from "./builders.ts";
import { aGrant, aNamespace, aTlsSecret } from "./gateway-ground.ts";

export const options: Options & { readonly stamp: string } = {
  managerNamespace: "ops",
  managerName: "ngrok-operator-manager",
  clusterDomain: "svc.cluster.local",
  referenceGrants: true,
  stamp: "ops/ngrok",
  ingressControllerName: "ngrok.com/ingress-controller",
  gatewayControllerName: "ngrok.com/gateway-controller",
};

/** The install of which these are the options. */
export const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const { managerName, clusterDomain } = options;
export const flags = { managerName, clusterDomain, defaultDomainReclaimPolicy: "Delete", metadata: {} } as Flags;

export const classes = [
  anIngressClass(),
  anIngressClass({ metadata: { name: "other" }, spec: { controller: "example.com/x" } }),
];
/** Where a copy of the shop stands: the translator comes to it later. */
export const STAGING = "staging";

const serviceIn = (namespace: string, name: string) =>
  aService({
    metadata: { name, namespace, uid: `uid-${namespace}-${name}` },
    spec: {
      ports: [
        { name: "web", port: 80 },
        { name: "admin", port: 8080, appProtocol: "kubernetes.io/h2c" },
      ],
    },
  });
export const services = ["a", "b", "c", "d"].map((name) => serviceIn("shop", name));
export const copies = ["a", "b"].map((name) => serviceIn(STAGING, name));

const office = (onHttpRequest: unknown) =>
  anNgrokTrafficPolicy({
    metadata: { name: "office", namespace: "shop" },
    spec: { policy: { on_http_request: onHttpRequest } },
  });
export const policies = [office([{ actions: [{ type: "deny" }] }])];
/** The same, as it cannot be read. */
export const brokenPolicy = office("everything");

export interface Sketch {
  readonly hosts: readonly (readonly [host: string, service: string, port: string | number])[];
  readonly fallback: string | undefined;
  readonly foreign: boolean;
  readonly deleting: boolean;
  readonly verbose: boolean;
  /** Asks for what there is not, so that all of it is refused. */
  readonly refused: boolean;
  /** The NgrokTrafficPolicy that it names. */
  readonly policy?: string | undefined;
  readonly description: string | undefined;
  /** Carries our claim: it has been served. */
  readonly held?: boolean;
  /** Names a class that is not there. */
  readonly lost?: boolean;
  readonly pooled?: boolean;
  /** Stands in the copy of the shop. */
  readonly copied?: boolean;
}

export function ingressOf(sketch: Sketch, at: number): IngressObject {
  const backend = (name: string, port: string | number) => ({
    service: { name, port: typeof port === "number" ? { number: port } : { name: port } },
  });
  return anIngress({
    metadata: {
      name: `ingress-${at}`,
      namespace: sketch.copied === true ? STAGING : "shop",
      uid: `ingress-${at}`,
      ...(sketch.held === true ? { finalizers: [FINALIZER] } : {}),
      ...(sketch.deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      annotations: {
        ...(sketch.held === true ? { [DRAIN_OWNER]: options.stamp } : {}),
        ...(sketch.verbose ? { "ngrok.com/mapping-strategy": "endpoints-verbose" } : {}),
        ...(sketch.refused ? { "ngrok.com/bindings": "public,internal" } : {}),
        ...(sketch.policy === undefined ? {} : { "ngrok.com/traffic-policy": sketch.policy }),
        ...(sketch.description === undefined ? {} : { "ngrok.com/description": sketch.description }),
        ...(sketch.pooled === true ? { "ngrok.com/pooling-enabled": "true" } : {}),
      },
    },
    spec: {
      ingressClassName: sketch.lost === true ? "gone" : sketch.foreign ? "other" : "ngrok",
      ...(sketch.fallback === undefined ? {} : { defaultBackend: backend(sketch.fallback, 80) }),
      rules: sketch.hosts.map(([host, service, port], path) => ({
        host,
        http: { paths: [{ path: `/${at}-${path}`, pathType: "Prefix", backend: backend(service, port) }] },
      })),
    },
  });
}

export interface GatewaySketch {
  readonly listeners: readonly (readonly [host: string, protocol: "HTTP" | "HTTPS" | "TLS"])[];
  readonly foreign: boolean;
  readonly certificate: boolean;
  /** Which namespaces' routes its listeners take; default: its own. */
  readonly admits?: "All" | "Selector";
  /** In another namespace than the Services, open to all, and with a certificate of its own where TLS ends. */
  readonly keyed?: boolean;
}

export interface RouteSketch {
  readonly gateways: readonly number[];
  readonly backends: readonly (readonly [service: string, port: number])[];
  readonly bytes: boolean;
  readonly deleting: boolean;
  /** In another namespace than the Gateways and the Services. */
  readonly abroad?: boolean;
}

const ports = { HTTP: 80, HTTPS: 443, TLS: 9000 };

export function gatewayOf(sketch: GatewaySketch, at: number): GatewayObject {
  const { listeners, foreign, certificate, keyed = false } = sketch;
  const admits = keyed ? ("All" as const) : (sketch.admits ?? ("Same" as const));
  const namespaces = { from: admits, selector: { matchLabels: { open: "yes" } } };
  const ends = { certificateRefs: [{ name: key.metadata.name }] };
  const tls = { backend: { clientCertificateRef: { name: "certificate" } } };
  return aGateway({
    metadata: { name: `gateway-${at}`, namespace: keyed ? ABROAD : "shop", uid: `gateway-${at}` },
    spec: {
      gatewayClassName: foreign ? "other" : "ngrok",
      listeners: listeners.map(([hostname, protocol], place) => ({
        name: `l${place}`,
        hostname,
        port: ports[protocol],
        protocol,
        ...(keyed && protocol !== "HTTP" && { tls: ends }),
        allowedRoutes: { namespaces },
      })),
      ...(certificate ? { tls } : {}),
    },
  });
}

export function routeOf(sketch: RouteSketch, at: number): RouteObject {
  const { gateways, backends, bytes, deleting, abroad = false } = sketch;
  const make = bytes ? aTLSRoute : anHTTPRoute;
  const rule = { backendRefs: backends.map(([name, port]) => ({ name, namespace: "shop", port })) };
  return make({
    metadata: {
      name: `route-${at}`,
      namespace: abroad ? ABROAD : "shop",
      uid: `route-${at}`,
      ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      parentRefs: gateways.flatMap((one) =>
        ["shop", ABROAD].map((namespace) => ({ name: `gateway-${one}`, namespace })),
      ),
      rules: [bytes ? rule : { ...rule, matches: [{ path: { type: "PathPrefix", value: `/${at}` } }] }],
    },
  });
}

export const gatewayClasses = [
  aGatewayClass(),
  aGatewayClass({ metadata: { name: "other" }, spec: { controllerName: "example.com/x" } }),
];

export const ABROAD = "elsewhere";

/** Of the Gateways there. */
export const key = aTlsSecret("key", ABROAD);

/** That namespace, as Gateways may choose it by its label or not. */
export const abroad = { open: aNamespace(ABROAD, { open: "yes" }), closed: aNamespace(ABROAD) };

/** What lets routes from there name a Service here, or show it a Gateway's certificate. */
export const grants: readonly ReferenceGrantObject[] = ["HTTPRoute", "TLSRoute"].flatMap((kind) =>
  [undefined, "a", "b"].map((name) => {
    const from = { kind, namespace: ABROAD };
    const grant = aGrant({ in: "shop", from, to: { kind: "Service", ...(name === undefined ? {} : { name }) } });
    return { ...grant, metadata: { ...grant.metadata, name: `${kind}-${name ?? "any"}`.toLowerCase() } };
  }),
);

/** The caches of such a cluster; the objects are put in by `store`. */
export function emptyCluster(): Cache {
  const cache = new Cache({ install: { release, clusterWide: true, options: flags } });
  for (const { kind, indexes } of sources) cache.add(kind, indexes);
  return cache;
}

/** Puts an object where its kind is held. */
export function store(cache: Cache, object: KubeObject): void {
  cache.store(kindOf(object)).put(object);
}

export function kindOf(object: KubeObject): Kind {
  const kind = sources.find((one) => one.kind.kind === object.kind)?.kind;
  if (kind === undefined) throw new Error(`no store for ${object.kind}`);
  return kind;
}

const host = fc.constantFrom(
  "one.example.com",
  "two.example.com",
  "three.example.com",
  "*.example.com",
  // Its CloudEndpoint would have the name of the one before it.
  "wildcard.example.com",
  "four.internal",
);
const service = fc.constantFrom("a", "b", "c", "d", "missing");
const port = fc.constantFrom(80, "web", 8080, "admin", 9);
export const sketch: fc.Arbitrary<Sketch> = fc.record({
  hosts: fc.array(fc.tuple(host, service, port), { minLength: 1, maxLength: 3 }),
  fallback: fc.option(service, { nil: undefined, freq: 4 }),
  foreign: fc.constantFrom(false, false, true),
  deleting: fc.constantFrom(false, false, false, true),
  verbose: fc.boolean(),
  refused: fc.constantFrom(false, false, false, true),
  policy: fc.constantFrom(undefined, undefined, undefined, undefined, "office", "office", "missing"),
  description: fc.constantFrom(undefined, undefined, "x", "y"),
  held: fc.boolean(),
  lost: fc.constantFrom(false, false, false, false, true),
  pooled: fc.constantFrom(false, false, true),
  copied: fc.constantFrom(false, false, false, true),
});

export const gatewaySketch: fc.Arbitrary<GatewaySketch> = fc.record({
  listeners: fc.array(fc.tuple(host, fc.constantFrom("HTTP", "HTTPS", "TLS")), { minLength: 1, maxLength: 3 }),
  foreign: fc.constantFrom(false, false, true),
  certificate: fc.constantFrom(false, false, true),
  admits: fc.constantFrom("All", "Selector"),
});
export const routeSketch: fc.Arbitrary<RouteSketch> = fc.record({
  gateways: fc.array(fc.nat(2), { minLength: 1, maxLength: 2 }),
  backends: fc.array(fc.tuple(service, fc.constantFrom(80, 8080, 9)), { minLength: 1, maxLength: 2 }),
  bytes: fc.constantFrom(false, false, true),
  deleting: fc.constantFrom(false, false, false, true),
  abroad: fc.constantFrom(false, false, true),
});
/** What lets in and grants, in worlds that have a use for it. */
const permits = fc.tuple(fc.subarray([...grants]), fc.subarray([abroad.open])).map((all): KubeObject[] => all.flat());
export const worlds = fc.oneof(
  fc.tuple(fc.array(sketch, { maxLength: 7 }), fc.constant([]), fc.constant([]), fc.constant([])),
  fc.tuple(
    fc.array(sketch, { maxLength: 4 }),
    fc.array(
      fc.tuple(gatewaySketch, fc.boolean()).map(([one, keyed]) => ({ ...one, keyed })),
      { maxLength: 3 },
    ),
    fc.array(routeSketch, { maxLength: 4 }),
    permits,
  ),
);
