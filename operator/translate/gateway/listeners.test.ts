// Which routes a listener takes, and which listeners are served at all.
import { describe, expect, test } from "vitest";
import type { GatewayListener } from "#kube/routing-objects.ts";
import { aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import {
  aGatewayWith,
  aNamespace,
  aRule,
  aWebRoute,
  gatewayOptions,
  ground,
  hostsOn,
  shop,
  urlsOf,
} from "#test/support/gateway-ground.ts";
import { hostsMeet } from "./hostnames.ts";
import { domainsOfGateways } from "./virtual-hosts.ts";

describe("what a listener has to say", () => {
  const listeners: { story: string; listener: Partial<GatewayListener>; field?: string; reason?: string }[] = [
    { story: "HTTP on port 80 is served", listener: { protocol: "HTTP", port: 80 } },
    { story: "HTTPS on port 443 is served", listener: { protocol: "HTTPS", port: 443 } },
    {
      story: "HTTP on another port is not",
      listener: { protocol: "HTTP", port: 8080 },
      field: "port",
      reason: "ngrok only supports HTTP on port 80",
    },
    {
      story: "HTTPS on another port is not",
      listener: { protocol: "HTTPS", port: 8443 },
      field: "port",
      reason: "ngrok only supports HTTPS on port 443",
    },
    {
      story: "HTTP without a host name is not",
      listener: { protocol: "HTTP", port: 80, hostname: "" },
      field: "hostname",
      reason: "write the host name that ngrok is to serve, or give the Gateway an address of type Hostname",
    },
    {
      story: "HTTPS for every host is not",
      listener: { hostname: "*" },
      field: "hostname",
      reason:
        '"*" is no host of its own: write the host name that ngrok is to serve, or give the Gateway an address of type Hostname',
    },
    {
      story: "a host name that is none is not",
      listener: { hostname: "a'b.example.com" },
      field: "hostname",
      reason: expect.stringMatching(/is not a host name/),
    },
    {
      story: "UDP is not",
      listener: { protocol: "UDP", port: 53 },
      field: "protocol",
      reason: '"UDP" is not a protocol that ngrok serves: use HTTP, HTTPS, TLS or TCP',
    },
    {
      story: "HTTPS that somebody else ends is not",
      listener: { tls: { mode: "Passthrough" } },
      field: "tls.mode",
      reason: "ngrok ends the TLS of HTTPS itself: write Terminate, or use protocol TLS with a TLSRoute",
    },
    {
      story: "HTTP with TLS is not",
      listener: { protocol: "HTTP", port: 80, tls: {} },
      field: "tls",
      reason: "HTTP has no TLS: remove tls, or use HTTPS or TLS",
    },
  ];
  test.for(listeners)("$story", ({ listener, field, reason }) => {
    const gateway = aGatewayWith(listener, { name: "other", hostname: "other.example.com" });
    const found = hostsOn([gateway, aWebRoute()]);
    expect(found.problems).toEqual(
      field === undefined
        ? []
        : [{ object: "Gateway default/edge", field: `spec.listeners[0].${field}`, reason, effect: "refused" }],
    );
    // The other listener is served whatever is wrong with the first.
    expect(found.hosts).toHaveLength(field === undefined ? 2 : 1);
    expect(urlsOf(found)).toContain("https://other.example.com:443");
    // Nothing is reserved for what is not served.
    const domains = domainsOfGateways(ground(gateway), gatewayOptions);
    expect(domains).toHaveLength(field === undefined ? 2 : 1);
  });

  const conflicts: { story: string; second: Partial<GatewayListener>; served: string[] }[] = [
    {
      story: "two protocols cannot share a host and a port, and none of them is picked",
      second: { protocol: "TLS", port: 443 },
      served: [],
    },
    {
      story: "two ways to end TLS cannot share a host and a port, and none of them is picked",
      second: { tls: { mode: "Terminate", options: { "ngrok.com/terminate-tls.min_version": "1.3" } } },
      served: [],
    },
    {
      story: "two hosts can share a port",
      second: { protocol: "TLS", port: 443, hostname: "tls.example.com" },
      served: ["https://shop.example.com:443", "tls://tls.example.com:443"],
    },
    {
      story: "listeners that say the same are one host",
      second: {},
      served: ["https://shop.example.com:443"],
    },
  ];
  test.for(conflicts)("$story", ({ second, served }) => {
    const tls = aTLSRoute({ spec: { rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] } });
    const found = hostsOn([aGatewayWith({}, second), aWebRoute(), tls]);
    expect(urlsOf(found)).toEqual(served);
  });
});

