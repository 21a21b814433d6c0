// What a route is told although it is served as it is written: something of it does not do what its writer may think.
import { describe, expect, test } from "vitest";
import { bindingLabels } from "#api/binding.ts";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { HeaderModifier, HttpRouteFilter, HttpRouteMatch } from "#kube/routing-objects.ts";
import { aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import { aGatewayWith, aRule, aWebRoute, hostsOn, shop, toldIn } from "#test/support/gateway-ground.ts";
import type { Options } from "../model.ts";

function annotated<T extends RouteObject | GatewayObject>(route: T, annotations: Record<string, string>): T {
  return { ...route, metadata: { ...route.metadata, annotations } };
}

describe("an annotation that only a Gateway has", () => {
  const bytes = { spec: { rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] } };

  test.for([
    ["HTTPRoute default/web", "HTTPS", aWebRoute()],
    ["TCPRoute default/web", "TCP", aTCPRoute({ metadata: { name: "web" }, ...bytes })],
    ["TLSRoute default/web", "TLS", aTLSRoute({ metadata: { name: "web" }, ...bytes })],
  ] as const)("is not read on %s, under neither prefix, and the place for it is named", ([object, protocol, route]) => {
    for (const key of ["ngrok.com/traffic-policy", "k8s.ngrok.com/traffic-policy"]) {
      const { hosts, problems } = hostsOn([aGatewayWith({ protocol }), annotated(route, { [key]: "guard" })]);
      expect(hosts).toHaveLength(1);
      expect(toldIn(problems)).toEqual([
        `${object} metadata.annotations["${key}"]: nobody reads it on a route: write it on the Gateway, or name an NgrokTrafficPolicy by a filter of type ExtensionRef in an HTTPRoute [ignored]`,
      ]);
    }
  });

  test("is found on a route also where it is mistyped; what nobody reads anywhere has no place", () => {
    const annotations = { "ngrok.com/traffic-polcy": "guard", "ngrok.com/modules": "oauth", "ngrok.com/url": "x" };
    const { problems } = hostsOn([aGatewayWith({ protocol: "HTTPS" }), annotated(aWebRoute(), annotations)]);
    const line = (suffix: string, remedy: string): string =>
      `HTTPRoute default/web metadata.annotations["ngrok.com/${suffix}"]: nobody reads it on a route: ${remedy} [ignored]`;
    expect(toldIn(problems)).toEqual([
      line(
        "modules",
        "remove it; what it was to do may be said in an NgrokTrafficPolicy, which ngrok.com/traffic-policy names",
      ),
      line(
        "traffic-polcy",
        "write ngrok.com/traffic-policy on the Gateway, or name an NgrokTrafficPolicy by a filter of type ExtensionRef in an HTTPRoute",
      ),
      line("url", "remove it, or write it on a Service"),
    ]);
  });

  test("is told on the Gateway too where nobody reads it there, and the Gateway is served", () => {
    const { hosts, problems } = hostsOn([
      annotated(aGatewayWith({ protocol: "HTTPS" }), { "ngrok.com/traffic-polcy": "guard" }),
      aWebRoute(),
    ]);
    expect(hosts).toHaveLength(1);
    expect(toldIn(problems)).toEqual([
      'Gateway default/edge metadata.annotations["ngrok.com/traffic-polcy"]: nobody reads it on a Gateway: write ngrok.com/traffic-policy [ignored]',
    ]);
  });

  test("is no matter of ours on a route of somebody else's Gateway, nor is any other annotation on ours", () => {
    const stranger = aWebRoute({ parentRefs: [{ name: "another" }] });
    const { problems } = hostsOn([annotated(stranger, { "ngrok.com/bindings": "public" })]);
    expect(problems.map(({ field }) => field)).toEqual(["spec.parentRefs[0]"]);
    expect(
      hostsOn([annotated(aWebRoute(), { "ngrok.com/drain-owner": "a/b", "example.com/url": "x" })]).problems,
    ).toEqual([]);
  });
});

