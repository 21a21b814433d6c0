// What holds for any Gateways, routes and grants whatever: worlds of two or three namespaces that refer to each other at random.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { HttpRouteFilter, ObjectReference } from "#kube/routing-objects.ts";
import { aGateway, aGatewayClass, anNgrokTrafficPolicy, aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import {
  aCaConfigMap,
  aGrant,
  aNamespace,
  aRule,
  aTlsSecret,
  aWebRoute,
  gatewayOptions,
  shop,
} from "#test/support/gateway-ground.ts";
import { index } from "../manifests.ts";
import { translate } from "../translate.ts";
import { referencesOfGateway, referencesOfRoute } from "./references.ts";
import { virtualHostsOfGateways } from "./virtual-hosts.ts";

const NAMESPACES = ["alpha", "beta", "gamma"];
const namespace = fc.constantFrom(...NAMESPACES);
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
const hostname = fc.constantFrom("*.example.com", "a.example.com", "b.example.com", "x.internal");
const hostile = fc.oneof(
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

const standing: readonly KubeObject[] = [
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

const world = fc
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

test("the order of the input does not show in the output", () => {
  fc.assert(
    fc.property(
      world.chain((objects) =>
        fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length })),
      ),
      ([objects, shuffled]) => {
        expect(virtualHostsOfGateways(index(shuffled), gatewayOptions)).toEqual(
          virtualHostsOfGateways(index(objects), gatewayOptions),
        );
        expect(translate(index(shuffled), gatewayOptions)).toEqual(translate(index(objects), gatewayOptions));
      },
    ),
    { numRuns: 150 },
  );
});

test("nothing of another namespace is used without a grant there", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const open = new Set(
        objects.flatMap((one) => {
          if (one.kind !== "ReferenceGrant") return [];
          const { from = [], to = [] } = (one as ReturnType<typeof aGrant>).spec ?? {};
          return from.flatMap((source) =>
            to.map(
              (target) =>
                `${source.kind} ${source.namespace} > ${target.kind} ${one.metadata.namespace}/${target.name ?? "*"}`,
            ),
          );
        }),
      );
      const isOpen = (from: string, at: string, kind: string, inside: string, name: string): boolean =>
        at === inside || [name, "*"].some((one) => open.has(`${from} ${at} > ${kind} ${inside}/${one}`));
      for (const host of virtualHostsOfGateways(index(objects), gatewayOptions).hosts) {
        const { tlsTermination, clientCertRefs, namespace: at } = host;
        // Each PEM of this world says whose it is.
        const pems: [string, string | undefined][] = [
          ["Secret", tlsTermination?.serverPrivateKey],
          ["Secret", tlsTermination?.serverCertificate],
          ...(tlsTermination?.mutualTLSCAs ?? []).map((pem): [string, string] => ["ConfigMap", pem]),
        ];
        for (const [kind, pem] of pems.filter(([, one]) => one !== undefined)) {
          const [, inside = "", name = ""] = /of (.*)\/(.*)$/.exec(pem ?? "") ?? [];
          expect([pem, isOpen("Gateway", at, kind, inside, name)]).toEqual([pem, true]);
        }
        for (const cert of clientCertRefs)
          expect(isOpen("Gateway", at, "Secret", cert.namespace, cert.name)).toBe(true);
        const sources = host.owningResources.slice(1).map((owner) => owner.split(/[ /]/));
        for (const destination of host.routes.flatMap((one) => one.destinations)) {
          const service = destination.upstream?.service;
          if (service === undefined) continue;
          const openTo = sources.some(([kind = "", inside = ""]) =>
            isOpen(kind, inside, "Service", service.namespace, service.name),
          );
          expect([service, openTo]).toEqual([service, true]);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("a Gateway looks at nothing beside what it and its routes refer to", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const whole = virtualHostsOfGateways(index(objects), gatewayOptions).hosts;
      const named = (one: KubeObject): string => `${one.metadata.namespace}/${one.metadata.name}`;
      for (const gateway of objects.filter((one): one is GatewayObject => one.kind === "Gateway")) {
        const own = referencesOfGateway(gateway);
        const routes = objects
          .filter(({ kind = "" }) => /^(HTTP|TCP|TLS)Route$/.test(kind))
          .map((one) => one as RouteObject)
          .filter((one) => referencesOfRoute(one).gateways.includes(named(gateway)));
        const theirs = routes.map(referencesOfRoute);
        const seen: Readonly<Record<string, readonly string[]>> = {
          Gateway: [named(gateway)],
          Service: theirs.flatMap(({ services }) => services),
          Secret: own.secrets,
          ConfigMap: own.configMaps,
          NgrokTrafficPolicy: [...own.policies, ...theirs.flatMap(({ policies }) => policies)],
        };
        const grantsIn = [...own.grantsIn, ...theirs.flatMap((one) => one.grantsIn)];
        const alone = objects.filter((one) => {
          if (one.kind === "GatewayClass" || one.kind === "Namespace") return true;
          if (one.kind === "ReferenceGrant") return grantsIn.includes(one.metadata.namespace ?? "");
          return routes.some((route) => route === one) || seen[one.kind ?? ""]?.includes(named(one)) === true;
        });
        const mine = whole.filter(({ owningResources }) => owningResources[0] === `Gateway ${named(gateway)}`);
        expect(virtualHostsOfGateways(index(alone), gatewayOptions).hosts).toEqual(mine);
        for (const { listener: at } of mine) expect(own.hosts).toContain(at.hostname);
      }
    }),
    { numRuns: 150 },
  );
});

test("whatever forwards leads to an endpoint that is there, and no two endpoints share a name", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const { endpoints } = translate(index(objects), gatewayOptions);
      const urls = new Set(endpoints.map(({ spec }) => spec.url));
      const forwarded = [...JSON.stringify(endpoints).matchAll(/"forward-internal","config":\{"url":"([^"]*)"/g)];
      for (const [, url] of forwarded) expect(urls).toContain(url);
      const names = endpoints.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: 200 },
  );
});

test("every pattern of a redirect is one that compiles, whatever the path", () => {
  fc.assert(
    fc.property(hostile, (path) => {
      const filters = [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }];
      const rules = [aRule({ filters, matches: [{ path: { type: "PathPrefix", value: path } }] })];
      const { hosts } = virtualHostsOfGateways(
        index([...standing, aGateway(), shop(), aWebRoute({ rules })]),
        gatewayOptions,
      );
      const config = hosts[0]?.routes[0]?.trafficPolicies[0]?.on_http_request[0]?.actions[0]?.config as {
        from: string;
      };
      const pattern = new RegExp(config.from.replaceAll("(?P<", "(?<"), "s");
      expect(pattern.exec(`http://shop.example.com${path}`)?.groups?.["prefix"]).toBe(path);
    }),
    { numRuns: 200 },
  );
});
