// The rows of an HTTPRoute's rules: filters, matches, backends and their weights.
import { type Fields, gatewayRow, type GatewayRowParts, policy, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

/** The path that is matched, `/` escaped, in JSON. */
const FROM_OLD = String.raw`(?P<prefix>\\/old)(?P<remaining>.*)$`;

export function ruleRows(places: Places): Row[] {
  return [...rules(places), ...matchRows(places), ...filterRows(places)];
}

function rules({ shop }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], rule: Fields, given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, { ...given, route: { rule } });
  const modifier = { set: [{ name: "x-set", value: "1" }], add: [{ name: "x-add", value: "2" }], remove: ["x-gone"] };
  const filter = (type: string, field: string, value: unknown): Fields => ({ filters: [{ type, [field]: value }] });
  const prefix = { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" };
  const matches = (match: Fields): Fields => ({ matches: [{ path: { type: "PathPrefix", value: "/" }, ...match }] });
  return [
    one(
      "request",
      [
        "GatewayAPI-Request-Header-Filter",
        '"headers":["x-gone","x-set"]',
        '"add-headers"',
        '"x-add":"2"',
        '"x-set":"1"',
      ],
      filter("RequestHeaderModifier", "requestHeaderModifier", modifier),
    ),
    one(
      "response",
      ["on_http_response", "GatewayAPI-Response-Header-Filter", '"headers":["x-gone","x-set"]'],
      filter("ResponseHeaderModifier", "responseHeaderModifier", modifier),
      { told: "its rules for responses (GatewayAPI-Response-Header-Filter) never act" },
    ),
    one("redirect", ["GatewayAPI-Redirect-Filter", "301", '"to":"$1://new.example.com$3$4$5"'], {
      ...filter("RequestRedirect", "requestRedirect", { hostname: "new.example.com", statusCode: 301 }),
      backendRefs: undefined,
    }),
    one(
      "rewrite",
      [
        "GatewayAPI-URL-Rewrite-Filter",
        "Capture-Original-Request-Data",
        '"to":"$1://in.example.com$3/new$5"',
        FROM_OLD,
      ],
      {
        ...matches({ path: { type: "PathPrefix", value: "/old" } }),
        ...filter("URLRewrite", "urlRewrite", { hostname: "in.example.com", path: prefix }),
      },
    ),
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
    one("pattern", ["startsWith('/pat')"], matches({ path: { type: "RegularExpression", value: "/pat" } }), {
      told: "is compared as the plain beginning of it",
    }),
    one(
      "headers",
      ["req.headers.exists_one(x, x == 'x-team') && req.headers['x-team'].join(',') == 'a'"],
      matches({ headers: [{ name: "x-team", value: "a" }] }),
    ),
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

const ROOT = { path: { type: "PathPrefix", value: "/" } };

/** Which requests a rule is for, and what of them is kept for that. */
function matchRows({ shop }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], rule: Fields, told?: string): Row =>
    gatewayRow(shop, name, makes, { route: { rule }, ...(told !== undefined && { told }) });
  const exact = (value: string): Fields => ({ path: { type: "Exact", value } });
  const set = (name: string): Fields => ({
    filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name, value: "1" }] } }],
  });
  const team = { headers: [{ name: "x-team", value: "a" }] };
  const query = { queryParams: [{ name: "q", value: "1" }] };
  return [
    one("two-matches", ["req.url.path == '/one'", "req.url.path == '/two'"], {
      matches: [exact("/one"), exact("/two")],
    }),
    one("bare-match", ["req.url.path.startsWith('/')", "req.method == 'PUT'"], { matches: [{ method: "PUT" }] }),
    one("matchless", "nothing", { matches: [] }, "a rule without matches makes no route"),
    one("captured", ["vars.original_headers.decodeJson()['x-team']", "vars.original_query_params.decodeJson()['q']"], {
      matches: [{ ...ROOT, ...team, ...query }],
      ...set("x-team"),
    }),
    {
      ...one("not-captured", ["req.url.path.startsWith('/')"], set("x-team")),
      lacks: ["Capture-Original-Request-Data"],
    },
    {
      ...one("order", ["http://order."], {
        matches: [
          { path: { type: "RegularExpression", value: "/a-much-longer-pattern" } },
          ROOT,
          { ...ROOT, method: "PUT" },
          { ...ROOT, ...query },
          { ...ROOT, ...team },
          { path: { type: "PathPrefix", value: "/b" } },
          { path: { type: "PathPrefix", value: "/a" } },
          { path: { type: "PathPrefix", value: "/long" } },
          exact("/e"),
          exact("/exact"),
        ],
      }),
      told: "is compared as the plain beginning of it",
      inOrder: [
        "req.url.path == '/exact'",
        "req.url.path == '/e'",
        "startsWith('/long')",
        "startsWith('/a')",
        "startsWith('/b')",
        "startsWith('/')",
        "x-team",
        "startsWith('/')",
        "query_params",
        "startsWith('/')",
        "req.method == 'PUT'",
        "startsWith('/')",
        "startsWith('/a-much-longer-pattern')",
        "Fallback-404",
      ],
    },
  ];
}

