// The rows of how a host and its Services become objects: which endpoint is public, what stands in its policy and in which
// order, and how all of them are called.
import { gateway, gatewayRow, hostOf, ingress, path, policy, route, service } from "./routing-parts.ts";
import type { Manifest, Places, Row } from "./routing-rows.ts";

const NOT_LOCAL = "vars.request_matched_local_svc == false";
const verbose = { annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } };

export function mappingRows(places: Places): Row[] {
  return [...chosen(places), ...assembled(places), ...left(places), ...called(places)];
}

const more = (name: string) => path(`${name}-more`, { path: "/more" });
const fallback = (name: string) => ({ defaultBackend: { service: { name, port: { number: 80 } } } });

/** Which Service's endpoint is the public one. */
function chosen({ shop }: Places): Row[] {
  const two = (name: string): Manifest[] => [service(shop, name), service(shop, `${name}-more`)];
  return [
    {
      name: "last-wins",
      makes: ['"url":"http://last-wins.', "Generated-Local-Service-Route", `-last-wins-more-${shop}-80.internal`],
      lacks: ['"kind":"CloudEndpoint"'],
      objects: [...two("last-wins"), ingress(shop, "last-wins", { paths: [path("last-wins"), more("last-wins")] })],
    },
    {
      name: "default-wins",
      makes: ["Generated-Route-Default-Backend", `"expressions":["${NOT_LOCAL}"]`, "-default-wins-more-"],
      lacks: ['"kind":"CloudEndpoint"'],
      objects: [
        ...two("default-wins"),
        ingress(shop, "default-wins", { paths: [more("default-wins")], spec: fallback("default-wins") }),
      ],
    },
    {
      name: "default-verbose",
      makes: ['"kind":"CloudEndpoint"', "Generated-Route-Default-Backend", `-default-verbose-${shop}-80.internal`],
      lacks: [NOT_LOCAL],
      objects: [
        ...two("default-verbose"),
        ingress(shop, "default-verbose", {
          ...verbose,
          paths: [more("default-verbose")],
          spec: fallback("default-verbose"),
        }),
      ],
    },
    {
      name: "default-policy",
      makes: ['"content":"default-policy"', "http://default-policy."],
      objects: [
        service(shop, "default-policy"),
        policy(shop, "default-policy"),
        ingress(shop, "default-policy", {
          spec: {
            defaultBackend: {
              resource: { apiGroup: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "default-policy" },
            },
          },
        }),
      ],
    },
    {
      name: "two-hosts",
      makes: ['"url":"https://two-hosts.rows.', '"url":"https://*.two-hosts.rows.', '"content":"hello"'],
      objects: [
        service(shop, "two-hosts"),
        ingress(shop, "two-hosts", {
          annotations: { "ngrok.com/traffic-policy": "hello" },
          spec: {
            rules: [hostOf("two-hosts"), `*.${hostOf("two-hosts")}`].map((host) => ({
              host,
              http: { paths: [path("two-hosts")] },
            })),
          },
        }),
      ],
    },
  ];
}

/** The order of a policy. */
function assembled({ shop }: Places): Row[] {
  const hello = { annotations: { "ngrok.com/traffic-policy": "hello" } };
  const order = [
    '"content":"hello"',
    "Initialize-Local-Service-Match",
    "Generated-Local-Service-Route",
    "Fallback-404",
  ];
  return [
    {
      name: "policy-first",
      makes: ["No route was found for this ngrok Endpoint"],
      inOrder: [...order, NOT_LOCAL],
      objects: [service(shop, "policy-first"), ingress(shop, "policy-first", hello)],
    },
    {
      name: "gw-policy-first",
      makes: ["No route was found for this ngrok Endpoint"],
      inOrder: [...order, NOT_LOCAL],
      objects: [
        service(shop, "gw-policy-first"),
        gateway(shop, "gw-policy-first", hello),
        route(shop, "gw-policy-first"),
      ],
    },
    {
      name: "tls-first",
      makes: ["Gateway-TLS-Termination"],
      inOrder: ["Gateway-TLS-Termination", '"name":"guard"'],
      objects: [
        service(shop, "tls-first"),
        policy(shop, "guard", "on_tcp_connect"),
        gateway(shop, "tls-first", {
          annotations: { "ngrok.com/traffic-policy": "guard" },
          listener: { tls: { mode: "Terminate", options: { "ngrok.com/terminate-tls.min_version": "1.3" } } },
        }),
        route(shop, "tls-first"),
      ],
    },
    {
      name: "order-of-paths",
      makes: ["http://order-of-paths."],
      inOrder: ["path == '/z'", "startsWith('/longer')", "startsWith('/a')", "startsWith('/b')", "startsWith('/')"],
      objects: [
        service(shop, "order-of-paths"),
        ingress(shop, "order-of-paths", {
          paths: [
            ...["/", "/b", "/a", "/longer"].map((one) => path("order-of-paths", { path: one })),
            path("order-of-paths", { path: "/z", pathType: "Exact" }),
          ],
        }),
      ],
    },
  ];
}

