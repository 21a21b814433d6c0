// The traffic policy of a host, rule by rule: what the user wrote, TLS, the way to each destination, the answer for the rest.
import { describe, expect, test } from "vitest";
import { line, type PlainRule } from "#test/support/translating.ts";
import { hostPolicy } from "./host-policy.ts";
import {
  type Destination,
  type Route,
  serviceKey,
  type ServiceTarget,
  type TlsTermination,
  type VirtualHost,
} from "./model.ts";
import { type Policy, policyJson, policyWith, type Rule } from "./policy.ts";

function service(name: string): ServiceTarget {
  return { uid: "", namespace: "shop", name, port: 80, scheme: "http://", clientCertRefs: [] };
}

function to(name: string, weight?: number, trafficPolicies: readonly Policy[] = []): Destination {
  return { upstream: { service: service(name) }, trafficPolicies, ...(weight !== undefined && { weight }) };
}

function route(path: string, destinations: readonly Destination[], over: Partial<Route> = {}): Route {
  return {
    httpMatch: { path, pathType: "prefix", headers: [], queryParams: [] },
    trafficPolicies: [],
    destinations,
    ...over,
  };
}

function connectionRoute(...destinations: readonly Destination[]): Route {
  return { trafficPolicies: [], destinations };
}

interface Asked extends Partial<VirtualHost> {
  readonly protocol?: "HTTP" | "HTTPS" | "TCP" | "TLS";
  /** Name of the Service that the host collapses into. */
  readonly into?: string;
}

function policyOf({ protocol = "HTTPS", into, ...over }: Asked): Record<string, readonly PlainRule[]> {
  const host: VirtualHost = {
    namespace: "shop",
    listener: { hostname: "web.example.com", port: 443, protocol },
    routes: [],
    clientCertRefs: [],
    labelsToAdd: {},
    annotationsToAdd: {},
    owningResources: [],
    metadata: "",
    description: "",
    bindings: [],
    mappingStrategy: "endpoints",
    ...over,
  };
  const local = into === undefined ? undefined : serviceKey(service(into));
  // A plain policy is all that hosts of these tests have; its lists are read by their phase.
  return policyJson(hostPolicy({ host, local, urlOf: ({ name }) => `https://${name}.internal` })) as never;
}

function lines(asked: Asked, phase = "on_http_request"): string[] {
  return (policyOf(asked)[phase] ?? []).map(line);
}

const forward = (name: string) => `forward-internal {"url":"https://${name}.internal"}`;
const NOT_FOUND =
  'custom-response {"status_code":404,"content":"No route was found for this ngrok Endpoint","headers":{"content-type":"text/plain"}}';
const NOT_LOCAL = "vars.request_matched_local_svc == false";
const setVar = (value: boolean) => `set-vars {"vars":[{"request_matched_local_svc":${value}}]}`;