/** Filters that say little, or what is not to be had. */
function filterRows({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], filters: readonly Fields[], given: GatewayRowParts = {}): Row => {
    const rule = { filters, ...given.route?.rule };
    return gatewayRow(shop, name, makes, { ...given, route: { rule } });
  };
  const rewrite = (urlRewrite: Fields): Fields[] => [{ type: "URLRewrite", urlRewrite }];
  const redirect = (requestRedirect: Fields): Fields[] => [{ type: "RequestRedirect", requestRedirect }];
  const extension = (name: string, { group = "ngrok.k8s.ngrok.com", kind = "NgrokTrafficPolicy" } = {}): Fields[] => [
    { type: "ExtensionRef", extensionRef: { group, kind, name } },
  ];
  const nowhere = { route: { rule: { backendRefs: undefined } } };
  const closed = ["GatewayAPI-Unresolved-Filter"];
  const get = "req.method == 'GET'";
  const choosy = policy(shop, "extension-choosy");
  const rules = [{ name: "choosy", expressions: [get], actions: [{ type: "deny" }] }];
  return [
    one(
      "set-alone",
      ['"remove-headers"', '"add-headers"'],
      [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x-set", value: "1" }] } }],
    ),
    one("rewrite-host", ['"to":"$1://in.example.com$3$4$5"'], rewrite({ hostname: "in.example.com" })),
    one(
      "rewrite-full",
      ['"to":"$1://$2$3/full"'],
      rewrite({ path: { type: "ReplaceFullPath", replaceFullPath: "/full" } }),
    ),
    one("rewrite-nothing", ["http://rewrite-nothing."], rewrite({}), {
      told: "rewrites nothing: write hostname or path",
    }),
    one(
      "redirect-prefix",
      ['"to":"$1://$2$3/new$5"', '"status_code":302'],
      redirect({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" } }),
      { ...nowhere, told: "so that /x becomes /newx" },
    ),
    one("redirect-plain", ['"to":"http://$2$3$4$5"'], redirect({ scheme: "http", port: 80 }), nowhere),
    one(
      "extension-case",
      ['"content":"extension-case"'],
      extension("extension-case", { group: "", kind: "ngroktrafficpolicy" }),
      {
        more: [policy(shop, "extension-case")],
      },
    ),
    one("extension-kind", closed, extension("extension-kind", { group: "", kind: "ConfigMap" }), {
      told: '"ConfigMap" of group "" is not known: name an NgrokTrafficPolicy',
    }),
    one("extension-group", closed, extension("extension-group", { group: "example.com" }), {
      more: [policy(shop, "extension-group")],
      told: '"NgrokTrafficPolicy" of group "example.com" is not known',
    }),
    one("extension-elsewhere", closed, extension("extension-elsewhere"), {
      more: [policy(other, "extension-elsewhere")],
      told: `NgrokTrafficPolicy ${shop}/extension-elsewhere does not exist`,
    }),
    one("extension-on-tcp", closed, extension("extension-on-tcp"), {
      more: [policy(shop, "extension-on-tcp", "on_tcp_connect")],
      told: `NgrokTrafficPolicy ${shop}/extension-on-tcp has rules of on_tcp_connect`,
    }),
    // What the rule asks for already is not asked twice.
    one("extension-choosy", [`["${get}","req.url.path.startsWith('/')"`], extension("extension-choosy"), {
      route: { rule: { matches: [{ ...ROOT, method: "GET" }] } },
      more: [{ ...choosy, spec: { policy: { on_http_request: rules } } }],
    }),
    one("cors", ["http://cors."], [{ type: "CORS", cors: { allowOrigins: ["https://a.example.com"] } }], {
      told: '"CORS" is not supported',
    }),
    gatewayRow(shop, "on-lost-backend", ['"GatewayAPI-Unresolved-Filter"', "http://on-lost-backend."], {
      route: {
        rule: { backendRefs: [{ name: "on-lost-backend", port: 80, filters: extension("on-lost-backend") }] },
      },
      told: `NgrokTrafficPolicy ${shop}/on-lost-backend does not exist`,
    }),
  ];
}
