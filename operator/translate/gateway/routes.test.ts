// The rules of HTTPRoutes, TCPRoutes and TLSRoutes: matches, backends, grants, weights.
import { describe, expect, test } from "vitest";
import type { BackendReference, HttpRouteMatch } from "#kube/routing-objects.ts";
import { aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import {
  aGatewayWith,
  aGrant,
  aRule,
  aWebRoute,
  hostsOn,
  onlyHost,
  shop,
  urlsOf,
} from "#test/support/gateway-ground.ts";

describe("a match becomes a route", () => {
  const all = { headers: [], queryParams: [] };
  const matches: [string, HttpRouteMatch, object][] = [
    ["of every path, where it says nothing", {}, { ...all, path: "/", pathType: "prefix" }],
    ["by prefix", { path: { type: "PathPrefix", value: "/a" } }, { ...all, path: "/a", pathType: "prefix" }],
    ["by prefix, where the type is left out", { path: { value: "/a" } }, { ...all, path: "/a", pathType: "prefix" }],
    ["by the exact path", { path: { type: "Exact", value: "/a" } }, { ...all, path: "/a", pathType: "exact" }],
    ["by pattern", { path: { type: "RegularExpression", value: "/a.*" } }, { ...all, path: "/a.*", pathType: "regex" }],
    ["by method", { method: "GET" }, { ...all, path: "/", pathType: "prefix", method: "GET" }],
    [
      "by headers",
      {
        headers: [
          { name: "a", value: "1" },
          { type: "RegularExpression", name: "b", value: "2.*" },
        ],
      },
      {
        ...all,
        path: "/",
        pathType: "prefix",
        headers: [
          { name: "a", value: "1", type: "exact" },
          { name: "b", value: "2.*", type: "regex" },
        ],
      },
    ],
    [
      "by query",
      { queryParams: [{ type: "Exact", name: "q", value: "1" }] },
      { ...all, path: "/", pathType: "prefix", queryParams: [{ name: "q", value: "1", type: "exact" }] },
    ],
  ];
  test.for(matches)("%s", ([, match, httpMatch]) => {
    const { routes } = onlyHost(hostsOn([aWebRoute({ rules: [aRule({ matches: [match] })] })]));
    expect(routes.map((one) => one.httpMatch)).toEqual([httpMatch]);
  });

  test("by pattern, and says that the pattern is compared as plain text", () => {
    const path = { type: "RegularExpression", value: "/a.*" } as const;
    const { problems } = hostsOn([aWebRoute({ rules: [aRule({ matches: [{ path }] })] })]);
    expect(problems.map(({ field, effect }) => `${effect} ${field}`)).toEqual([
      "ignored spec.rules[0].matches[0].path.type",
    ]);
  });

  test("each match of each rule, in their order", () => {
    const rules = [
      aRule({ matches: [{ path: { value: "/a" } }, { path: { value: "/b" } }] }),
      aRule({ matches: [{ path: { value: "/c" } }] }),
    ];
    const { routes } = onlyHost(hostsOn([aWebRoute({ rules })]));
    expect(routes.map((one) => one.httpMatch?.path)).toEqual(["/a", "/b", "/c"]);
  });

  test("a rule without matches makes none, and says what the API server would have written", () => {
    const found = hostsOn([aWebRoute({ rules: [{ backendRefs: [{ name: "shop", port: 80 }] }, aRule()] })]);
    expect(onlyHost(found).routes).toHaveLength(1);
    expect(found.problems).toEqual([
      {
        object: "HTTPRoute default/web",
        field: "spec.rules[0].matches",
        reason: expect.stringMatching(/makes no route: write one such as/),
        effect: "refused",
      },
    ]);
  });

  const unknown: [string, HttpRouteMatch][] = [
    ["path.type", { path: { type: "Other", value: "/" } }],
    ["headers[0].type", { headers: [{ type: "Other", name: "a", value: "b" }] }],
    ["queryParams[0].type", { queryParams: [{ type: "Other", name: "a", value: "b" }] }],
  ];
  test.for(unknown)("a condition that is not known closes its match alone: %s", ([field, match]) => {
    const rules = [aRule({ matches: [match, { path: { value: "/good" } }] })];
    const found = hostsOn([aWebRoute({ rules })]);
    expect(onlyHost(found).routes.map((one) => one.httpMatch?.path)).toEqual(["/good"]);
    expect(found.problems.map((one) => one.field)).toEqual([`spec.rules[0].matches[0].${field}`]);
  });

  test.for(["timeouts", "retry", "sessionPersistence"])("%s is not had, and the route works without", (field) => {
    const found = hostsOn([aWebRoute({ rules: [{ ...aRule(), [field]: {} }] })]);
    expect(onlyHost(found).routes).toHaveLength(1);
    expect(found.problems).toMatchObject([{ field: `spec.rules[0].${field}`, effect: "ignored" }]);
  });
});

describe("a backend", () => {
  test("is a port of a Service, with the weight that it has", () => {
    const backendRefs = [
      { name: "shop", port: 80, weight: 3 },
      { name: "shop", port: 443 },
      { name: "shop", port: 80, weight: 0 },
    ];
    const { routes } = onlyHost(hostsOn([aWebRoute({ rules: [aRule({ backendRefs })] })]));
    const service = { uid: "uid-of-default-shop", namespace: "default", name: "shop", scheme: "http://" };
    expect(routes[0]?.destinations).toEqual([
      { weight: 3, upstream: { service: { ...service, port: 80, clientCertRefs: [] } }, trafficPolicies: [] },
      { upstream: { service: { ...service, port: 443, clientCertRefs: [] } }, trafficPolicies: [] },
      { weight: 0, upstream: { service: { ...service, port: 80, clientCertRefs: [] } }, trafficPolicies: [] },
    ]);
  });

  test("may be nowhere: a rule that redirects has none", () => {
    const rule = aRule({ backendRefs: [], filters: [{ type: "RequestRedirect", requestRedirect: {} }] });
    expect(onlyHost(hostsOn([aWebRoute({ rules: [rule] })])).routes[0]?.destinations).toEqual([]);
  });

  test("without a name is a destination of its filters alone", () => {
    const backendRefs: BackendReference[] = [{ name: "", filters: [{ type: "RequestRedirect", requestRedirect: {} }] }];
    const { routes } = onlyHost(hostsOn([aWebRoute({ rules: [aRule({ backendRefs })] })]));
    expect(routes[0]?.destinations).toEqual([{ trafficPolicies: [expect.anything()] }]);
  });

  const wrong: [string, BackendReference, string, RegExp][] = [
    ["that is no Service", { kind: "Bucket", name: "shop", port: 80 }, ".kind", /"Bucket" is no kind of backend/],
    ["of another group", { group: "x.io", kind: "Service", name: "shop", port: 80 }, ".kind", /name a Service/],
    ["without a port", { name: "shop" }, ".port", /is missing: write the port/],
    ["that is not there", { name: "absent", port: 80 }, "", /Service default\/absent does not exist: create it/],
    ["with another port", { name: "shop", port: 81 }, "", /has no port 81: name one of its own, 80 or 443 \(https\)/],
  ];
  test.for(wrong)("%s is lost, and the others are not", ([, ref, field, reason]) => {
    const found = hostsOn([aWebRoute({ rules: [aRule({ backendRefs: [ref, { name: "shop", port: 80 }] })] })]);
    expect(onlyHost(found).routes[0]?.destinations.map(({ isLost }) => isLost)).toEqual([true, undefined]);
    expect(found.problems).toEqual([
      {
        object: "HTTPRoute default/web",
        field: `spec.rules[0].backendRefs[0]${field}`,
        reason: expect.stringMatching(reason),
        effect: "refused",
      },
    ]);
  });

  const protocols: [string, string, string][] = [
    ['{"https":"HTTPS"}', "https://", "the scheme that its Service says"],
    ['{"https":"tls"}', "tls://", "the scheme, in any case"],
    ['{"other":"HTTPS"}', "http://", "http where its port is not among them"],
    ["{", "http://", "http where that cannot be read"],
  ];
  test.for(protocols)("with app-protocols %s is reached by %s: %s", ([value, scheme]) => {
    const speaking = shop("default", { metadata: { annotations: { "ngrok.com/app-protocols": value } } });
    const found = hostsOn([speaking, aWebRoute({ rules: [aRule({ backendRefs: [{ name: "shop", port: 443 }] })] })]);
    expect(onlyHost(found).routes[0]?.destinations[0]?.upstream?.service.scheme).toBe(scheme);
    expect(found.problems.map((one) => one.object)).toEqual(value === "{" ? ["Service default/shop"] : []);
  });

  test("does not learn its HTTP version from the Service's port", () => {
    const h2c = shop("default", { spec: { ports: [{ port: 80, appProtocol: "kubernetes.io/h2c" }] } });
    const { routes } = onlyHost(hostsOn([h2c, aWebRoute()]));
    expect(routes[0]?.destinations[0]?.upstream?.service).not.toHaveProperty("protocol");
  });
});

describe("a Service of another namespace", () => {
  const from = { kind: "HTTPRoute", namespace: "default" };
  const route = aWebRoute({ rules: [aRule({ backendRefs: [{ name: "shop", namespace: "team", port: 80 }] })] });
  const grants: [string, object[], boolean][] = [
    ["is closed without a grant", [], false],
    ["is open by a grant for all Services", [aGrant({ in: "team", from, to: { kind: "Service" } })], true],
    ["is open by its name", [aGrant({ in: "team", from, to: { kind: "Service", name: "shop" } })], true],
    [
      "is open in any case of letters",
      [aGrant({ in: "team", from: { kind: "httproute", namespace: "default" }, to: { kind: "SERVICE" } })],
      true,
    ],
    ["stays closed by another name", [aGrant({ in: "team", from, to: { kind: "Service", name: "cart" } })], false],
    ["stays closed by another kind", [aGrant({ in: "team", from, to: { kind: "Secret" } })], false],
    ["stays closed by another group", [aGrant({ in: "team", from, to: { kind: "Service", group: "x.io" } })], false],
    [
      "stays closed to another kind of route",
      [aGrant({ in: "team", from: { ...from, kind: "TCPRoute" }, to: { kind: "Service" } })],
      false,
    ],
    [
      "stays closed to another namespace",
      [aGrant({ in: "team", from: { ...from, namespace: "other" }, to: { kind: "Service" } })],
      false,
    ],
    [
      "stays closed to another group",
      [aGrant({ in: "team", from: { ...from, group: "x.io" }, to: { kind: "Service" } })],
      false,
    ],
    ["stays closed by a grant that lies elsewhere", [aGrant({ in: "default", from, to: { kind: "Service" } })], false],
  ];
  test.for(grants)("%s", ([, grant, open]) => {
    const found = hostsOn([route, shop("team"), ...(grant as ReturnType<typeof aGrant>[])]);
    expect(onlyHost(found).routes[0]?.destinations[0]?.isLost).toBe(open ? undefined : true);
    expect(found.problems).toEqual(
      open
        ? []
        : [
            {
              object: "HTTPRoute default/web",
              field: "spec.rules[0].backendRefs[0].namespace",
              reason:
                "Service team/shop may not be used from here: create a ReferenceGrant in namespace team from HTTPRoute in default to Service shop",
              effect: "refused",
            },
          ],
    );
  });

  test("is open to everybody where grants are not asked for", () => {
    const found = hostsOn([route, shop("team")], { referenceGrants: false });
    expect(onlyHost(found).routes[0]?.destinations[0]).not.toHaveProperty("isLost");
  });

  test("does not tell whether it is there to who may not use it", () => {
    const told = (objects: Parameters<typeof hostsOn>[0]): unknown => hostsOn([route, ...objects]).problems;
    expect(told([])).toEqual(told([shop("team")]));
  });
});

describe("TCPRoute and TLSRoute", () => {
  const rules = [
    { backendRefs: [{ name: "shop", port: 80, weight: 2 }] },
    {
      backendRefs: [
        { name: "shop", port: 443 },
        { name: "absent", port: 1 },
      ],
    },
  ];
  const kinds: [string, typeof aTCPRoute, string][] = [
    ["TCP", aTCPRoute, "tcp://"],
    ["TLS", aTLSRoute, "tls://"],
  ];
  test.for(kinds)("%s: the backends of all rules are one route without a match", ([protocol, build, scheme]) => {
    const gateway = aGatewayWith({ protocol, port: 9000 });
    const found = hostsOn([gateway, build({ spec: { rules } })]);
    const host = onlyHost(found);
    expect(urlsOf(found)).toEqual([`${scheme}shop.example.com:9000`]);
    expect(host.namePrefix).toBe("edge.default.9000");
    expect(host.routes).toHaveLength(1);
    expect(host.routes[0]?.httpMatch).toBeUndefined();
    expect(
      host.routes[0]?.destinations.map(({ weight, upstream }) => [
        weight,
        upstream?.service.port,
        upstream?.service.scheme,
      ]),
    ).toEqual([
      [2, 80, scheme],
      [undefined, 443, scheme],
      [undefined, undefined, undefined],
    ]);
    expect(found.problems.map((one) => one.field)).toEqual(["spec.rules[1].backendRefs[1]"]);
  });

  test.for(kinds)("%s: without any backend that is there, there is no host", ([protocol, build]) => {
    const none = build({ spec: { rules: [{ backendRefs: [{ name: "absent", port: 1 }] }] } });
    expect(hostsOn([aGatewayWith({ protocol, port: 9000 }), none]).hosts).toEqual([]);
  });

  test("of two on one listener the older has it, then the first by name; the other is told", () => {
    const route = (name: string, port: number, creationTimestamp?: string): ReturnType<typeof aTCPRoute> =>
      aTCPRoute({
        metadata: { name, ...(creationTimestamp !== undefined && { creationTimestamp }) },
        spec: { rules: [{ backendRefs: [{ name: "shop", port }] }] },
      });
    const gateway = aGatewayWith({ protocol: "TCP", port: 9000 });
    const older = hostsOn([gateway, route("a", 80, "2026-02-01T00:00:00Z"), route("b", 443, "2026-01-01T00:00:00Z")]);
    const first = hostsOn([gateway, route("b", 443), route("a", 80)]);
    const portsOf = (found: typeof older): unknown[] =>
      onlyHost(found).routes.map((one) => one.destinations[0]?.upstream?.service.port);
    expect([portsOf(older), portsOf(first)]).toEqual([[443], [80]]);
    expect(older.problems).toMatchObject([{ object: "TCPRoute default/a", field: "spec.parentRefs[0]" }]);
    expect(first.problems).toMatchObject([{ object: "TCPRoute default/b", field: "spec.parentRefs[0]" }]);
  });

  test("the host names of a TLSRoute are asked, those of a TCPRoute are not", () => {
    const other = { rules, hostnames: ["other.example.com"] };
    const served = [
      hostsOn([aGatewayWith({ protocol: "TLS" }), aTLSRoute({ spec: other })]),
      hostsOn([aGatewayWith({ protocol: "TCP" }), aTCPRoute({ spec: other })]),
    ];
    expect(served.map(({ hosts }) => hosts.length)).toEqual([0, 1]);
  });
});
