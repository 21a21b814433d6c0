// The rows of an HTTPRoute's rules: filters, matches, backends and their weights.
import { type Fields, gatewayRow, type GatewayRowParts, policy, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

export function ruleRows({ shop }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], rule: Fields, given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, { ...given, route: { rule } });
  const modifier = { set: [{ name: "x-set", value: "1" }], add: [{ name: "x-add", value: "2" }], remove: ["x-gone"] };
  const filter = (type: string, field: string, value: unknown): Fields => ({ filters: [{ type, [field]: value }] });
  const prefix = { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" };
  const matches = (match: Fields): Fields => ({ matches: [{ path: { type: "PathPrefix", value: "/" }, ...match }] });
  return [
    one(
      "request",
      ["GatewayAPI-Request-Header-Filter"],
      filter("RequestHeaderModifier", "requestHeaderModifier", modifier),
    ),
    one(
      "response",
      ["GatewayAPI-Response-Header-Filter"],
      filter("ResponseHeaderModifier", "responseHeaderModifier", modifier),
    ),
    one("redirect", ["GatewayAPI-Redirect-Filter", "301"], {
      ...filter("RequestRedirect", "requestRedirect", { hostname: "new.example.com", statusCode: 301 }),
      backendRefs: undefined,
    }),
    one("rewrite", ["GatewayAPI-URL-Rewrite-Filter", "Capture-Original-Request-Data"], {
      ...matches({ path: { type: "PathPrefix", value: "/old" } }),
      ...filter("URLRewrite", "urlRewrite", { hostname: "in.example.com", path: prefix }),
    }),
    one("redirect-parts", ['"to":"https://$2:8443/new"', '"status_code":302'], {
      ...filter("RequestRedirect", "requestRedirect", {
        scheme: "https",
        port: 8443,
        path: { type: "ReplaceFullPath", replaceFullPath: "/new" },
      }),
      backendRefs: undefined,
    }),
    one(
      "lost-extension",
      ["GatewayAPI-Unresolved-Filter"],
      filter("ExtensionRef", "extensionRef", {
        group: "ngrok.k8s.ngrok.com",
        kind: "NgrokTrafficPolicy",
        name: "lost",
      }),
      { told: `NgrokTrafficPolicy ${shop}/lost does not exist` },
    ),
    one("on-backend", ["GatewayAPI-Request-Header-Filter", "x-set"], {
      backendRefs: [
        {
          name: "on-backend",
          port: 80,
          filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: modifier }],
        },
      ],
    }),
    one(
      "extension",
      ['"content":"extension"'],
      filter("ExtensionRef", "extensionRef", {
        group: "ngrok.k8s.ngrok.com",
        kind: "NgrokTrafficPolicy",
        name: "extension",
      }),
      { more: [policy(shop, "extension")] },
    ),
    one(
      "mirror",
      ["http://mirror."],
      filter("RequestMirror", "requestMirror", { backendRef: { name: "mirror", port: 80 } }),
      { told: "RequestMirror" },
    ),
    one("exactly", ["req.url.path == '/exact'"], matches({ path: { type: "Exact", value: "/exact" } })),
    one("pattern", ["/pat"], matches({ path: { type: "RegularExpression", value: "/pat" } })),
    one("headers", ["x-team"], matches({ headers: [{ name: "x-team", value: "a" }] })),
    one("header-pattern", ["x-team", ".matches('^a.*')"], {
      ...matches({ headers: [{ type: "RegularExpression", name: "x-team", value: "^a.*" }] }),
    }),
    one("query-pattern", ["req.url.query_params", ".matches('^1.*')"], {
      ...matches({ queryParams: [{ type: "RegularExpression", name: "q", value: "^1.*" }] }),
    }),
    one("query", ["req.url.query_params"], matches({ queryParams: [{ name: "q", value: "1" }] })),
    one("method", ["req.method == 'PUT'"], matches({ method: "PUT" })),
    one(
      "weights",
      ["rand.int(0,9)"],
      {
        backendRefs: [
          { name: "weights", port: 80, weight: 9 },
          { name: "weights-more", port: 80, weight: 1 },
        ],
      },
      { more: [service(shop, "weights-more")] },
    ),
    one(
      "lost",
      ['"kind":"CloudEndpoint"', "GatewayAPI-Unresolved-Backend", "Fallback-404"],
      { backendRefs: [{ name: "nowhere", port: 80 }] },
      { told: "BackendNotFound" },
    ),
  ];
}
