// The traffic policy of a host, rule by rule: what the user wrote, TLS, the way to each destination, the answer for the rest.
import { describe, expect, test } from "vitest";
import {
  type Asked,
  connectionRoute,
  forward,
  lines,
  NOT_FOUND,
  NOT_LOCAL,
  policyOf,
  route,
  setVar,
  to,
} from "#test/support/one-host.ts";
import type { TlsTermination } from "./model.ts";
import { type Policy, policyWith, type Rule } from "./policy.ts";

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

  test.for(["TCP", "TLS"] as const)(
    "that is the only one of a %s host and 0 is denied in its own endpoint too, which would else take everything",
    (protocol, { expect }) => {
      const routes = [connectionRoute(to("a", 0))];
      expect(lines({ protocol, into: "a", routes }, "on_tcp_connect")).toEqual([
        `Initialize-Local-Service-Match ${setVar(false)}`,
        `Generated-Route-No-Destination [${NOT_LOCAL}] deny undefined`,
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