describe("which listeners a route names", () => {
  const two = aGatewayWith(
    { name: "plain", protocol: "HTTP", port: 80 },
    { name: "secure", protocol: "HTTPS", port: 443 },
  );
  const parents: [string, object, string[]][] = [
    ["all of them", {}, ["http://shop.example.com:80", "https://shop.example.com:443"]],
    ["one by its name", { sectionName: "secure" }, ["https://shop.example.com:443"]],
    ["one by its port", { port: 80 }, ["http://shop.example.com:80"]],
    ["one by both", { sectionName: "plain", port: 80 }, ["http://shop.example.com:80"]],
    ["none by a name and a port that are not together", { sectionName: "plain", port: 443 }, []],
    ["none by a name that is not there", { sectionName: "other" }, []],
  ];
  test.for(parents)("%s", ([, parent, served]) => {
    const found = hostsOn([two, aWebRoute({ parentRefs: [{ name: "edge", ...parent }] })]);
    expect(urlsOf(found)).toEqual(served);
    expect(found.problems.map(({ field }) => field)).toEqual(served.length === 0 ? ["spec.parentRefs[0]"] : []);
  });
});

describe("which routes a listener allows", () => {
  type Allowed = NonNullable<GatewayListener["allowedRoutes"]>;
  const shopLabels = { team: "shop", stage: "live" };
  const namespaces: [string, Allowed | undefined, boolean, boolean][] = [
    ["those of its own namespace, where it says nothing", undefined, true, false],
    ["those of its own namespace, where it speaks of kinds alone", { kinds: [{ kind: "HTTPRoute" }] }, true, false],
    ["Same", { namespaces: { from: "Same" } }, true, false],
    ["All", { namespaces: { from: "All" } }, true, true],
    ["Selector by a label", selector({ matchLabels: { team: "shop" } }), false, true],
    ["Selector by another label", selector({ matchLabels: { team: "else" } }), false, false],
    ["Selector of everything", selector({}), true, true],
    ["Selector without one", { namespaces: { from: "Selector" } }, false, false],
    ["In", expression({ key: "team", operator: "In", values: ["a", "shop"] }), false, true],
    ["NotIn", expression({ key: "team", operator: "NotIn", values: ["shop"] }), true, false],
    ["Exists", expression({ key: "stage", operator: "Exists" }), false, true],
    ["DoesNotExist", expression({ key: "stage", operator: "DoesNotExist" }), true, false],
    [
      "Selector by the name that each Namespace has as a label",
      selector({ matchLabels: { "kubernetes.io/metadata.name": "team" } }),
      false,
      true,
    ],
  ];
  test.for(namespaces)("%s", ([, allowedRoutes, own, other]) => {
    const gateway = aGatewayWith(allowedRoutes === undefined ? {} : { allowedRoutes });
    const world = [gateway, aNamespace("default"), aNamespace("team", shopLabels), shop("team")];
    const mine = hostsOn([...world, aWebRoute()]);
    const theirs = hostsOn([
      ...world,
      aWebRoute({ parentRefs: [{ name: "edge", namespace: "default" }] }, { namespace: "team" }),
    ]);
    expect([mine.hosts.length, theirs.hosts.length]).toEqual([Number(own), Number(other)]);
    expect([mine.problems.length, theirs.problems.length]).toEqual([Number(!own), Number(!other)]);
  });

  function selector(given: { matchLabels?: Record<string, string> }): Allowed {
    return { namespaces: { from: "Selector", selector: given } };
  }
  function expression(given: {
    key: string;
    operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    values?: string[];
  }): Allowed {
    return { namespaces: { from: "Selector", selector: { matchExpressions: [given] } } };
  }

  const kinds: [string, Partial<GatewayListener>, string[]][] = [
    ["HTTPS carries HTTPRoutes", {}, ["HTTPRoute"]],
    ["HTTP carries HTTPRoutes", { protocol: "HTTP", port: 80 }, ["HTTPRoute"]],
    ["TCP carries TCPRoutes", { protocol: "TCP", port: 9000 }, ["TCPRoute"]],
    ["TLS carries TLSRoutes and TCPRoutes", { protocol: "TLS", port: 9000 }, ["TLSRoute", "TCPRoute"]],
    [
      "TLS that is passed on carries TLSRoutes",
      { protocol: "TLS", port: 9000, tls: { mode: "Passthrough" } },
      ["TLSRoute"],
    ],
    ["kinds are known in any case", { allowedRoutes: { kinds: [{ kind: "httproute" }] } }, ["HTTPRoute"]],
    ["kinds of other groups are others", { allowedRoutes: { kinds: [{ group: "x.io", kind: "HTTPRoute" }] } }, []],
    ["GRPCRoutes are not carried", { allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }, []],
    [
      "kinds that are not carried leave the others",
      { allowedRoutes: { kinds: [{ kind: "GRPCRoute" }, { kind: "HTTPRoute" }] } },
      ["HTTPRoute"],
    ],
    [
      "one kind of two that could be",
      { protocol: "TLS", port: 9000, allowedRoutes: { kinds: [{ kind: "TCPRoute" }] } },
      ["TCPRoute"],
    ],
  ];
  test.for(kinds)("%s", ([, listener, carried]) => {
    const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];
    const routes = {
      HTTPRoute: aWebRoute(),
      TLSRoute: aTLSRoute({ spec: { rules } }),
      TCPRoute: aTCPRoute({ spec: { rules } }),
    };
    const attached = Object.entries(routes).filter(
      ([, route]) => hostsOn([aGatewayWith(listener), route]).hosts.length > 0,
    );
    expect(attached.map(([kind]) => kind)).toEqual(carried);
  });
});

