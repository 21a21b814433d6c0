// What becomes of the traffic of a backend that is not to be had: Gateway API wants it refused, by weight, and not given away.
import { describe, expect, test } from "vitest";
import type { RouteObject } from "#kube/kinds.ts";
import type { BackendReference } from "#kube/routing-objects.ts";
import { aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import { aGatewayWith, aRule, aWebRoute, gatewayOptions, ground } from "#test/support/gateway-ground.ts";
import { line, rulesOf } from "#test/support/translating.ts";
import { translate } from "../translate.ts";

/** The rules of the public endpoint's policy, one a line, and the upstream of the endpoint if it has one. */
function served(route: RouteObject, protocol = "HTTPS"): { rules: string[]; upstream?: string } {
  const { endpoints } = translate(ground(aGatewayWith({ protocol }), route), gatewayOptions);
  const [only] = endpoints;
  if (only === undefined || endpoints.length !== 1) throw new Error(`expected one endpoint, found ${endpoints.length}`);
  const rules = rulesOf(only, protocol === "HTTPS" ? "on_http_request" : "on_tcp_connect").map(line);
  return "upstream" in only.spec ? { rules, upstream: only.spec.upstream.url } : { rules };
}

const absent: BackendReference = { name: "absent", port: 80 };
const here: BackendReference = { name: "shop", port: 80 };
const REFUSED =
  'custom-response {"status_code":500,"content":"A backend of this route could not be resolved","headers":{"content-type":"text/plain"}}';
const NOT_LOCAL = "vars.request_matched_local_svc == false";
const drawn = "int(vars.weighted_route_random_num)";
const matched = (value: boolean): string => `set-vars {"vars":[{"request_matched_local_svc":${value}}]}`;
const draw = (last: number): string => `set-vars {"vars":[{"weighted_route_random_num":"\${rand.int(0,${last})}"}]}`;

describe("an HTTPRoute's rule", () => {
  test("all of whose backends lead nowhere answers 500, and does not leave its requests to a wider rule", () => {
    const admin = aRule({ matches: [{ path: { type: "PathPrefix", value: "/admin" } }], backendRefs: [absent] });
    const { rules, upstream } = served(aWebRoute({ rules: [admin, aRule()] }));
    expect(upstream).toBe("http://shop.default:80");
    expect(rules.slice(0, -1)).toEqual([
      `Initialize-Local-Service-Match ${matched(false)}`,
      `GatewayAPI-Unresolved-Backend [req.url.path.startsWith('/admin'); ${NOT_LOCAL}] ${REFUSED}`,
      `Generated-Local-Service-Route [req.url.path.startsWith('/'); ${NOT_LOCAL}] ${matched(true)}`,
    ]);
  });

  const lost: [string, BackendReference][] = [
    ["a Service that is not there", absent],
    ["a port that it has not", { name: "shop", port: 81 }],
    ["another kind", { kind: "Bucket", name: "shop", port: 80 }],
    ["another namespace without a grant", { ...here, namespace: "team" }],
  ];
  test.for(lost)("that leads to %s has an endpoint, which answers 500", ([, ref]) => {
    const { rules, upstream } = served(aWebRoute({ rules: [aRule({ backendRefs: [ref] })] }));
    expect(upstream).toBeUndefined();
    expect(rules[0]).toBe(`GatewayAPI-Unresolved-Backend [req.url.path.startsWith('/')] ${REFUSED}`);
  });

  test("one of whose backends leads nowhere answers 500 to the share of that one", () => {
    const backendRefs = [
      { ...here, weight: 3 },
      { ...absent, weight: 1 },
    ];
    const when = `req.url.path.startsWith('/'); ${NOT_LOCAL}`;
    expect(served(aWebRoute({ rules: [aRule({ backendRefs })] })).rules.slice(1, -1)).toEqual([
      `Gen-Random-Number [${when}] ${draw(3)}`,
      `Generated-Local-Service-Route [${when}; ${drawn} <= 2] ${matched(true)}`,
      `GatewayAPI-Unresolved-Backend [${when}; ${drawn} >= 3 && ${drawn} <= 3] ${REFUSED}`,
    ]);
  });

  test("none of whose backends gets anything says so, wherever they lead", () => {
    const { rules } = served(aWebRoute({ rules: [aRule({ backendRefs: [{ ...absent, weight: 0 }] })] }));
    expect(rules[0]).toMatch(/^Generated-Route-No-Destination .*"status_code":500/);
  });
});

test.for([
  ["TCP", aTCPRoute],
  ["TLS", aTLSRoute],
] as const)("a %sRoute denies the connections of a backend that leads nowhere", ([protocol, build], { expect }) => {
  const { rules, upstream } = served(build({ spec: { rules: [{ backendRefs: [here, absent] }] } }), protocol);
  expect(upstream).toMatch(/shop\.default:80$/);
  expect(rules).toEqual([
    `Initialize-Local-Service-Match ${matched(false)}`,
    `Gen-Random-Number [${NOT_LOCAL}] ${draw(1)}`,
    `Generated-Local-Service-Route [${NOT_LOCAL}; ${drawn} <= 0] ${matched(true)}`,
    `GatewayAPI-Unresolved-Backend [${NOT_LOCAL}; ${drawn} >= 1 && ${drawn} <= 1] deny undefined`,
  ]);
});
