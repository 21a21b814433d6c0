// The rows of an Ingress's rules: hosts that several share, backends of each kind, paths of each type, and names.
import { gateway, hostOf, ingress, path, policy, route, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

const LONG = `long.${"a".repeat(30)}.${"b".repeat(30)}`;
const resource = (name: string, kind = "NgrokTrafficPolicy") => ({
  resource: { apiGroup: "ngrok.k8s.ngrok.com", kind, name },
});

export function ingressRows(places: Places): Row[] {
  return [...hosts(places), ...backends(places), ...paths(places)];
}

function hosts({ shop, other }: Places): Row[] {
  const shared = (name: string) => ({
    name: `shared-${name}`,
    paths: [path("shared")],
    host: hostOf(`shared-${name}`),
  });
  const pooled = { "ngrok.com/pooling-enabled": "true" };
  return [
    {
      name: "merged",
      makes: ["req.url.path.startsWith('/more')", "http://merged."],
      objects: [
        service(shop, "merged"),
        ingress(shop, "merged"),
        service(shop, "merged-more"),
        ingress(shop, "merged", { name: "merged-more", paths: [path("merged-more", { path: "/more" })] }),
      ],
    },
    {
      name: "differs",
      makes: ["http://differs."],
      told: "pooling",
      objects: [
        service(shop, "differs"),
        ingress(shop, "differs"),
        ingress(shop, "differs", { name: "differs-more", annotations: pooled, paths: [path("differs")] }),
      ],
    },
    {
      name: "other-policy",
      makes: ["http://other-policy."],
      lacks: ['"content":"second"'],
      told: "with another traffic policy",
      objects: [
        service(shop, "other-policy"),
        policy(shop, "second"),
        ingress(shop, "other-policy"),
        ingress(shop, "other-policy", {
          name: "other-policy-more",
          annotations: { "ngrok.com/traffic-policy": "second" },
          paths: [path("other-policy", { path: "/more" })],
        }),
      ],
    },
    {
      name: "other-fallback",
      makes: ["http://other-fallback."],
      lacks: ["/more"],
      told: "with another default backend",
      objects: [
        service(shop, "other-fallback"),
        ingress(shop, "other-fallback"),
        ingress(shop, "other-fallback", {
          name: "other-fallback-more",
          paths: [path("other-fallback", { path: "/more" })],
          spec: { defaultBackend: { service: { name: "other-fallback", port: { number: 80 } } } },
        }),
      ],
    },
    {
      name: "other-words",
      makes: ['"description":"first"', "/more"],
      told: "with another description",
      objects: [
        service(shop, "other-words"),
        ingress(shop, "other-words", { annotations: { "ngrok.com/description": "first" } }),
        ingress(shop, "other-words", {
          name: "other-words-more",
          annotations: { "ngrok.com/description": "second" },
          paths: [path("other-words", { path: "/more" })],
        }),
      ],
    },
    {
      name: "hostless",
      makes: "nothing",
      told: "spec.rules[0].host",
      objects: [
        service(shop, "hostless"),
        ingress(shop, "hostless", { spec: { rules: [{ http: { paths: [path("hostless")] } }] } }),
      ],
    },
    {
      name: "pathless",
      makes: "nothing",
      told: "spec.rules[0].http",
      objects: [ingress(shop, "pathless", { spec: { rules: [{ host: hostOf("pathless") }] } })],
    },
    {
      name: "elsewhere",
      makes: ["http://elsewhere."],
      told: "namespace",
      objects: [
        service(other, "elsewhere"),
        ingress(other, "elsewhere"),
        service(shop, "elsewhere"),
        ingress(shop, "elsewhere"),
      ],
    },
    {
      name: "shared-a",
      makes: ['"kind":"CloudEndpoint"', "shared-"],
      objects: [service(shop, "shared"), ingress(shop, "shared-a", shared("a"))],
    },
    {
      name: "shared-b",
      makes: ['"kind":"CloudEndpoint"', "shared-"],
      objects: [ingress(shop, "shared-b", shared("b"))],
    },
    {
      name: "twice",
      makes: ["http://twice."],
      told: "serves https://twice.rows.example.com too",
      objects: [service(shop, "twice"), ingress(shop, "twice"), gateway(shop, "twice"), route(shop, "twice")],
    },
    {
      name: "wild",
      makes: ['"url":"https://*.wild.rows.example.com"'],
      objects: [service(shop, "wild"), ingress(shop, "wild", { host: `*.${hostOf("wild")}` })],
    },
    {
      name: LONG,
      makes: ['"kind":"CloudEndpoint"', hostOf(LONG)],
      objects: [
        service(shop, "long"),
        ingress(shop, LONG, {
          name: "long",
          paths: [path("long")],
          annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" },
        }),
      ],
    },
    {
      name: "default-class",
      makes: ["http://default-class."],
      objects: [
        service(shop, "default-class"),
        ingress(shop, "default-class", { spec: { ingressClassName: undefined } }),
      ],
    },
  ];
}

function backends({ shop }: Places): Row[] {
  const named = { service: { name: "by-name", port: { name: "web" } } };
  const fallback = (name: string) => ({ defaultBackend: { service: { name, port: { number: 80 } } } });
  return [
    {
      name: "by-name",
      makes: ["http://by-name."],
      objects: [service(shop, "by-name"), ingress(shop, "by-name", { paths: [path("", { backend: named })] })],
    },
    {
      name: "by-policy",
      makes: ['"content":"answers"'],
      objects: [
        service(shop, "by-policy"),
        policy(shop, "answers"),
        ingress(shop, "by-policy", {
          paths: [path("by-policy"), path("", { path: "/health", backend: resource("answers") })],
        }),
      ],
    },
    {
      name: "by-kind",
      makes: ['"content":"by-kind"'],
      objects: [
        policy(shop, "by-kind"),
        ingress(shop, "by-kind", {
          paths: [path("", { backend: { resource: { kind: "NgrokTrafficPolicy", name: "by-kind" } } })],
        }),
      ],
    },
    {
      name: "other-kind",
      makes: ["http://other-kind."],
      lacks: ["/lost"],
      told: "spec.rules[0].http.paths[1].backend.resource",
      objects: [
        service(shop, "other-kind"),
        ingress(shop, "other-kind", {
          paths: [path("other-kind"), path("", { path: "/lost", backend: resource("any", "Bucket") })],
        }),
      ],
    },
    {
      name: "on-tcp",
      makes: ["http://on-tcp."],
      told: "on_tcp_connect",
      objects: [
        service(shop, "on-tcp"),
        policy(shop, "on-tcp", "on_tcp_connect"),
        ingress(shop, "on-tcp", {
          paths: [path("on-tcp"), path("", { path: "/health", backend: resource("on-tcp") })],
        }),
      ],
    },
    {
      name: "one-missing",
      makes: ["http://one-missing."],
      told: "spec.rules[0].http.paths[1].backend",
      objects: [
        service(shop, "one-missing"),
        ingress(shop, "one-missing", { paths: [path("one-missing"), path("nowhere", { path: "/lost" })] }),
      ],
    },
    {
      name: "fallback",
      makes: ["Generated-Route", "http://fallback."],
      objects: [
        service(shop, "fallback"),
        service(shop, "fallback-more"),
        ingress(shop, "fallback", {
          paths: [path("fallback-more", { path: "/more" })],
          spec: fallback("fallback"),
        }),
      ],
    },
    {
      name: "no-fallback",
      makes: "nothing",
      told: "spec.defaultBackend",
      objects: [service(shop, "no-fallback"), ingress(shop, "no-fallback", { spec: fallback("nowhere") })],
    },
  ];
}

function paths({ shop }: Places): Row[] {
  const odd = '/it\'s "odd"';
  return [
    {
      name: "paths",
      makes: ["req.url.path == '/exact'", "req.url.path.startsWith('/prefix')", "/regex"],
      objects: [
        service(shop, "paths"),
        ingress(shop, "paths", {
          paths: [
            path("paths", { path: "/regex", pathType: "ImplementationSpecific" }),
            path("paths", { path: "/prefix" }),
            path("paths", { path: "/exact", pathType: "Exact" }),
          ],
        }),
      ],
    },
    {
      name: "quotes",
      makes: ["http://quotes."],
      objects: [service(shop, "quotes"), ingress(shop, "quotes", { paths: [path("quotes", { path: odd })] })],
    },
  ];
}