describe("how host names meet", () => {
  const meetings: [string, string, boolean][] = [
    ["shop.example.com", "shop.example.com", true],
    ["shop.example.com", "SHOP.example.com", true],
    ["shop.example.com", "cart.example.com", false],
    ["*.example.com", "shop.example.com", true],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "example.com", false],
    ["shop.example.com", "*.example.com", true],
    ["shop.example.com", "*", true],
    ["*.example.com", "*", true],
    ["*.example.com", "*.shop.example.com", true],
    ["*.shop.example.com", "*.example.com", false],
    ["*", "shop.example.com", true],
  ];
  test.for(meetings)("a listener of %s and a route of %s: %s", ([listener, route, meet]) => {
    expect(hostsMeet(listener, route)).toBe(meet);
  });

  test("one host name of several suffices, and a route without any is on every host", () => {
    const served = (hostnames?: string[]): number =>
      hostsOn([aWebRoute({ rules: [aRule()], ...(hostnames && { hostnames }) })]).hosts.length;
    expect([served(["cart.example.com", "shop.example.com"]), served(["cart.example.com"]), served()]).toEqual([
      1, 0, 1,
    ]);
  });

  test("a pattern of ten thousand stars is no trouble", () => {
    expect(hostsMeet(`${"*a".repeat(10_000)}b`, "a".repeat(20_000))).toBe(false);
  });

  test("a route that is narrower than its endpoint is told that it answers for all of it", () => {
    const found = hostsOn([
      aGatewayWith({ hostname: "*.example.com" }),
      aWebRoute({ hostnames: ["shop.example.com"], rules: [aRule()] }),
    ]);
    expect(urlsOf(found)).toEqual(["https://*.example.com:443"]);
    expect(found.problems).toEqual([
      {
        object: "HTTPRoute default/web",
        field: "spec.hostnames",
        reason: expect.stringMatching(/answers for all of "\*\.example\.com".*: give the Gateway a listener/),
        effect: "ignored",
      },
    ]);
  });
});
