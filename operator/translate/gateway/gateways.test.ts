// A Gateway as a whole: whose it is, its addresses, its settings, how it ends TLS, what it shows to backends.
import { describe, expect, test } from "vitest";
import type { GatewayObject } from "#kube/kinds.ts";
import { aGateway, aGatewayClass, anNgrokTrafficPolicy, aTLSRoute } from "#test/support/builders.ts";
import {
  aCaConfigMap,
  aGatewayWith,
  aGrant,
  aRule,
  aTlsSecret,
  aWebRoute,
  gatewayOptions,
  ground,
  hostsOn,
  onlyHost,
  shop,
  urlsOf,
} from "#test/support/gateway-ground.ts";
import { index } from "../manifests.ts";
import { domainsOfGateways, virtualHostsOfGateways } from "./virtual-hosts.ts";

type Spec = Partial<NonNullable<GatewayObject["spec"]>>;

describe("whose a Gateway is", () => {
  test("one of another controller's class is left alone without a word", () => {
    const others = aGatewayClass({ spec: { controllerName: "example.com/other" } });
    const both = [others, aGatewayClass({ metadata: { name: "mine" } })];
    expect(hostsOn([...both, aWebRoute()])).toEqual({ hosts: [], problems: [] });
    expect(domainsOfGateways(ground(...both), gatewayOptions)).toEqual([]);
  });

  test("the controller's name is a setting, so that two installs live side by side", () => {
    const second = aGatewayClass({ spec: { controllerName: "example.com/second" } });
    const found = hostsOn([second, aWebRoute()], { gatewayControllerName: "example.com/second" });
    expect(urlsOf(found)).toEqual(["https://shop.example.com:443"]);
    expect(hostsOn([second, aWebRoute()]).hosts).toEqual([]);
  });

  test("where no class is ours at all, a Gateway that names nobody's class is told so", () => {
    const { hosts, problems } = virtualHostsOfGateways(index([aGateway(), aWebRoute(), shop()]), gatewayOptions);
    expect(hosts).toEqual([]);
    expect(problems).toEqual([
      {
        object: "Gateway default/edge",
        field: "spec.gatewayClassName",
        reason:
          "there is no GatewayClass of this operator: create one named ngrok with spec.controllerName ngrok.com/gateway-controller",
        effect: "refused",
      },
    ]);
  });

  test("one that is being deleted is on its way out, and so is a route", () => {
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const leaving = aGateway({ metadata: { deletionTimestamp } });
    expect(hostsOn([leaving, aWebRoute()])).toEqual({ hosts: [], problems: [] });
    const route = aWebRoute();
    route.metadata.deletionTimestamp = deletionTimestamp;
    expect(hostsOn([route])).toEqual({ hosts: [], problems: [] });
  });

  test("a parent that is nowhere is told, and the other parent is served", () => {
    const found = hostsOn([aWebRoute({ parentRefs: [{ name: "absent" }, { name: "edge" }] })]);
    expect(found.hosts).toHaveLength(1);
    expect(found.problems).toEqual([
      {
        object: "HTTPRoute default/web",
        field: "spec.parentRefs[0]",
        reason: "Gateway default/absent does not exist: create it or name another",
        effect: "refused",
      },
    ]);
  });

  test("a parent that is no Gateway is somebody else's", () => {
    const parentRefs = [{ group: "", kind: "Service", name: "edge" }];
    expect(hostsOn([aWebRoute({ parentRefs })])).toEqual({ hosts: [], problems: [] });
  });
});

