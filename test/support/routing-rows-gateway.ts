// The rows of Gateways and their routes: listeners and which routes they take, and the routes of other protocols. TLS and the
// rules of HTTPRoutes have files of their own.
import { type Fields, gatewayRow, type GatewayRowParts, hostOf, service } from "./routing-parts.ts";
import { ruleRows } from "./routing-rows-rules.ts";
import { tlsRows } from "./routing-rows-tls.ts";
import type { Manifest, Places, Row } from "./routing-rows.ts";

export function gatewayRows(places: Places): Row[] {
  return [...listeners(places), ...tlsRows(places), ...ruleRows(places), ...others(places)];
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

function others({ shop, other }: Places): Row[] {
  const across = { rule: { backendRefs: [{ name: "granted", namespace: other, port: 80 }] } };
  const denied = { rule: { backendRefs: [{ name: "not-granted", namespace: other, port: 80 }] } };
  const grant: Manifest = {
    apiVersion: "gateway.networking.k8s.io/v1beta1",
    kind: "ReferenceGrant",
    metadata: { name: "rows", namespace: other },
    spec: {
      from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: shop }],
      to: [{ group: "", kind: "Service", name: "granted" }],
    },
  };
  const tcp = { listener: { port: 5432, protocol: "TCP", hostname: undefined } };
  const addresses = [{ type: "Hostname", value: hostOf("tcproute") }];
  const tls = { listener: { port: 8443, protocol: "TLS", tls: { mode: "Passthrough" } } };
  return [
    gatewayRow(shop, "granted", ["http://granted."], { route: across, service: other, more: [grant] }),
    gatewayRow(shop, "not-granted", ['"kind":"CloudEndpoint"', "GatewayAPI-Unresolved-Backend"], {
      route: denied,
      service: other,
      told: "RefNotPermitted",
    }),
    gatewayRow(shop, "tcproute", ["tcp://tcproute.rows.example.com:5432"], {
      ...tcp,
      spec: { addresses },
      route: { kind: "TCPRoute" },
    }),
    gatewayRow(shop, "tcp-weights", ["tcp://tcp-weights.rows.example.com:5433", "rand.int(0,3)", "forward-internal"], {
      listener: { port: 5433, protocol: "TCP", hostname: undefined },
      spec: { addresses: [{ type: "Hostname", value: hostOf("tcp-weights") }] },
      route: {
        kind: "TCPRoute",
        rule: {
          backendRefs: [
            { name: "tcp-weights", port: 80, weight: 3 },
            { name: "tcp-weights-more", port: 80, weight: 1 },
          ],
        },
      },
      more: [service(shop, "tcp-weights-more")],
    }),
    gatewayRow(shop, "tcp-verbose", ['"kind":"CloudEndpoint"', "forward-internal", "tcp://"], {
      listener: { port: 5434, protocol: "TCP", hostname: undefined },
      spec: { addresses: [{ type: "Hostname", value: hostOf("tcp-verbose") }] },
      route: { kind: "TCPRoute" },
      verbose: true,
    }),
    gatewayRow(shop, "tlsroute", ['"url":"tls://tlsroute.rows.example.com:8443"'], {
      ...tls,
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("tlsroute")] } },
    }),
  ];
}
