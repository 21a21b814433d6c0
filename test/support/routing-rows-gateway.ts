// The rows of Gateways: their listeners, which routes these take, and which routes come together. TLS, the rules of HTTPRoutes
// and what routes lead to have files of their own.
import { type Fields, gateway, gatewayRow, type GatewayRowParts, hostOf, route, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

export function gatewayRows(places: Places): Row[] {
  return [...listeners(places), ...attached(places), ...merged(places)];
}

function listeners({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, given);
  const selector = { matchLabels: { "kubernetes.io/metadata.name": other } };
  const from = (namespaces: Fields): Fields => ({ allowedRoutes: { namespaces } });
  const here = { listener: from({ from: "Same" }), route: { namespace: other }, service: other };
  return [
    one("http", ['"url":"http://http.rows.example.com"'], { listener: { port: 80, protocol: "HTTP" } }),
    one("port", "nothing", { listener: { port: 8080, protocol: "HTTP" }, told: "PortUnavailable" }),
    one("no-host", "nothing", { listener: { hostname: undefined }, told: "HostnameRequired" }),
    one("address", ["https://address.rows.example.com"], {
      listener: { hostname: undefined },
      spec: { addresses: [{ type: "Hostname", value: hostOf("address") }] },
    }),
    one("udp", "nothing", {
      listener: { port: 53, protocol: "UDP", hostname: undefined },
      told: "UnsupportedProtocol",
    }),
    one("by-ip", ["http://by-ip."], {
      spec: { addresses: [{ type: "IPAddress", value: "192.0.2.1" }] },
      told: "AddressNotUsable",
    }),
    one("uncovered", "nothing", {
      spec: { addresses: [{ type: "Hostname", value: "elsewhere.example.com" }] },
      told: "does not cover the Gateway's address elsewhere.example.com",
    }),
    one("conflict", "nothing", {
      spec: {
        listeners: [
          { name: "web", port: 443, protocol: "HTTPS", hostname: hostOf("conflict") },
          { name: "tls", port: 443, protocol: "TLS", hostname: hostOf("conflict"), tls: { mode: "Passthrough" } },
        ],
      },
      told: "ProtocolConflict",
    }),
    one("notes", ['"annotations":{"example.com/team":"edge"}'], {
      spec: { infrastructure: { annotations: { "example.com/team": "edge" } } },
    }),
    one("by-port", ["http://by-port."], { route: { parent: { port: 443 } } }),
    one("no-such-port", "nothing", { route: { parent: { port: 8443 } }, told: "NoMatchingParent" }),
    one("kinds", ["http://kinds."], { listener: { allowedRoutes: { kinds: [{ kind: "HTTPRoute" }] } } }),
    one("other-kinds", "nothing", {
      listener: { allowedRoutes: { kinds: [{ kind: "TCPRoute" }] } },
      told: "InvalidRouteKinds",
    }),
    one("wider", ["https://*.wider.rows.example.com"], {
      listener: { hostname: `*.${hostOf("wider")}` },
      route: { spec: { hostnames: [`a.${hostOf("wider")}`] } },
      told: "the route answers for all of",
    }),
    one("labels", ['"team":"edge"'], { spec: { infrastructure: { labels: { team: "edge" } } } }),
    one("section", ["http://section."], { route: { parent: { sectionName: "web" } } }),
    one("no-section", "nothing", { route: { parent: { sectionName: "other" } }, told: "NoMatchingParent" }),
    one("all", ["http://all."], { listener: from({ from: "All" }), route: { namespace: other }, service: other }),
    one("chosen", ["http://chosen."], {
      listener: from({ from: "Selector", selector }),
      route: { namespace: other },
      service: other,
    }),
    one("not-here", "nothing", { ...here, told: "NotAllowedByListeners" }),
    one("names", ["http://names."], { route: { spec: { hostnames: [hostOf("names"), "other.example.com"] } } }),
    one("other-name", "nothing", {
      route: { spec: { hostnames: ["other.example.com"] } },
      told: "NoMatchingListenerHostname",
    }),
  ];
}

/** Which routes a listener takes. */
function attached({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, given);
  const elsewhere = { route: { namespace: other }, service: other };
  const selector = { matchLabels: { team: "nobody" } };
  const names = (...hostnames: string[]): Pick<GatewayRowParts, "route"> => ({ route: { spec: { hostnames } } });
  const address = (value: string, type = "Hostname"): Fields => ({ addresses: [{ type, value }] });
  const parentRefs = [{ name: "orphan" }, { name: "orphan-lost" }];
  return [
    one("not-here-unsaid", "nothing", { ...elsewhere, told: `no listener allows HTTPRoutes of namespace ${other}` }),
    one("not-chosen", "nothing", {
      ...elsewhere,
      listener: { allowedRoutes: { namespaces: { from: "Selector", selector } } },
      told: "NotAllowedByListeners",
    }),
    one("kinds-case", ["http://kinds-case."], { listener: { allowedRoutes: { kinds: [{ kind: "httproute" }] } } }),
    one("not-bytes", "nothing", {
      listener: { port: 5440, protocol: "TCP", hostname: undefined },
      spec: address(hostOf("not-bytes")),
      told: "no listener allows HTTPRoutes",
    }),
    one("ip-name", ['"url":"https://ip-name.rows.example.com"', "http://ip-name."], {
      spec: address("192.0.2.2"),
      told: '"192.0.2.2" is not a host name of type Hostname',
    }),
    one("covered", ['"url":"https://covered.rows.example.com"'], {
      listener: { hostname: "*.example.com" },
      spec: address(hostOf("covered")),
    }),
    one("names-glob", ["http://names-glob."], names("*.rows.example.com")),
    one("globs", ['"url":"https://*.globs.rows.example.com"'], {
      listener: { hostname: `*.${hostOf("globs")}` },
      ...names(`*.a.${hostOf("globs")}`),
      told: "the route answers for all of",
    }),
    one("globs-wide", "nothing", {
      listener: { hostname: `*.${hostOf("globs-wide")}` },
      ...names("*.rows.example.com"),
      told: "NoMatchingListenerHostname",
    }),
    one("orphan", ["http://orphan."], {
      route: { spec: { parentRefs } },
      told: `Gateway ${shop}/orphan-lost does not exist`,
    }),
    one("orphan-port", "nothing", {
      route: { parent: { sectionName: "web", port: 80 } },
      told: "no listener of the Gateway has this sectionName and port",
    }),
  ];
}

/** What comes together in one host, and what does not. */
function merged({ shop }: Places): Row[] {
  const pooled = {
    annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose", "ngrok.com/pooling-enabled": "true" },
  };
  const more = (row: string, namesake = row): ReturnType<typeof route> => {
    const made = route(shop, row, {
      rule: { matches: [{ path: { type: "PathPrefix", value: "/more" } }], backendRefs: [{ name: row, port: 80 }] },
      spec: { parentRefs: [{ name: namesake }] },
    });
    return { ...made, metadata: { ...made.metadata, name: `${row}-more` } };
  };
  const twice = [
    { name: "web", port: 443, protocol: "HTTPS", hostname: hostOf("both-ways") },
    { name: "plain", port: 80, protocol: "HTTP", hostname: hostOf("both-ways") },
  ];
  const hello = { "ngrok.com/traffic-policy": "hello" };
  return [
    gatewayRow(shop, "routes-merged", ["req.url.path.startsWith('/more')", "req.url.path.startsWith('/')"], {
      more: [more("routes-merged")],
    }),
    {
      name: "two-gateways",
      makes: [`"name":"two-gateways.${shop}-two-g`, `"name":"two-gateways-more.${shop}`, '"poolingEnabled":true'],
      objects: [
        service(shop, "two-gateways"),
        gateway(shop, "two-gateways", pooled),
        gateway(shop, "two-gateways-more", { ...pooled, listener: { hostname: hostOf("two-gateways") } }),
        route(shop, "two-gateways"),
        more("two-gateways", "two-gateways-more"),
      ],
    },
    gatewayRow(shop, "both-ways", ['"url":"https://both-ways.rows.', '"url":"http://both-ways.rows.'], {
      spec: { listeners: twice },
    }),
    {
      name: "gw-two-hosts",
      makes: ['"url":"https://gw-two-hosts.rows.', '"url":"https://*.gw-two-hosts.rows.', '"content":"hello"'],
      objects: [
        service(shop, "gw-two-hosts"),
        gateway(shop, "gw-two-hosts", {
          annotations: hello,
          spec: {
            listeners: [hostOf("gw-two-hosts"), `*.${hostOf("gw-two-hosts")}`].map((hostname, at) => ({
              name: `l${at}`,
              port: 443,
              protocol: "HTTPS",
              hostname,
            })),
          },
        }),
        route(shop, "gw-two-hosts"),
      ],
    },
    { name: "routeless", makes: "nothing", objects: [gateway(shop, "routeless", { annotations: hello })] },
  ];
}