describe("virtual hosts", () => {
  test("the routes of one Gateway on one listener are one host, and those of another Gateway another", () => {
    const second = aGateway({ metadata: { name: "second" } });
    const a = aWebRoute({ parentRefs: [{ name: "edge" }, { name: "second" }] }, { name: "a" });
    const b = aWebRoute({}, { name: "b" });
    const { hosts } = hostsOn([second, b, a]);
    expect(
      hosts.map(({ namePrefix, owningResources, routes }) => [namePrefix, owningResources, routes.length]),
    ).toEqual([
      ["edge.default", ["Gateway default/edge", "HTTPRoute default/a", "HTTPRoute default/b"], 2],
      ["second.default", ["Gateway default/second", "HTTPRoute default/a"], 1],
    ]);
  });

  test("routes come oldest first, then by name", () => {
    const route = (name: string, path: string, creationTimestamp: string): ReturnType<typeof aWebRoute> =>
      aWebRoute({ rules: [aRule({ matches: [{ path: { value: path } }] })] }, { name, creationTimestamp });
    const { routes } = onlyHost(
      hostsOn([
        route("a", "/c", "2026-03-01T00:00:00Z"),
        route("c", "/b", "2026-01-01T00:00:00Z"),
        route("b", "/a", "2026-01-01T00:00:00Z"),
      ]),
    );
    expect(routes.map((one) => one.httpMatch?.path)).toEqual(["/a", "/b", "/c"]);
  });

  test("a parent that is named twice is served once", () => {
    const parentRefs = [{ name: "edge" }, { name: "edge", sectionName: "https" }];
    expect(onlyHost(hostsOn([aWebRoute({ parentRefs })])).routes).toHaveLength(1);
  });

  const prefixes: [string, number, string][] = [
    ["HTTP", 80, "edge.default"],
    ["HTTPS", 443, "edge.default"],
    ["TLS", 443, "edge.default.443"],
  ];
  test.for(prefixes)("%s on %d is named after %s", ([protocol, port, prefix]) => {
    const tls = aTLSRoute({ spec: { rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] } });
    const found = hostsOn([aGatewayWith({ protocol, port }), protocol === "TLS" ? tls : aWebRoute()]);
    expect(onlyHost(found).namePrefix).toBe(prefix);
  });

  test("a host without routes is one where its policy answers, and none where nothing does", () => {
    const bare = aWebRoute({ rules: [] });
    expect(hostsOn([bare]).hosts).toEqual([]);
    const policy = anNgrokTrafficPolicy({ metadata: { name: "mine" } });
    const answering = aGateway({ metadata: { annotations: { "ngrok.com/traffic-policy": "mine" } } });
    expect(onlyHost(hostsOn([bare, policy, answering])).routes).toEqual([]);
  });

  test("a Gateway's annotations speak for all of its hosts, each with a policy of its own", () => {
    const annotations = {
      "ngrok.com/traffic-policy": "mine",
      "ngrok.com/pooling-enabled": "true",
      "ngrok.com/mapping-strategy": "endpoints-verbose",
      "k8s.ngrok.com/bindings": "internal",
      "ngrok.com/description": "the shop",
      "ngrok.com/metadata": '{"team":"shop"}',
    };
    const gateway: GatewayObject = {
      ...aGatewayWith({}, { hostname: "second.example.com" }),
      metadata: { name: "edge", namespace: "default", annotations },
    };
    const policy = anNgrokTrafficPolicy({ metadata: { name: "mine" } });
    const { hosts } = hostsOn([gateway, policy, aWebRoute()], { ngrokMetadata: { region: "eu" } });
    expect(hosts).toHaveLength(2);
    for (const host of hosts)
      expect(host).toMatchObject({
        trafficPolicyRef: "mine",
        poolingEnabled: true,
        mappingStrategy: "endpoints-verbose",
        bindings: ["internal"],
        description: "the shop",
      });
    expect(JSON.parse(hosts[0]?.metadata ?? "")).toEqual({
      "owned-by": "kubernetes-gateway-api",
      region: "eu",
      team: "shop",
    });
    expect(hosts.map((one) => one.trafficPolicy?.on_http_request.length)).toEqual([1, 1]);
  });

  const refusing = [{ "ngrok.com/traffic-policy": "absent" }, { "ngrok.com/bindings": "public,internal" }];
  test.for(refusing)("a Gateway that asks for %j is not served, and its routes are on their other parents", (wrong) => {
    const closed = aGateway({ metadata: { annotations: wrong } });
    const second = aGateway({ metadata: { name: "second" } });
    const found = hostsOn([closed, second, aWebRoute({ parentRefs: [{ name: "edge" }, { name: "second" }] })]);
    expect(found.hosts.map((one) => one.namePrefix)).toEqual(["second.default"]);
    expect(found.problems).toMatchObject([{ object: "Gateway default/edge", effect: "refused" }]);
  });

  test("the infrastructure's labels and annotations are those of the Gateway's own hosts alone", () => {
    const labelled = aGateway({
      spec: { infrastructure: { labels: { team: "shop" }, annotations: { note: "hello" } } },
    });
    const second = aGateway({ metadata: { name: "second" } });
    const { hosts } = hostsOn([labelled, second, aWebRoute({ parentRefs: [{ name: "edge" }, { name: "second" }] })]);
    expect(hosts.map(({ labelsToAdd, annotationsToAdd }) => [labelsToAdd, annotationsToAdd])).toEqual([
      [{ team: "shop" }, { note: "hello" }],
      [{}, {}],
    ]);
  });

  test("keys by which we know our own objects are not taken from the infrastructure", () => {
    const labels = { "ngrok.com/controller-name": "somebody", team: "shop" };
    const annotations = { "ngrok.com/drain-owner": "other/release" };
    const found = hostsOn([aGateway({ spec: { infrastructure: { labels, annotations } } }), aWebRoute()]);
    const host = onlyHost(found);
    expect([host.labelsToAdd, host.annotationsToAdd]).toEqual([{ team: "shop" }, {}]);
    expect(found.problems.map(({ field, effect }) => [field, effect])).toEqual([
      ['spec.infrastructure.annotations["ngrok.com/drain-owner"]', "ignored"],
      ['spec.infrastructure.labels["ngrok.com/controller-name"]', "ignored"],
    ]);
  });
});

