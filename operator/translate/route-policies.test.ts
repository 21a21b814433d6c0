// Policies of a route and of a destination within that of their host: where their rules stand, under which expressions, and by
// which request the routes after them are chosen.
import { expect, test } from "vitest";
import { forward, lines, NOT_LOCAL, policyOf, route, to } from "#test/support/one-host.ts";
import { type Policy, policyWith, type Rule } from "./policy.ts";

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
  expect(policyOf({ routes })["on_http_request"]?.[0]?.expressions).toEqual(["true", "req.url.path.startsWith('/a')"]);
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
