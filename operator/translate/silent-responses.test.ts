// Rules for responses that ngrok never applies, since routing puts them under variables that were set for the request: they
// stand where earlier releases wrote them, and whoever wrote them is told.
import { describe, expect, test } from "vitest";
import type { HttpRouteFilter, RouteRule } from "#kube/routing-objects.ts";
import { aGateway, anIngress, anIngressClass, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { aRule, aWebRoute, gatewayOptions, ground, shop, toldIn } from "#test/support/gateway-ground.ts";
import { rulesOf } from "#test/support/translating.ts";
import { translate } from "./translate.ts";

const header: HttpRouteFilter = {
  type: "ResponseHeaderModifier",
  responseHeaderModifier: { set: [{ name: "x", value: "y" }] },
};
const rewrite: HttpRouteFilter = {
  type: "URLRewrite",
  urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } },
};
const verbose = "endpoints-verbose";

function routed(rule: RouteRule, strategy = "endpoints") {
  const gateway = aGateway({
    metadata: { annotations: { "ngrok.com/mapping-strategy": strategy } },
    spec: { listeners: [{ name: "https", port: 443, protocol: "HTTPS", hostname: "shop.example.com" }] },
  });
  const route = aWebRoute({ rules: [aRule({ filters: [header], ...rule })] });
  return translate(ground(gateway, route, { ...shop("default", { metadata: { name: "other" } }) }), gatewayOptions);
}

function told(rule: RouteRule, strategy?: string): string[] {
  return toldIn(routed(rule, strategy).problems);
}

const never = (variables: string): string =>
  `HTTPRoute default/web spec.rules[0]: its rules for responses (GatewayAPI-Response-Header-Filter) never act on shop.example.com, as they stand under ${variables}, which ngrok forgets before the response comes: `;
const LOCAL = "vars.request_matched_local_svc";
const VERBOSE = "give the Gateway the annotation ngrok.com/mapping-strategy: endpoints-verbose [ignored]";
const POLICY =
  "write them into the NgrokTrafficPolicy that the Gateway's annotation ngrok.com/traffic-policy names [ignored]";
const two = [
  { name: "shop", port: 80, weight: 1 },
  { name: "other", port: 80, weight: 1 },
];

describe("a filter of responses", () => {
  test("where the Service's endpoint is the public one stands as ever, and its route is told that it never acts", () => {
    const { endpoints } = routed({});
    expect(endpoints.flatMap((one) => rulesOf(one, "on_http_response")).map(({ expressions }) => expressions)).toEqual([
      ["req.url.path.startsWith('/')", `${LOCAL} == false`],
    ]);
    expect(told({})).toEqual([`${never(LOCAL)}${VERBOSE}`]);
  });

  test("acts where the Gateway is verbose, as the word to its writer says: it asks for the request alone", () => {
    const { endpoints, problems } = routed({}, verbose);
    expect(endpoints.flatMap((one) => rulesOf(one, "on_http_response")).map(({ expressions }) => expressions)).toEqual([
      ["req.url.path.startsWith('/')"],
    ]);
    expect(problems).toEqual([]);
  });

  test("of a rule acts whatever the weights of its backends, that of a backend that is drawn never does", () => {
    expect(told({ backendRefs: two }, verbose)).toEqual([]);
    const drawn = two.map((ref) => ({ ...ref, filters: [header] }));
    const variable = "vars.weighted_route_random_num";
    expect(told({ filters: [], backendRefs: drawn }, verbose)).toEqual([`${never(variable)}${POLICY}`]);
    expect(told({ filters: [], backendRefs: drawn })).toEqual([`${never(`${LOCAL}, ${variable}`)}${POLICY}`]);
  });

  test("beside a rewrite of the path never acts, whichever the strategy", () => {
    expect(told({ filters: [rewrite, header] }, verbose)).toEqual([`${never("vars.original_path")}${POLICY}`]);
  });

  test("is said of no route that has none, and not of its rules for requests", () => {
    expect(told({ filters: [rewrite] })).toEqual([]);
  });
});

test("an Ingress is told of a policy among its backends, by the path or the default that names it", () => {
  const policy = { on_http_response: [{ actions: [{ type: "compress-response" }] }] };
  const resource = { apiGroup: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "mine" };
  const to = { service: { name: "shop", port: { number: 80 } } };
  const ingress = anIngress({
    spec: {
      ingressClassName: "ngrok",
      defaultBackend: { resource },
      rules: [
        {
          host: "shop.example.com",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: to },
              { path: "/mine", pathType: "Prefix", backend: { resource } },
            ],
          },
        },
      ],
    },
  });
  const mine = anNgrokTrafficPolicy({ metadata: { name: "mine", namespace: "default" }, spec: { policy } });
  const { problems } = translate(ground(anIngressClass(), ingress, mine), gatewayOptions);
  expect(problems.map(({ object, field }) => `${object} ${field}`)).toEqual([
    "Ingress default/shop spec.defaultBackend",
    "Ingress default/shop spec.rules[0].http.paths[1]",
  ]);
  expect(problems[0]?.reason).toMatch(/\(without a name\) never act on .*: give the Ingress the annotation/);
});