describe("addresses", () => {
  const host = (value: string): { type: string; value: string } => ({ type: "Hostname", value });
  const addressed: {
    story: string;
    addresses: { type?: string; value: string }[];
    hostname?: string;
    urls: string[];
  }[] = [
    {
      story: "take the place of the listener's host name",
      addresses: [host("a.example.com"), host("b.example.com")],
      hostname: "*.example.com",
      urls: ["https://a.example.com:443", "https://b.example.com:443"],
    },
    {
      story: "suffice: the listener needs no host name then",
      addresses: [host("a.example.com")],
      urls: ["https://a.example.com:443"],
    },
    {
      story: "that a listener does not cover close the whole Gateway",
      addresses: [host("a.example.com"), host("b.other.com")],
      hostname: "*.example.com",
      urls: [],
    },
    {
      story: "of type IPAddress are left out",
      addresses: [{ type: "IPAddress", value: "192.0.2.1" }],
      hostname: "shop.example.com",
      urls: ["https://shop.example.com:443"],
    },
    {
      story: "of no type are IP addresses, and left out",
      addresses: [{ value: "a.example.com" }],
      hostname: "shop.example.com",
      urls: ["https://shop.example.com:443"],
    },
    {
      story: "that are IPs in truth are left out, and the others are not",
      addresses: [host("192.0.2.1"), host("2001:db8::1"), host("a.example.com")],
      hostname: "*.example.com",
      urls: ["https://a.example.com:443"],
    },
  ];
  test.for(addressed)("$story", ({ addresses, hostname, urls }) => {
    const listener = { name: "https", port: 443, protocol: "HTTPS", ...(hostname !== undefined && { hostname }) };
    const found = hostsOn([aGateway({ spec: { addresses, listeners: [listener] } }), aWebRoute()]);
    expect(urlsOf(found)).toEqual(urls);
    const unusable = addresses.filter(({ type, value }) => type !== "Hostname" || !/[a-z]\./.test(value)).length;
    expect(found.problems).toHaveLength(unusable + Number(urls.length === 0));
    for (const problem of found.problems) expect(problem.object).toBe("Gateway default/edge");
  });

  test("are the endpoint controllers' to reserve: Domains come from the listeners' host names", () => {
    const listeners = [
      { name: "a", port: 443, protocol: "HTTPS", hostname: "*.example.com" },
      { name: "b", port: 443, protocol: "HTTPS", hostname: "x.internal" },
      { name: "c", port: 9000, protocol: "TLS", hostname: "db.example.com" },
    ];
    const addressed = aGateway({ spec: { listeners } });
    expect(domainsOfGateways(ground(addressed), gatewayOptions)).toEqual([
      { host: "*.example.com", namespace: "default" },
      { host: "db.example.com", namespace: "default" },
    ]);
  });
});