describe("two backslashes in a row in a value", () => {
  const toldOf = (match: HttpRouteMatch): string[] =>
    toldIn(hostsOn([aWebRoute({ rules: [aRule({ matches: [match] })] })]).problems);
  const reason =
    "two backslashes are compared as two, where earlier releases made one of them: write one, unless two are meant";

  test.for([
    ["RegularExpression", String.raw`^a\\.b$`],
    ["Exact", String.raw`a\\b`],
  ] as const)("are told of as what earlier releases needed, in a match of type %s", ([type, value]) => {
    const one = { type, name: "v", value };
    const field = "HTTPRoute default/web spec.rules[0].matches[0]";
    expect(toldOf({ headers: [one] })).toEqual([`${field}.headers[0].value: ${reason} [ignored]`]);
    expect(toldOf({ queryParams: [one] })).toEqual([`${field}.queryParams[0].value: ${reason} [ignored]`]);
  });

  test("are compared as they are written all the same, and one alone is nothing to say a word about", () => {
    const headers = [{ name: "v", value: String.raw`a\\b` }];
    const { hosts } = hostsOn([aWebRoute({ rules: [aRule({ matches: [{ headers }] })] })]);
    expect(hosts[0]?.routes[0]?.httpMatch?.headers[0]?.value).toBe(String.raw`a\\b`);
    expect(toldOf({ headers: [{ type: "RegularExpression", name: "v", value: String.raw`^a\.b\d$` }] })).toEqual([]);
  });
});

describe("a prefix that is replaced by another", () => {
  const path = (to: string) => ({ path: { type: "ReplacePrefixMatch" as const, replacePrefixMatch: to } });
  const filters = (to: string): [string, HttpRouteFilter][] => [
    ["urlRewrite", { type: "URLRewrite", urlRewrite: path(to) }],
    ["requestRedirect", { type: "RequestRedirect", requestRedirect: path(to) }],
  ];
  const toldOf = (filter: HttpRouteFilter, match: NonNullable<HttpRouteMatch["path"]>): string[] =>
    toldIn(hostsOn([aWebRoute({ rules: [aRule({ matches: [{ path: match }], filters: [filter] })] })]).problems);

  test.for([
    ["/", "/api", "/x becomes /apix"],
    ["/foo", "/", "/foo/x becomes //x"],
    ["/foo/", "/api", "/foo/x becomes /apix"],
    ["/", "", "/x becomes x"],
  ] as const)("%j by %j: a / too many or too few is told of, with what comes of it", ([value, to, becomes]) => {
    for (const [name, filter] of filters(to)) {
      expect(toldOf(filter, { type: "PathPrefix", value })).toEqual([
        `HTTPRoute default/web spec.rules[0].filters[0].${name}.path.replacePrefixMatch: is put in place of ${JSON.stringify(value)} as it is, so that ${becomes}: end both with a /, or neither [ignored]`,
      ]);
    }
  });

  test.for([
    ["/foo", "/bar"],
    ["/foo/", "/"],
    ["/", "/api/"],
    ["/foo", ""],
  ] as const)("%j by %j is nothing to say a word about", ([value, to]) => {
    for (const [, filter] of filters(to)) expect(toldOf(filter, { type: "PathPrefix", value })).toEqual([]);
  });

  test("is the whole of an exact path, of which nothing is left to follow", () => {
    for (const [, filter] of filters("/")) expect(toldOf(filter, { type: "Exact", value: "/foo" })).toEqual([]);
  });
});

