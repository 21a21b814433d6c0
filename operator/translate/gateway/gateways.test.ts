// A Gateway as a whole: whose it is, its hosts, its addresses and its settings.
import { describe, expect, test } from "vitest";
import type { GatewayObject } from "#kube/kinds.ts";
import { aGateway, aGatewayClass, anNgrokTrafficPolicy, aTLSRoute } from "#test/support/builders.ts";
import {
  aGatewayWith,
  aRule,
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

  test.for([
    ["TCP", "5.tcp.ngrok.io", 0],
    ["TCP", "0.tcp.eu.ngrok.io", 0],
    ["TCP", "1.TCP.us-cal-1.ngrok.io", 0],
    ["TCP", "db.example.com", 1],
    ["TCP", "5.tcp.ngrok.io.example.com", 1],
    ["TCP", "tcp.ngrok.io", 1],
    ["TLS", "5.tcp.ngrok.io", 1],
  ] as const)(
    "of ngrok's own for TCP are no Domains, which ngrok would refuse: %s on %s",
    ([protocol, hostname, many]) => {
      const listeners = [{ name: "a", port: 9000, protocol, hostname }];
      expect(domainsOfGateways(ground(aGateway({ spec: { listeners } })), gatewayOptions)).toHaveLength(many);
    },
  );
});

test("an object of another shape than its kind has is told of, and the others are served", () => {
  const broken = { ...aGateway({ metadata: { name: "broken" } }), spec: { gatewayClassName: "ngrok", listeners: 7 } };
  const odd = { ...aWebRoute({}, { name: "odd" }), spec: { parentRefs: [{ name: "edge" }], rules: [null] } };
  const found = hostsOn([broken as unknown as GatewayObject, odd as unknown as GatewayObject, aWebRoute()]);
  expect(urlsOf(found)).toEqual(["https://shop.example.com:443"]);
  expect(found.problems.map(({ object }) => object)).toEqual(["Gateway default/broken", "HTTPRoute default/odd"]);
});