describe("ending TLS", () => {
  const terminating = (tls: object, spec: Spec = {}): GatewayObject => {
    const gateway = aGatewayWith({ tls });
    return { ...gateway, spec: { gatewayClassName: "ngrok", listeners: [], ...gateway.spec, ...spec } };
  };
  const ref = { certificateRefs: [{ name: "cert" }] };
  const pair = { serverPrivateKey: "key of default/cert", serverCertificate: "crt of default/cert" };

  test("a listener without a tls block leaves it to ngrok", () => {
    expect(onlyHost(hostsOn([aWebRoute()]))).not.toHaveProperty("tlsTermination");
  });

  test("the first certificate is the listener's, and the others are told", () => {
    const gateway = terminating({ certificateRefs: [{ name: "cert" }, { name: "other" }] });
    const found = hostsOn([gateway, aTlsSecret(), aWebRoute()]);
    expect(onlyHost(found).tlsTermination).toEqual({ extendedOptions: {}, mutualTLSCAs: [], ...pair });
    expect(found.problems).toMatchObject([{ field: "spec.listeners[0].tls.certificateRefs[1]", effect: "ignored" }]);
  });

  test("a Secret as people write it is read as the API server would store it", () => {
    const { data: _, ...written } = aTlsSecret();
    const secret = { ...written, stringData: { "tls.key": "key of default/cert", "tls.crt": "crt of default/cert" } };
    expect(onlyHost(hostsOn([terminating(ref), secret, aWebRoute()])).tlsTermination).toMatchObject(pair);
  });

  test("TLS listeners end it in the same way, and pass it on where they say so", () => {
    const tls = aTLSRoute({ spec: { rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] } });
    const ended = hostsOn([aGatewayWith({ protocol: "TLS", tls: ref }), aTlsSecret(), tls]);
    const passed = hostsOn([aGatewayWith({ protocol: "TLS", tls: { mode: "Passthrough", ...ref } }), tls]);
    expect(onlyHost(ended).tlsTermination).toMatchObject(pair);
    expect(onlyHost(passed)).not.toHaveProperty("tlsTermination");
  });

  test("options go to ngrok under their own names, the canonical prefix before the legacy one", () => {
    const options = {
      "k8s.ngrok.com/terminate-tls.min_version": "1.0",
      "ngrok.com/terminate-tls.min_version": "1.3",
      "k8s.ngrok.com/terminate-tls.max_version": "1.3",
      "example.com/other": "x",
    };
    const { tlsTermination } = onlyHost(hostsOn([terminating({ options }), aWebRoute()]));
    expect(tlsTermination).toEqual({ extendedOptions: { min_version: "1.3", max_version: "1.3" }, mutualTLSCAs: [] });
  });

  const reserved = ["server_private_key", "server_certificate", "mutual_tls_certificate_authorities"].flatMap(
    (option) => [`ngrok.com/terminate-tls.${option}`, `k8s.ngrok.com/terminate-tls.${option}`],
  );
  test.for(reserved)("the option %s closes the listener", (key) => {
    const found = hostsOn([terminating({ options: { [key]: "x" } }), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toMatchObject([{ field: `spec.listeners[0].tls.options["${key}"]`, effect: "refused" }]);
  });

  const closing: [string, object[], RegExp][] = [
    ["that is not there", [], /Secret default\/cert does not exist: create it or name another/],
    ["of another type", [aTlsSecret("cert", "default", { type: "Opaque" })], /is not of type kubernetes\.io\/tls/],
    [
      "without its key",
      [aTlsSecret("cert", "default", { data: { "tls.crt": btoa("x") } })],
      /does not hold both tls\.key and tls\.crt/,
    ],
  ];
  test.for(closing)("a certificate %s closes the listener and keeps its Domain", ([, objects, reason]) => {
    const gateway = terminating(ref);
    const found = hostsOn([gateway, ...(objects as ReturnType<typeof aTlsSecret>[]), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toEqual([
      {
        object: "Gateway default/edge",
        field: "spec.listeners[0].tls.certificateRefs[0]",
        reason: expect.stringMatching(reason),
        effect: "refused",
      },
    ]);
    expect(domainsOfGateways(ground(gateway), gatewayOptions)).toHaveLength(1);
  });

  test("a certificate that is no Secret closes the listener", () => {
    const found = hostsOn([terminating({ certificateRefs: [{ kind: "Vault", name: "cert" }] }), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems[0]?.reason).toMatch(/"Vault" is no kind of certificate that can be used: name a Secret/);
  });

  test("a certificate of another namespace needs a grant there", () => {
    const gateway = terminating({ certificateRefs: [{ name: "cert", namespace: "vault" }] });
    const world = [gateway, aTlsSecret("cert", "vault"), aWebRoute()];
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "Secret", name: "cert" } });
    expect(hostsOn(world).hosts).toEqual([]);
    expect(hostsOn(world).problems[0]?.reason).toMatch(
      /create a ReferenceGrant in namespace vault from Gateway in default/,
    );
    const granted = onlyHost(hostsOn([...world, grant]));
    expect(granted.tlsTermination?.serverPrivateKey).toBe("key of vault/cert");
    expect(onlyHost(hostsOn(world, { referenceGrants: false })).tlsTermination).toEqual(granted.tlsTermination);
  });

  const frontend = (...caCertificateRefs: { name: string; namespace?: string; kind?: string }[]): Spec => ({
    tls: { frontend: { default: { validation: { caCertificateRefs } } } },
  });

  test("client certificates are asked for by the authorities of the Gateway", () => {
    const gateway = terminating(ref, frontend({ name: "ca" }, { name: "second" }));
    const found = hostsOn([gateway, aTlsSecret(), aCaConfigMap(), aCaConfigMap("second"), aWebRoute()]);
    expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of default/ca", "ca of default/second"]);
    expect(found.problems).toEqual([]);
  });

  test("without a tls block nobody is asked, which is told", () => {
    const gateway = aGateway({ spec: frontend({ name: "ca" }) as object });
    const found = hostsOn([gateway, aCaConfigMap(), aWebRoute()]);
    expect(onlyHost(found)).not.toHaveProperty("tlsTermination");
    expect(found.problems).toMatchObject([{ field: "spec.tls.frontend.default.validation", effect: "ignored" }]);
  });

  const refs: [string, { name: string; namespace?: string; kind?: string }, string][] = [
    ["is not there", { name: "absent" }, "ConfigMap default/absent does not exist: create it or name another"],
    ["has no ca.crt", { name: "empty" }, "ConfigMap default/empty has no key ca.crt: add it"],
    [
      "is no ConfigMap",
      { kind: "Secret", name: "ca" },
      '"Secret" is not supported: name a ConfigMap with the key ca.crt',
    ],
    [
      "is another namespace's",
      { name: "ca", namespace: "vault" },
      "ConfigMap vault/ca may not be used from here: create a ReferenceGrant in namespace vault from Gateway in default to ConfigMap ca",
    ],
  ];
  test.for(refs)(
    "an authority that %s lets fewer clients in; the last one closes the listener",
    ([, wrong, reason]) => {
      const world = [
        aTlsSecret(),
        aCaConfigMap(),
        aCaConfigMap("empty", "default", "other"),
        aCaConfigMap("ca", "vault"),
      ];
      const found = hostsOn([terminating(ref, frontend(wrong, { name: "ca" })), ...world, aWebRoute()]);
      expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of default/ca"]);
      expect(found.problems).toMatchObject([{ reason, effect: "ignored" }]);
      const alone = hostsOn([terminating(ref, frontend(wrong)), ...world, aWebRoute()]);
      expect(alone.hosts).toEqual([]);
      expect(alone.problems.map((one) => one.effect)).toContain("refused");
    },
  );

  test("an authority of another namespace is there with a grant", () => {
    const gateway = terminating(ref, frontend({ name: "ca", namespace: "vault" }));
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "ConfigMap" } });
    const found = hostsOn([gateway, aTlsSecret(), aCaConfigMap("ca", "vault"), grant, aWebRoute()]);
    expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of vault/ca"]);
  });

  test("a validation for one port is not had, and closes that port rather than leave it open", () => {
    const perPort = [{ port: 443, tls: { validation: { caCertificateRefs: [{ name: "ca" }] } } }];
    const found = hostsOn([
      terminating(ref, { tls: { frontend: { perPort } } }),
      aTlsSecret(),
      aCaConfigMap(),
      aWebRoute(),
    ]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toMatchObject([{ field: "spec.tls.frontend.perPort[0]", effect: "refused" }]);
  });
});