describe("a Service of type ExternalName", () => {
  const toldOf = (externalName: string, options: Partial<Options> = {}, labels: Record<string, string> = {}) => {
    const named = shop("default", {
      metadata: { labels },
      spec: { type: "ExternalName", externalName, ports: [{ port: 80 }] },
    });
    const { hosts, problems } = hostsOn([named, aWebRoute()], options);
    expect(hosts[0]?.routes[0]?.destinations[0]?.upstream?.service.name).toBe("shop");
    return toldIn(problems);
  };

  test.for(["admin.platform.svc.cluster.local", "admin-0.ADMIN.platform.svc.cluster.local."])(
    "that is another name for %s is served as ever, and told of: nobody asks that namespace",
    (externalName) => {
      expect(toldOf(externalName)).toEqual([
        "HTTPRoute default/web spec.rules[0].backendRefs[0]: Service default/shop is another name for a Service of namespace platform, which nobody asks for a ReferenceGrant (CVE-2021-25740): name that Service itself, with a grant there [ignored]",
      ]);
    },
  );

  test("that leads out of the cluster, or to its own namespace, is nothing to say a word about", () => {
    expect(toldOf("api.example.org")).toEqual([]);
    expect(toldOf("web.default.svc.cluster.local")).toEqual([]);
    expect(toldOf("admin.platform.svc.corp.example")).toEqual([]);
    expect(toldOf("admin.platform.svc.corp.example", { clusterDomain: "svc.corp.example" })).toHaveLength(1);
  });

  test("is nothing to say a word about where no namespace is asked, nor is the operator's own of a BoundEndpoint", () => {
    const host = "ngrok-1.ngrok-operator.svc.cluster.local";
    expect(toldOf(host, { referenceGrants: false })).toEqual([]);
    expect(toldOf(host, {}, bindingLabels("ngrok-operator", "ngrok-1"))).toEqual([]);
  });
});

describe("a port that says by appProtocol how it is spoken to", () => {
  const toldOf = (appProtocol: string, annotations: Record<string, string> = {}) => {
    const ports = [{ port: 80 }, { name: "api", port: 8443, appProtocol }];
    const speaking = shop("default", { metadata: { annotations }, spec: { ports } });
    const backendRefs = [{ name: "shop", port: 8443 }];
    const { hosts, problems } = hostsOn([speaking, aWebRoute({ rules: [aRule({ backendRefs })] })]);
    expect(hosts[0]?.routes[0]?.destinations[0]?.upstream?.service).not.toHaveProperty("protocol");
    return toldIn(problems);
  };

  test.for(["kubernetes.io/h2c", "ngrok.com/http2"])(
    "as %s is read for Ingresses alone, which the route is told",
    (word) => {
      expect(toldOf(word)).toEqual([
        `HTTPRoute default/web spec.rules[0].backendRefs[0]: port 8443 of Service default/shop asks for HTTP/2 by its appProtocol ${word}, which is read for Ingresses alone: lead there by an Ingress, or write an AgentEndpoint with spec.upstream.protocol: http2 [ignored]`,
      ]);
    },
  );

  test.for(["https", "kubernetes.io/wss"])(
    "as %s is spoken to without TLS, and told the annotation that is read",
    (word) => {
      expect(toldOf(word)).toEqual([
        `Service default/shop spec.ports[1].appProtocol: ${word} is not read, and the agents speak HTTP without TLS to this port: write the annotation ngrok.com/app-protocols, with {"api":"HTTPS"} [ignored]`,
      ]);
      expect(toldOf(word, { "ngrok.com/app-protocols": '{"other":"HTTPS"}' })).toHaveLength(1);
    },
  );

  test.for(["HTTPS", "HTTP"])("is nothing to say a word about where the annotation says %s", (scheme) => {
    expect(toldOf("https", { "ngrok.com/app-protocols": JSON.stringify({ api: scheme }) })).toEqual([]);
  });

  test.for(["http", "kubernetes.io/ws", "example.com/own"])("as %s is nothing to say a word about", (word) => {
    expect(toldOf(word)).toEqual([]);
  });

  test("matters to nobody who carries bytes", () => {
    const speaking = shop("default", { spec: { ports: [{ port: 80, appProtocol: "kubernetes.io/h2c" }] } });
    const secure = shop("default", {
      metadata: { name: "tls" },
      spec: { ports: [{ port: 80, appProtocol: "https" }] },
    });
    const backendRefs = ["shop", "tls"].map((name) => ({ name, port: 80 }));
    const route = aTCPRoute({ spec: { rules: [{ backendRefs }] } });
    expect(hostsOn([aGatewayWith({ protocol: "TCP" }), speaking, secure, route]).problems).toEqual([]);
  });
});