describe("an HTTP host", () => {
  test("leads each route to its endpoint, and answers what no route takes", () => {
    expect(lines({ routes: [route("/a", [to("a")]), route("/", [to("b")])] })).toEqual([
      `Generated-Route [req.url.path.startsWith('/a')] ${forward("a")}`,
      `Generated-Route [req.url.path.startsWith('/')] ${forward("b")}`,
      `Fallback-404 ${NOT_FOUND}`,
    ]);
  });

  test("that stands in one Service's endpoint lets its requests pass, and asks so that no later rule takes them", () => {
    expect(lines({ into: "b", routes: [route("/a", [to("a")]), route("/", [to("b")])] })).toEqual([
      `Initialize-Local-Service-Match ${setVar(false)}`,
      `Generated-Route [req.url.path.startsWith('/a'); ${NOT_LOCAL}] ${forward("a")}`,
      `Generated-Local-Service-Route [req.url.path.startsWith('/'); ${NOT_LOCAL}] ${setVar(true)}`,
      `Fallback-404 [${NOT_LOCAL}] ${NOT_FOUND}`,
    ]);
  });

  test("leads what no route takes to its default backend", () => {
    expect(lines({ routes: [], defaultDestination: to("a") })).toEqual([
      `Generated-Route-Default-Backend ${forward("a")}`,
      `Fallback-404 ${NOT_FOUND}`,
    ]);
    expect(lines({ into: "a", routes: [], defaultDestination: to("a") })).toEqual([
      `Initialize-Local-Service-Match ${setVar(false)}`,
      `Generated-Route-Default-Backend [${NOT_LOCAL}] ${setVar(true)}`,
      `Fallback-404 [${NOT_LOCAL}] ${NOT_FOUND}`,
    ]);
    expect(lines({ into: "b", routes: [route("/", [to("b")])], defaultDestination: to("a") })[2]).toBe(
      `Generated-Route-Default-Backend [${NOT_LOCAL}] ${forward("a")}`,
    );
  });

  test("keeps the user's rules before its own, in every phase, as they are", () => {
    const rules: Rule[] = [{ name: "mine", expressions: ["true"], actions: [{ type: "deny" }] }];
    const trafficPolicy: Policy = { on_http_request: rules, on_http_response: rules, on_tcp_connect: rules };
    const policy = policyOf({ trafficPolicy, routes: [route("/", [to("a")])] });
    expect(policy["on_http_request"]?.map(({ name }) => name)).toEqual(["mine", "Generated-Route", "Fallback-404"]);
    expect(policy["on_http_response"]).toEqual(rules);
    expect(policy["on_tcp_connect"]).toEqual(rules);
  });
});

const TLS: TlsTermination = {
  extendedOptions: { min_version: "1.3" },
  serverPrivateKey: "KEY",
  serverCertificate: "CERT",
  mutualTLSCAs: ["CA"],
};

test.for(["HTTPS", "TLS"] as const)(
  "TLS of an %s host ends before the user's rules for connections",
  (protocol, { expect }) => {
    const trafficPolicy = policyWith("on_tcp_connect", [{ name: "mine", actions: [{ type: "deny" }] }]);
    const [first, second] = policyOf({ protocol, trafficPolicy, tlsTermination: TLS })["on_tcp_connect"] ?? [];
    expect(first).toEqual({
      name: "Gateway-TLS-Termination",
      actions: [
        {
          type: "terminate-tls",
          config: {
            min_version: "1.3",
            mutual_tls_certificate_authorities: ["CA"],
            server_certificate: "CERT",
            server_private_key: "KEY",
          },
        },
      ],
    });
    expect(second?.name).toBe("mine");
  },
);

describe("destinations with weights", () => {
  const drawn = "int(vars.weighted_route_random_num)";
  const draw = (last: number) => `set-vars {"vars":[{"weighted_route_random_num":"\${rand.int(0,${last})}"}]}`;
  const path = "req.url.path.startsWith('/')";

  test("share the requests of a route by a number that is drawn for each", () => {
    expect(lines({ routes: [route("/", [to("a", 3), to("b"), to("c", 6)])] }).slice(0, -1)).toEqual([
      `Gen-Random-Number [${path}] ${draw(9)}`,
      `Generated-Route [${path}; ${drawn} <= 2] ${forward("a")}`,
      `Generated-Route [${path}; ${drawn} >= 3 && ${drawn} <= 3] ${forward("b")}`,
      `Generated-Route [${path}; ${drawn} >= 4 && ${drawn} <= 9] ${forward("c")}`,
    ]);
  });

  test("of 0 get none of them", () => {
    expect(lines({ routes: [route("/", [to("a", 0), to("b", 1)])] }).slice(0, -1)).toEqual([
      `Gen-Random-Number [${path}] ${draw(0)}`,
      `Generated-Route [${path}; ${drawn} <= -1] ${forward("a")}`,
      `Generated-Route [${path}; ${drawn} <= 0] ${forward("b")}`,
    ]);
  });

  test.for([[[to("a", 0), to("b", 0)]], [[to("a", 0)]]])(
    "that are all 0 are answered: no number is drawn from nothing",
    ([destinations], { expect }) => {
      expect(lines({ routes: [route("/", destinations ?? [])] }).slice(0, -1)).toEqual([
        `Generated-Route-No-Destination [${path}] custom-response {"status_code":500,"content":"This route sends its traffic nowhere: all its weights are 0","headers":{"content-type":"text/plain"}}`,
      ]);
      expect(lines({ protocol: "TCP", routes: [connectionRoute(...(destinations ?? []))] }, "on_tcp_connect")).toEqual([
        "Generated-Route-No-Destination deny undefined",
      ]);
    },
  );

  test("one of which is the endpoint's own Service", () => {
    expect(lines({ into: "b", routes: [route("/", [to("a"), to("b")])] }).slice(1, -1)).toEqual([
      `Gen-Random-Number [${path}; ${NOT_LOCAL}] ${draw(1)}`,
      `Generated-Route [${path}; ${NOT_LOCAL}; ${drawn} <= 0] ${forward("a")}`,
      `Generated-Local-Service-Route [${path}; ${NOT_LOCAL}; ${drawn} >= 1 && ${drawn} <= 1] ${setVar(true)}`,
    ]);
  });
});