describe("the certificate that backends are shown", () => {
  const showing = (name: string, namespace?: string): GatewayObject =>
    aGateway({ spec: { tls: { backend: { clientCertificateRef: { name, ...(namespace && { namespace }) } } } } });
  const https = shop("default", { metadata: { annotations: { "ngrok.com/app-protocols": '{"https":"HTTPS"}' } } });
  const both = aWebRoute({
    rules: [
      aRule({
        backendRefs: [
          { name: "shop", port: 80 },
          { name: "shop", port: 443 },
        ],
      }),
    ],
  });

  test("goes with what is reached by https alone", () => {
    const found = hostsOn([showing("client"), aTlsSecret("client"), https, both]);
    const host = onlyHost(found);
    const cert = { name: "client", namespace: "default" };
    expect(host.clientCertRefs).toEqual([cert]);
    expect(host.routes[0]?.destinations.map((one) => one.upstream?.service.clientCertRefs)).toEqual([[], [cert]]);
    expect(found.problems).toEqual([]);
  });

  test("of another namespace needs a grant there, without which the Gateway is not served", () => {
    const world = [showing("client", "vault"), aTlsSecret("client", "vault"), https, both];
    const refused = hostsOn(world);
    expect(refused.hosts).toEqual([]);
    expect(refused.problems).toMatchObject([
      { object: "Gateway default/edge", field: "spec.tls.backend.clientCertificateRef", effect: "refused" },
    ]);
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "Secret", name: "client" } });
    expect(onlyHost(hostsOn([...world, grant])).clientCertRefs).toEqual([{ name: "client", namespace: "vault" }]);
  });

  test("is not that of a third namespace that was not asked", () => {
    const theirs = shop("team", { metadata: { annotations: { "ngrok.com/app-protocols": '{"https":"HTTPS"}' } } });
    const route = aWebRoute({ rules: [aRule({ backendRefs: [{ name: "shop", namespace: "team", port: 443 }] })] });
    const service = aGrant({ in: "team", from: { kind: "HTTPRoute", namespace: "default" }, to: { kind: "Service" } });
    const world = [showing("client"), aTlsSecret("client"), aTlsSecret("client", "team"), theirs, route, service];
    const refused = hostsOn(world);
    expect(onlyHost(refused).routes[0]?.destinations).toEqual([]);
    expect(refused.problems).toMatchObject([{ field: "spec.rules[0].backendRefs[0]", effect: "refused" }]);
    const secret = {
      ...aGrant({
        in: "team",
        from: { kind: "Gateway", namespace: "default" },
        to: { kind: "Secret", name: "client" },
      }),
      metadata: { name: "secret", namespace: "team" },
    };
    expect(onlyHost(hostsOn([...world, secret])).routes[0]?.destinations).toHaveLength(1);
  });

  test("that is not there is told, and the agents wait for it", () => {
    const found = hostsOn([showing("client"), https, both]);
    expect(found.hosts).toHaveLength(1);
    expect(found.problems).toMatchObject([{ field: "spec.tls.backend.clientCertificateRef", effect: "ignored" }]);
  });

  test("that is no Secret closes the Gateway", () => {
    const gateway = aGateway({ spec: { tls: { backend: { clientCertificateRef: { kind: "Vault", name: "x" } } } } });
    expect(hostsOn([gateway, both]).hosts).toEqual([]);
  });
});

test("an object of another shape than its kind has is told of, and the others are served", () => {
  const broken = { ...aGateway({ metadata: { name: "broken" } }), spec: { gatewayClassName: "ngrok", listeners: 7 } };
  const odd = { ...aWebRoute({}, { name: "odd" }), spec: { parentRefs: [{ name: "edge" }], rules: [null] } };
  const found = hostsOn([broken as unknown as GatewayObject, odd as unknown as GatewayObject, aWebRoute()]);
  expect(urlsOf(found)).toEqual(["https://shop.example.com:443"]);
  expect(found.problems.map(({ object }) => object)).toEqual(["Gateway default/broken", "HTTPRoute default/odd"]);
});