/** Hosts of which little is left. */
function left({ shop }: Places): Row[] {
  const hello = { "ngrok.com/traffic-policy": "hello" };
  const port = (name: string, given: object) => path("", { backend: { service: { name, port: given } } });
  const resource = { apiGroup: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "nowhere" };
  const lost = (name: string, ...objects: Manifest[]): Pick<Row, "name" | "makes" | "objects"> => ({
    name,
    makes: "nothing",
    objects: [service(shop, name), ...objects],
  });
  return [
    {
      ...lost("port-unknown", ingress(shop, "port-unknown", { paths: [port("port-unknown", { number: 81 })] })),
      told: `Service ${shop}/port-unknown has no port 81`,
    },
    {
      ...lost("name-unknown", ingress(shop, "name-unknown", { paths: [port("name-unknown", { name: "nope" })] })),
      told: `Service ${shop}/name-unknown has no port "nope"`,
    },
    {
      ...lost("lost-resource", ingress(shop, "lost-resource", { paths: [path("", { backend: { resource } })] })),
      told: `NgrokTrafficPolicy nowhere is not in namespace ${shop}`,
    },
    {
      name: "policy-alone",
      makes: ['"kind":"CloudEndpoint"', '"content":"hello"', "Fallback-404"],
      lacks: ["forward-internal"],
      told: "spec.rules[0].http.paths[0].backend",
      objects: [ingress(shop, "policy-alone", { annotations: hello, paths: [path("nowhere")] })],
    },
    {
      name: "gw-policy-alone",
      makes: ['"kind":"CloudEndpoint"', '"content":"hello"', "Fallback-404"],
      lacks: ["forward-internal"],
      told: "a rule without matches makes no route",
      objects: [
        gateway(shop, "gw-policy-alone", { annotations: hello }),
        route(shop, "gw-policy-alone", { rule: { matches: [], backendRefs: undefined } }),
      ],
    },
    {
      name: "other-metadata",
      makes: ['team\\":\\"first', "/more"],
      lacks: ['team\\":\\"second'],
      told: "with another metadata",
      objects: [
        service(shop, "other-metadata"),
        ingress(shop, "other-metadata", { annotations: { "ngrok.com/metadata": '{"team":"first"}' } }),
        ingress(shop, "other-metadata", {
          name: "other-metadata-more",
          annotations: { "ngrok.com/metadata": '{"team":"second"}' },
          paths: [path("other-metadata", { path: "/more" })],
        }),
      ],
    },
  ];
}

/** Names and URLs. */
function called({ shop }: Places): Row[] {
  const named = (name: string): string[] => [
    `-${name}-${shop}-80"`,
    `"url":"http://${name}.${shop}:80"`,
    '"ngrok.com/controller-name"',
    '"k8s.ngrok.com/controller-namespace"',
  ];
  return [
    {
      name: "called",
      makes: [...named("called"), '"url":"https://called.rows.example.com"'],
      objects: [service(shop, "called"), ingress(shop, "called")],
    },
    {
      name: "called-verbose",
      makes: [
        ...named("called-verbose"),
        '"name":"called-verbose.rows.example.com"',
        `-called-verbose-${shop}-80.internal"`,
      ],
      objects: [service(shop, "called-verbose"), ingress(shop, "called-verbose", verbose)],
    },
    {
      name: "wild-verbose",
      makes: ['"name":"wildcard.wild-verbose.rows.example.com"', '"url":"https://*.wild-verbose.rows.example.com"'],
      objects: [
        service(shop, "wild-verbose"),
        ingress(shop, "wild-verbose", { ...verbose, host: `*.${hostOf("wild-verbose")}` }),
      ],
    },
    gatewayRow(shop, "gw-called", [`"name":"gw-called.${shop}-gw-called.`, `"url":"https://`, ...named("gw-called")], {
      verbose: true,
    }),
    gatewayRow(shop, "gw-http", ['"url":"http://gw-http.rows.example.com"', `-gw-http-${shop}-80.internal"`], {
      listener: { port: 80, protocol: "HTTP" },
      verbose: true,
    }),
    gatewayRow(
      shop,
      "gw-port",
      [`"name":"gw-port.${shop}.8443-gw-port.`, '"url":"tls://gw-port.rows.example.com:8443"'],
      {
        listener: { port: 8443, protocol: "TLS", tls: { mode: "Passthrough" } },
        route: { kind: "TLSRoute", spec: { hostnames: [hostOf("gw-port")] } },
        verbose: true,
      },
    ),
  ];
}
