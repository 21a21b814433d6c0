// Each filter of an HTTPRoute as the rules that ngrok gets.
import { describe, expect, test } from "vitest";
import type { HttpRouteFilter } from "#kube/routing-objects.ts";
import { anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { aRule, aWebRoute, hostsOn, onlyHost, policiesOf, toldIn } from "#test/support/gateway-ground.ts";
import { policyJson } from "../policy.ts";

const modifier = {
  add: [{ name: "X-Added", value: "1" }],
  set: [{ name: "X-Set", value: "2" }],
  remove: ["X-Gone"],
};
const changed = [
  { type: "remove-headers", config: { headers: ["X-Gone", "X-Set"] } },
  { type: "add-headers", config: { headers: { "X-Added": "1", "X-Set": "2" } } },
];
const unchanged = [
  { type: "remove-headers", config: { headers: [] } },
  { type: "add-headers", config: { headers: {} } },
];

const headerFilters: { story: string; filter: HttpRouteFilter; phase: string; name: string; actions: unknown }[] = [
  {
    story: "RequestHeaderModifier removes before it adds, and sets by removing what was there",
    filter: { type: "RequestHeaderModifier", requestHeaderModifier: modifier },
    phase: "on_http_request",
    name: "GatewayAPI-Request-Header-Filter",
    actions: changed,
  },
  {
    story: "RequestHeaderModifier of nothing has both actions all the same",
    filter: { type: "RequestHeaderModifier", requestHeaderModifier: {} },
    phase: "on_http_request",
    name: "GatewayAPI-Request-Header-Filter",
    actions: unchanged,
  },
  {
    story: "ResponseHeaderModifier does the same to responses",
    filter: { type: "ResponseHeaderModifier", responseHeaderModifier: modifier },
    phase: "on_http_response",
    name: "GatewayAPI-Response-Header-Filter",
    actions: changed,
  },
];

test.for(headerFilters)("$story", ({ filter, phase, name, actions }) => {
  expect(policiesOf([filter]).map(policyJson)).toEqual([{ [phase]: [{ name, actions }] }]);
});

const FROM = String.raw`^(?P<scheme>[a-zA-Z][a-zA-Z0-9+\-.]*):\/\/(?P<hostname>[^\/:]+)(?P<port>:\d+)?(?P<prefix>PATH)(?P<remaining>.*)$`;

function from(path: string): string {
  return FROM.replace("PATH", () => path);
}

type Redirect = NonNullable<HttpRouteFilter["requestRedirect"]>;

describe("RequestRedirect", () => {
  const replacements: [string, Redirect, string][] = [
    ["nothing is replaced", {}, "$1://$2$3$4$5"],
    ["the scheme", { scheme: "https" }, "https://$2$3$4$5"],
    ["the host", { hostname: "new.example.com" }, "$1://new.example.com$3$4$5"],
    ["the port", { port: 8080 }, "$1://$2:8080$4$5"],
    ["http on its own port keeps the port that was asked for", { scheme: "http", port: 80 }, "http://$2$3$4$5"],
    ["http on another port", { scheme: "http", port: 8080 }, "http://$2:8080$4$5"],
    ["https on its own port", { scheme: "https", port: 443 }, "https://$2:443$4$5"],
    ["https on another port", { scheme: "https", port: 8443 }, "https://$2:8443$4$5"],
    ["the prefix", { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" } }, "$1://$2$3/new$5"],
    ["the whole path", { path: { type: "ReplaceFullPath", replaceFullPath: "/all/new" } }, "$1://$2$3/all/new"],
  ];
  test.for(replacements)("%s", ([, requestRedirect, to]) => {
    const [policy] = policiesOf([{ type: "RequestRedirect", requestRedirect }], { type: "PathPrefix", value: "/a/b" });
    expect(policy?.on_http_request).toEqual([
      {
        name: "GatewayAPI-Redirect-Filter",
        actions: [{ type: "redirect", config: { from: from(String.raw`\/a\/b`), to, status_code: 302 } }],
      },
    ]);
  });

  test("the status code is the filter's own where it has one", () => {
    const [policy] = policiesOf([{ type: "RequestRedirect", requestRedirect: { statusCode: 301 } }]);
    expect(policy?.on_http_request[0]?.actions[0]?.config).toMatchObject({ status_code: 301 });
  });

  const paths: [string, string, string][] = [
    ["PathPrefix", "/v1.0", String.raw`\/v1.0`],
    ["PathPrefix", "/a+b(c)", String.raw`\/a\+b\(c\)`],
    ["RegularExpression", "/[a-z]+/x", String.raw`\/[a-z]+\/x`],
  ];
  test.for(paths)("%s %s is looked for as %s", ([type, value, pattern]) => {
    const [policy] = policiesOf([{ type: "RequestRedirect", requestRedirect: {} }], { type, value });
    expect(policy?.on_http_request[0]?.actions[0]?.config).toMatchObject({ from: from(pattern) });
  });

  test("an address that is rewritten by the pattern is the one that Gateway API means", () => {
    const requestRedirect: Redirect = {
      scheme: "https",
      path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/b" },
    };
    const [policy] = policiesOf([{ type: "RequestRedirect", requestRedirect }], { type: "PathPrefix", value: "/a" });
    const config = policy?.on_http_request[0]?.actions[0]?.config as { from: string; to: string };
    // JavaScript names groups without the P of RE2.
    const pattern = new RegExp(config.from.replaceAll("(?P<", "(?<"));
    expect("http://shop.example.com/a/x?y=z".replace(pattern, config.to)).toBe("https://shop.example.com/b/x?y=z");
  });
});

describe("URLRewrite", () => {
  const rewrites: [string, NonNullable<HttpRouteFilter["urlRewrite"]>, string][] = [
    ["the host", { hostname: "inside.example.com" }, "$1://inside.example.com$3$4$5"],
    ["the prefix", { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/in" } }, "$1://$2$3/in$5"],
    ["the whole path", { path: { type: "ReplaceFullPath", replaceFullPath: "/in" } }, "$1://$2$3/in"],
  ];
  test.for(rewrites)("%s", ([, urlRewrite, to]) => {
    const [policy] = policiesOf([{ type: "URLRewrite", urlRewrite }], { type: "Exact", value: "/a" });
    expect(policy?.on_http_request).toEqual([
      {
        name: "GatewayAPI-URL-Rewrite-Filter",
        actions: [{ type: "url-rewrite", config: { from: from(String.raw`\/a`), to } }],
      },
    ]);
  });
});

describe("ExtensionRef", () => {
  const policy = {
    on_http_request: [{ name: "mine", actions: [{ type: "deny" }] }],
    on_http_response: [{ actions: [{ type: "compress-response" }] }],
  };
  const refs = [
    { group: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "mine" },
    { group: "", kind: "ngroktrafficpolicy", name: "mine" },
    { kind: "NGROKTRAFFICPOLICY", name: "mine" },
  ];
  test.for(refs)("the rules are those of the policy that %j names", (extensionRef) => {
    const mine = anNgrokTrafficPolicy({ metadata: { name: "mine" }, spec: { policy } });
    const made = policiesOf([{ type: "ExtensionRef", extensionRef }], undefined, [mine]);
    expect(made.map(policyJson)).toEqual([policy]);
  });

  test("the policy is looked for in the namespace of the route", () => {
    const elsewhere = anNgrokTrafficPolicy({ metadata: { name: "mine", namespace: "elsewhere" }, spec: { policy } });
    const extensionRef = { kind: "NgrokTrafficPolicy", name: "mine" };
    expect(policiesOf([{ type: "ExtensionRef", extensionRef }], undefined, [elsewhere]).map(policyJson)).not.toEqual([
      policy,
    ]);
  });
});

test("each filter is a policy of its own, in the order of the route; those of a backend are the backend's", () => {
  const header: HttpRouteFilter = { type: "RequestHeaderModifier", requestHeaderModifier: modifier };
  const redirect: HttpRouteFilter = { type: "RequestRedirect", requestRedirect: {} };
  const rule = aRule({ filters: [redirect, header], backendRefs: [{ name: "shop", port: 80, filters: [header] }] });
  const [route] = onlyHost(hostsOn([aWebRoute({ rules: [rule] })])).routes;
  expect(route?.trafficPolicies.map((one) => one.on_http_request[0]?.name)).toEqual([
    "GatewayAPI-Redirect-Filter",
    "GatewayAPI-Request-Header-Filter",
  ]);
  expect(route?.destinations[0]?.trafficPolicies.map((one) => one.on_http_request[0]?.name)).toEqual([
    "GatewayAPI-Request-Header-Filter",
  ]);
});

describe("a filter that fails", () => {
  const onTcp = anNgrokTrafficPolicy({
    metadata: { name: "tcp" },
    spec: { policy: { on_tcp_connect: [{ actions: [{ type: "deny" }] }] } },
  });
  const broken = anNgrokTrafficPolicy({ metadata: { name: "broken" }, spec: { policy: { on_monday: [] } } });
  const kind = "NgrokTrafficPolicy";
  const failing: { filter: HttpRouteFilter; field: string; reason: RegExp; closed: boolean }[] = [
    { filter: { type: "RequestMirror" }, field: ".type", reason: /"RequestMirror" is not supported/, closed: false },
    { filter: { type: "CORS" }, field: ".type", reason: /"CORS" is not supported/, closed: false },
    { filter: { type: "Whatever" }, field: ".type", reason: /"Whatever" is not supported/, closed: false },
    { filter: { type: "ExternalAuth" }, field: ".type", reason: /"ExternalAuth" is not supported/, closed: true },
    { filter: { type: "RequestRedirect" }, field: ".requestRedirect", reason: /is missing/, closed: false },
    {
      filter: { type: "ResponseHeaderModifier" },
      field: ".responseHeaderModifier",
      reason: /is missing/,
      closed: false,
    },
    { filter: { type: "URLRewrite", urlRewrite: {} }, field: ".urlRewrite", reason: /rewrites nothing/, closed: false },
    {
      filter: { type: "URLRewrite", urlRewrite: { path: { type: "Other" } } },
      field: ".urlRewrite.path.type",
      reason: /"Other" is not known/,
      closed: false,
    },
    {
      filter: { type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/$2" } } },
      field: ".urlRewrite.path.replaceFullPath",
      reason: /holds a \$: write it as %24/,
      closed: false,
    },
    {
      filter: { type: "URLRewrite", urlRewrite: { hostname: "$1.example.com" } },
      field: ".urlRewrite.hostname",
      reason: /holds a \$, which no host name has: write one like/,
      closed: false,
    },
    {
      filter: { type: "RequestRedirect", requestRedirect: { hostname: "$1.example.com" } },
      field: ".requestRedirect.hostname",
      reason: /holds a \$, which no host name has: write one like/,
      closed: false,
    },
    {
      filter: { type: "ExtensionRef", extensionRef: { kind, name: "absent" } },
      field: ".extensionRef",
      reason: /NgrokTrafficPolicy default\/absent does not exist/,
      closed: true,
    },
    {
      filter: { type: "ExtensionRef", extensionRef: { kind, name: "tcp" } },
      field: ".extensionRef",
      reason: /on_tcp_connect/,
      closed: true,
    },
    {
      filter: { type: "ExtensionRef", extensionRef: { kind, name: "broken" } },
      field: ".extensionRef",
      reason: /on_monday/,
      closed: true,
    },
    {
      filter: { type: "ExtensionRef", extensionRef: { kind: "Other", name: "x" } },
      field: ".extensionRef",
      reason: /"Other" of group "" is not known/,
      closed: true,
    },
  ];
  test.for(failing)("$filter.type is told of at $field", ({ filter, field, reason, closed }) => {
    const header: HttpRouteFilter = { type: "RequestHeaderModifier", requestHeaderModifier: modifier };
    const route = aWebRoute({ rules: [aRule({ filters: [filter, header] })] });
    const found = hostsOn([route, onTcp, broken]);
    expect(found.problems).toEqual([
      {
        object: "HTTPRoute default/web",
        field: `spec.rules[0].filters[0]${field}`,
        reason: expect.stringMatching(reason),
        effect: "refused",
      },
    ]);
    // What may ask who is calling is never served as if it were not there; the rest is left out.
    const names = onlyHost(found).routes[0]?.trafficPolicies.map((one) => one.on_http_request[0]?.name);
    expect(names).toEqual([...(closed ? ["GatewayAPI-Unresolved-Filter"] : []), "GatewayAPI-Request-Header-Filter"]);
    expect(toldIn(found.problems)[0]).toMatch(/: .*(remove|write|name|create|move)/);
  });

  test("a route whose guard is missing answers 500 to everybody", () => {
    const [policy] = policiesOf([{ type: "ExtensionRef", extensionRef: { kind, name: "absent" } }]);
    expect(policy?.on_http_request[0]?.actions).toEqual([
      { type: "custom-response", config: expect.objectContaining({ status_code: 500 }) },
    ]);
  });
});
