// Any Gateways, routes and grants whatever: worlds of three namespaces that refer to each other at random.
import * as fc from "fast-check";
import type { KubeObject } from "#kube/kind.ts";
import type { HttpRouteFilter, ObjectReference } from "#kube/routing-objects.ts";
import { aGateway, aGatewayClass, anNgrokTrafficPolicy, aTCPRoute, aTLSRoute } from "./builders.ts";
import { aCaConfigMap, aGrant, aNamespace, aRule, aTlsSecret, aWebRoute, shop } from "./gateway-ground.ts";

const NAMESPACES = ["alpha", "beta", "gamma"];
const namespace = fc.constantFrom(...NAMESPACES);
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
const hostname = fc.constantFrom("*.example.com", "a.example.com", "b.example.com", "x.internal");
/** Texts that somebody may have thought of. */
export const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom("'", '"', "*", "$1", "${secrets.get('a')}", "/a'b", "(", "\\", "\n", "é", "x".repeat(10_000)),
);

function reference(name: string): fc.Arbitrary<ObjectReference> {
  return maybe(namespace).map((at) => ({ name, ...(at !== undefined && { namespace: at }) }));
}

const listener = fc
  .record({
    hostname: maybe(hostname),
    shape: fc.constantFrom(
      { protocol: "HTTPS", port: 443 },
      { protocol: "HTTP", port: 80 },
      { protocol: "HTTP", port: 8080 },
      { protocol: "TLS", port: 443 },
      { protocol: "TCP", port: 9000 },
    ),
    certificate: maybe(reference("cert")),
    from: fc.constantFrom("Same", "All"),
  })
  .map(({ hostname: host, shape, certificate, from }) => ({
    ...shape,
    ...(host !== undefined && { hostname: host }),
    ...(certificate !== undefined && shape.port === 443 && { tls: { certificateRefs: [certificate] } }),
    allowedRoutes: { namespaces: { from: from as "Same" | "All" } },
  }));

const gateway = fc
  .record({
    name: fc.constantFrom("one", "two"),
    at: namespace,
    listeners: fc.array(listener, { minLength: 1, maxLength: 3 }),
    client: maybe(reference("client")),
    ca: maybe(reference("ca")),
    verbose: fc.boolean(),
    policy: fc.boolean(),
  })
  .map(({ name, at, listeners, client, ca, verbose, policy }) =>
    aGateway({
      metadata: {
        name,
        namespace: at,
        annotations: {
          ...(verbose && { "ngrok.com/mapping-strategy": "endpoints-verbose" }),
          ...(policy && { "ngrok.com/traffic-policy": "hello" }),
        },
      },
      spec: {
        listeners: listeners.map((one, number) => ({ ...one, name: `l${number}` })),
        tls: {
          ...(client !== undefined && { backend: { clientCertificateRef: client } }),
          ...(ca !== undefined && { frontend: { default: { validation: { caCertificateRefs: [ca] } } } }),
        },
      },
    }),
  );

const filter: fc.Arbitrary<HttpRouteFilter> = fc.oneof(
  hostile.map((value) => ({ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x", value }] } })),
  hostile.map((value) => ({
    type: "URLRewrite",
    urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: value } },
  })),
  fc
    .oneof(hostile, fc.constant("hello"))
    .map((name) => ({ type: "ExtensionRef", extensionRef: { kind: "NgrokTrafficPolicy", name } })),
  hostile.map((type) => ({ type })),
);

const backend = fc.record({
  name: fc.constantFrom("shop", "cart"),
  namespace: fc.option(namespace, { nil: undefined }),
  port: fc.constantFrom(80, 443, 81),
  weight: fc.integer({ min: 0, max: 3 }),
});

const parents = fc.array(fc.record({ name: fc.constantFrom("one", "two"), namespace }), { minLength: 1, maxLength: 2 });

const route = fc
  .record({
    kind: fc.constantFrom("http", "tcp", "tls"),
    name: fc.constantFrom("r1", "r2", "r3"),
    at: namespace,
    parentRefs: parents,
    hostnames: maybe(fc.array(hostname, { minLength: 1, maxLength: 2 })),
    backends: fc.array(backend, { maxLength: 3 }),
    path: hostile,
    filters: fc.array(filter, { maxLength: 2 }),
    creationTimestamp: maybe(fc.constantFrom("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")),
  })
  .map(({ kind, name, at, parentRefs, hostnames, backends, path, filters, creationTimestamp }) => {
    const backendRefs = backends.map(({ namespace: there, ...ref }) => ({
      ...ref,
      ...(there !== undefined && { namespace: there }),
    }));
    const metadata = { name, namespace: at, ...(creationTimestamp !== undefined && { creationTimestamp }) };
    if (kind !== "http")
      return (kind === "tcp" ? aTCPRoute : aTLSRoute)({ metadata, spec: { parentRefs, rules: [{ backendRefs }] } });
    const rules = [aRule({ backendRefs, filters, matches: [{ path: { value: path } }, {}] })];
    return aWebRoute({ parentRefs, rules, ...(hostnames !== undefined && { hostnames }) }, metadata);
  });

const grant = fc
  .record({
    in: namespace,
    kind: fc.constantFrom("HTTPRoute", "TCPRoute", "TLSRoute", "Gateway"),
    from: namespace,
    to: fc.constantFrom("Service", "Secret", "ConfigMap"),
    name: maybe(fc.constantFrom("shop", "cert", "client", "ca")),
  })
  .map(({ in: at, kind, from, to, name }) => ({
    ...aGrant({ in: at, from: { kind, namespace: from }, to: { kind: to, ...(name !== undefined && { name }) } }),
    metadata: { name: `${kind}-${from}-${to}-${name ?? "all"}`.toLowerCase(), namespace: at },
  }));

/** There in each world, one of each in every namespace. */
export const standing: readonly KubeObject[] = [
  aGatewayClass(),
  ...NAMESPACES.flatMap((at) => [
    aNamespace(at),
    shop(at, { metadata: { annotations: { "ngrok.com/app-protocols": '{"https":"HTTPS"}' } } }),
    aTlsSecret("cert", at),
    aTlsSecret("client", at),
    aCaConfigMap("ca", at),
    anNgrokTrafficPolicy({ metadata: { name: "hello", namespace: at } }),
  ]),
];

export const world = fc
  .record({
    gateways: fc.array(gateway, { minLength: 1, maxLength: 3 }),
    routes: fc.array(route, { minLength: 1, maxLength: 5 }),
    grants: fc.array(grant, { maxLength: 6 }),
  })
  .map(({ gateways, routes, grants }) => {
    const all = [...standing, ...gateways, ...routes, ...grants];
    // One object a name: which of two namesakes holds is the reader's to say.
    const keyed = new Map(all.map((one) => [`${one.kind} ${one.metadata.namespace}/${one.metadata.name}`, one]));
    return [...keyed.values()];
  });