describe("a header's value that ngrok takes for an expression", () => {
  const told = (field: string): string =>
    `HTTPRoute default/web spec.rules[0].${field}.value: ngrok takes \${...} for an expression and writes its value, where Gateway API means the text: take the \${ out, or, if the expression is meant, write the header into an NgrokTrafficPolicy and name it by an ExtensionRef [ignored]`;
  const plain = [
    { name: "x-price", value: "$1 {or} less" },
    { name: "x-cost", value: "$" },
  ];
  const modifier: HeaderModifier = {
    set: [...plain, { name: "x-from", value: "at ${conn.client_ip}" }],
    add: [{ name: "x-token", value: "${secrets.get('vault', 'token')}" }],
  };

  test("is written as it is, and told of wherever a filter may stand; a $ by itself is nothing to say a word about", () => {
    const filters: HttpRouteFilter[] = [
      { type: "RequestHeaderModifier", requestHeaderModifier: modifier },
      { type: "ResponseHeaderModifier", responseHeaderModifier: { set: plain } },
    ];
    const backendFilters: HttpRouteFilter[] = [{ type: "ResponseHeaderModifier", responseHeaderModifier: modifier }];
    const backendRefs = [{ name: "shop", port: 80, filters: backendFilters }];
    const { hosts, problems } = hostsOn([aWebRoute({ rules: [aRule({ filters, backendRefs })] })]);
    const [policy] = hosts[0]?.routes[0]?.trafficPolicies ?? [];
    expect(policy?.on_http_request[0]?.actions[1]?.config).toEqual({
      headers: Object.fromEntries([...modifier.add!, ...modifier.set!].map(({ name, value }) => [name, value])),
    });
    expect(toldIn(problems).toSorted()).toEqual([
      told("backendRefs[0].filters[0].responseHeaderModifier.add[0]"),
      told("backendRefs[0].filters[0].responseHeaderModifier.set[2]"),
      told("filters[0].requestHeaderModifier.add[0]"),
      told("filters[0].requestHeaderModifier.set[2]"),
    ]);
  });
});

describe("a filter of more headers than ngrok takes in one action", () => {
  const headers = (number: number, prefix = "x") =>
    Array.from({ length: number }, (_, at) => ({ name: `${prefix}-${at}`, value: "1" }));
  const toldOf = (modifier: HeaderModifier): string[] => {
    const filters: HttpRouteFilter[] = [
      { type: "RequestHeaderModifier", requestHeaderModifier: modifier },
      { type: "ResponseHeaderModifier", responseHeaderModifier: modifier },
    ];
    const { hosts, problems } = hostsOn([aWebRoute({ rules: [aRule({ filters })] })]);
    expect(hosts[0]?.routes[0]?.trafficPolicies).toHaveLength(2);
    return toldIn(problems);
  };
  const told = (what: string): string[] =>
    ["filters[0].requestHeaderModifier", "filters[1].responseHeaderModifier"].map(
      (field) =>
        `HTTPRoute default/web spec.rules[0].${field}: ${what}, and ngrok refuses more than 10 in one action: write the others into an NgrokTrafficPolicy and name it by an ExtensionRef [ignored]`,
    );

  test("is written as it is, and told of, each of its two actions by itself", () => {
    const [removed, added] = [
      told("12 headers are removed (remove and set)"),
      told("11 headers are added (add and set)"),
    ];
    expect(toldOf({ add: headers(11) })).toEqual(added);
    expect(toldOf({ remove: headers(12).map(({ name }) => name) })).toEqual(removed);
    expect(toldOf({ set: headers(6), add: headers(5, "y"), remove: headers(6, "z").map(({ name }) => name) })).toEqual([
      added[0],
      removed[0],
      added[1],
      removed[1],
    ]);
  });

  test("is none with ten in each, nor where a name stands twice", () => {
    expect(toldOf({ set: headers(5), add: headers(5, "y"), remove: headers(5, "z").map(({ name }) => name) })).toEqual(
      [],
    );
    expect(toldOf({ set: headers(6), add: headers(6) })).toEqual([]);
  });
});