describe.for(["TCP", "TLS"] as const)("a %s host", (protocol) => {
  const connect = (asked: Asked) => lines({ protocol, ...asked }, "on_tcp_connect");
  const drawn = "int(vars.weighted_route_random_num)";

  test("leads to its one destination", ({ expect }) => {
    expect(connect({ routes: [connectionRoute(to("a"))] })).toEqual([`Generated-Route ${forward("a")}`]);
  });

  test("that stands in its one destination's endpoint needs no rule", ({ expect }) => {
    expect(policyOf({ protocol, into: "a", routes: [connectionRoute(to("a"))] })).toEqual({});
  });

  test("shares its connections by weight", ({ expect }) => {
    const routes = [connectionRoute(to("a", 1), to("b", 1))];
    expect(connect({ routes })).toEqual([
      'Gen-Random-Number set-vars {"vars":[{"weighted_route_random_num":"${rand.int(0,1)}"}]}',
      `Generated-Route [${drawn} <= 0] ${forward("a")}`,
      `Generated-Route [${drawn} >= 1 && ${drawn} <= 1] ${forward("b")}`,
    ]);
    expect(connect({ into: "b", routes })).toEqual([
      `Initialize-Local-Service-Match ${setVar(false)}`,
      `Gen-Random-Number [${NOT_LOCAL}] set-vars {"vars":[{"weighted_route_random_num":"\${rand.int(0,1)}"}]}`,
      `Generated-Route [${NOT_LOCAL}; ${drawn} <= 0] ${forward("a")}`,
      `Generated-Local-Service-Route [${NOT_LOCAL}; ${drawn} >= 1 && ${drawn} <= 1] ${setVar(true)}`,
    ]);
  });

  test("answers no request with 404: it sees none", ({ expect }) => {
    expect(policyOf({ protocol, routes: [connectionRoute(to("a"))] })).not.toHaveProperty("on_http_request");
  });
});

describe("policies of a route and of a destination", () => {
  const named = (name: string, type = "deny"): Rule => ({ name, actions: [{ type }] });
  const filters: Policy = {
    on_http_request: [named("q1")],
    on_http_response: [named("r1")],
    on_tcp_connect: [named("t1")],
  };

  test("stand before the rule that leads there, under the route's expressions; what they do to connections is left out", () => {
    const routes = [
      route("/a", [to("a", 1, [policyWith("on_http_request", [named("q2")])])], { trafficPolicies: [filters] }),
    ];
    expect(policyOf({ routes })).toEqual({
      on_http_request: [
        { name: "q1", expressions: ["req.url.path.startsWith('/a')"], actions: [{ type: "deny" }] },
        { name: "q2", expressions: ["req.url.path.startsWith('/a')"], actions: [{ type: "deny" }] },
        expect.objectContaining({ name: "Generated-Route" }),
        expect.objectContaining({ name: "Fallback-404" }),
      ],
      on_http_response: [{ name: "r1", expressions: ["req.url.path.startsWith('/a')"], actions: [{ type: "deny" }] }],
    });
  });

  test("keep their own expressions, none of them twice", () => {
    const own = { name: "q1", expressions: ["true", "req.url.path.startsWith('/a')"], actions: [{ type: "deny" }] };
    const routes = [route("/a", [to("a")], { trafficPolicies: [policyWith("on_http_request", [own])] })];
    expect(policyOf({ routes })["on_http_request"]?.[0]?.expressions).toEqual([
      "true",
      "req.url.path.startsWith('/a')",
    ]);
  });

  test("of a default backend stand under what the endpoint has not matched", () => {
    const defaultDestination = { trafficPolicies: [policyWith("on_http_request", [named("q1")])] };
    expect(lines({ defaultDestination })[0]).toBe("q1 deny undefined");
    expect(lines({ into: "a", routes: [route("/", [to("a")])], defaultDestination })[2]).toBe(
      `q1 [${NOT_LOCAL}] deny undefined`,
    );
  });

  const headers = [{ name: "x-env", value: "prod", type: "exact" as const }];
  const match = { path: "/", pathType: "prefix" as const, headers: [], queryParams: [] };
  test.for([
    ["add-headers with a header match", "add-headers", { ...match, headers }, true],
    ["remove-headers with a header match", "remove-headers", { ...match, headers }, true],
    ["add-headers without a header match", "add-headers", match, false],
    ["url-rewrite with a path match", "url-rewrite", match, true],
    ["url-rewrite without a path match", "url-rewrite", { headers, queryParams: [] }, false],
    ["deny", "deny", { ...match, headers }, false],
  ] as const)("%s: the request is remembered as it came, if need be", ([, type, httpMatch, captured], { expect }) => {
    const change = policyWith("on_http_request", [named("change", type)]);
    for (const changing of [
      { httpMatch, trafficPolicies: [change], destinations: [to("a")] },
      { httpMatch, trafficPolicies: [], destinations: [to("a", 1, [change])] },
    ]) {
      const found = lines({ routes: [changing, route("/b", [to("b")])] });
      expect(found[0]?.startsWith("Capture-Original-Request-Data set-vars")).toBe(captured);
      // All routes look at the same request.
      expect(found.at(-2)).toBe(
        `Generated-Route [${captured ? "vars.original_path" : "req.url.path"}.startsWith('/b')] ${forward("b")}`,
      );
    }
  });

  test("the remembered request, to the letter", () => {
    const change = policyWith("on_http_request", [named("change", "add-headers")]);
    const queryParams = [{ name: "q", value: "1", type: "regex" as const }];
    const routes = [
      {
        httpMatch: { ...match, headers, queryParams, method: "GET" },
        trafficPolicies: [change],
        destinations: [to("a")],
      },
    ];
    const [capture, , lead] = policyOf({ routes })["on_http_request"] ?? [];
    expect(capture).toEqual({
      name: "Capture-Original-Request-Data",
      actions: [
        {
          type: "set-vars",
          config: {
            vars: [
              { original_path: "${req.url.path}" },
              { original_headers: "${req.headers.encodeJson()}" },
              { original_query_params: "${req.url.query_params.encodeJson()}" },
            ],
          },
        },
      ],
    });
    expect(lead?.expressions).toEqual([
      "vars.original_path.startsWith('/')",
      "vars.original_headers.decodeJson().exists_one(x, x == 'x-env') && vars.original_headers.decodeJson()['x-env'].join(',') == 'prod'",
      "vars.original_query_params.decodeJson().exists_one(x, x == 'q') && vars.original_query_params.decodeJson()['q'].join(',').matches('1')",
      "req.method == 'GET'",
    ]);
  });
});

test("nothing of what goes in is changed: one policy serves many hosts", () => {
  const deepFreeze = <T>(value: T): T => {
    if (typeof value === "object" && value !== null)
      for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
    return value;
  };
  const shared = deepFreeze(
    policyWith("on_http_request", [{ name: "mine", expressions: ["true"], actions: [{ type: "deny" }] }]),
  );
  const asked = deepFreeze({
    into: "a",
    trafficPolicy: shared,
    tlsTermination: TLS,
    routes: [route("/", [to("a")], { trafficPolicies: [shared] })],
  });
  expect(policyOf(asked)).toEqual(policyOf(asked));
});
