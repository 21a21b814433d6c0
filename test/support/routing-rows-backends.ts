// The rows of what routes lead to: Services near and far and what grants them, weights, other protocols, and the client
// certificate that a Gateway shows to its backends.
import { certificate, type Fields, gatewayRow, type GatewayRowParts, grant, hostOf, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

const UNRESOLVED = '"GatewayAPI-Unresolved-Backend"';
const verbose = true;

export function backendRows(places: Places): Row[] {
  return [...references(places), ...weights(places), ...bytes(places), ...shown(places)];
}

const to = (...backendRefs: Fields[]): Pick<GatewayRowParts, "route"> => ({ route: { rule: { backendRefs } } });

function references({ shop, other }: Places): Row[] {
  const far = (name: string) => to({ name, namespace: other, port: 80 });
  return [
    gatewayRow(shop, "granted", ["http://granted."], {
      ...far("granted"),
      service: other,
      more: [grant(other, "rows", ["HTTPRoute", shop], { kind: "Service", name: "granted" })],
    }),
    gatewayRow(shop, "not-granted", ['"kind":"CloudEndpoint"', UNRESOLVED], {
      ...far("not-granted"),
      service: other,
      told: `Service ${other}/not-granted may not be used from here`,
    }),
    gatewayRow(
      shop,
      "own-namespace",
      ["http://own-namespace."],
      to({ name: "own-namespace", namespace: shop, port: 80 }),
    ),
    gatewayRow(shop, "backend-kind", ['"kind":"CloudEndpoint"', UNRESOLVED], {
      ...to({ kind: "ConfigMap", name: "backend-kind", port: 80 }),
      told: '"ConfigMap" is no kind of backend that can be used',
    }),
    gatewayRow(shop, "backend-port", ['"kind":"CloudEndpoint"', UNRESOLVED], {
      ...to({ name: "backend-port", port: 81 }),
      told: `Service ${shop}/backend-port has no port 81`,
    }),
    gatewayRow(shop, "backend-partly", ["http://backend-partly.", UNRESOLVED, "rand.int(0,3)"], {
      ...to({ name: "backend-partly", port: 80, weight: 3 }, { name: "nowhere", port: 80, weight: 1 }),
      told: `Service ${shop}/nowhere does not exist`,
    }),
    gatewayRow(shop, "gw-https", ['"url":"https://gw-https.', "http"], {
      annotations: { "ngrok.com/app-protocols": '{"web":"HTTPS"}' },
    }),
    gatewayRow(shop, "gw-broken", ['"url":"http://gw-broken.'], {
      annotations: { "ngrok.com/app-protocols": "{" },
      told: "app-protocols",
    }),
  ];
}

const DRAWN = "int(vars.weighted_route_random_num)";

function weights({ shop }: Places): Row[] {
  const pair = (name: string, ...given: (number | undefined)[]): GatewayRowParts => ({
    ...to(
      ...given.map((weight, at) => ({
        name: at === 0 ? name : `${name}-more`,
        port: 80,
        ...(weight !== undefined && { weight }),
      })),
    ),
    more: [service(shop, `${name}-more`)],
  });
  return [
    gatewayRow(shop, "weight-unsaid", ["rand.int(0,1)"], pair("weight-unsaid", undefined, undefined)),
    gatewayRow(shop, "weight-zero", ["rand.int(0,0)", `${DRAWN} <= 0`], pair("weight-zero", 1, 0)),
    gatewayRow(shop, "weight-zero-first", ["rand.int(0,0)", `${DRAWN} <= 0`], pair("weight-zero-first", 0, 1)),
    gatewayRow(shop, "weight-none", ["Generated-Route-No-Destination", "Fallback-404"], {
      ...pair("weight-none", 0, 0),
      verbose,
    }),
    gatewayRow(shop, "weight-alone", ["Generated-Route-No-Destination"], {
      ...to({ name: "weight-alone", port: 80, weight: 0 }),
      verbose,
    }),
    gatewayRow(
      shop,
      "weight-shares",
      ['"Gen-Random-Number"', "rand.int(0,9)", `${DRAWN} <= 1`, `${DRAWN} >= 2 && ${DRAWN} <= 9`, '"Generated-Route"'],
      { ...pair("weight-shares", 2, 8), verbose },
    ),
  ];
}

/** TCPRoutes and TLSRoutes. */
function bytes({ shop, other }: Places): Row[] {
  const tcp = (name: string, port: number): Pick<GatewayRowParts, "listener" | "spec"> => ({
    listener: { port, protocol: "TCP", hostname: undefined },
    spec: { addresses: [{ type: "Hostname", value: hostOf(name) }] },
  });
  const tls = { listener: { port: 8443, protocol: "TLS", tls: { mode: "Passthrough" } } };
  const TCP = { kind: "TCPRoute" } as const;
  const TLS = { kind: "TLSRoute" } as const;
  const ref = (name: string, weight?: number): Fields => ({ name, port: 80, ...(weight !== undefined && { weight }) });
  const two = (name: string, first: number, second: number): Fields => ({
    backendRefs: [ref(name, first), ref(`${name}-more`, second)],
  });
  const more = (name: string) => ({ more: [service(shop, `${name}-more`)] });
  const far = (name: string): Fields => ({ backendRefs: [{ name, namespace: other, port: 80 }] });
  return [
    gatewayRow(shop, "tcproute", ["tcp://tcproute.rows.example.com:5432", '"url":"tcp://tcproute.'], {
      ...tcp("tcproute", 5432),
      route: TCP,
    }),
    gatewayRow(
      shop,
      "tcp-weights",
      [
        "tcp://tcp-weights.rows.example.com:5433",
        "Initialize-Local-Service-Match",
        "rand.int(0,3)",
        "forward-internal",
        ".internal:80",
      ],
      {
        ...tcp("tcp-weights", 5433),
        route: { ...TCP, rule: two("tcp-weights", 3, 1) },
        ...more("tcp-weights"),
      },
    ),
    gatewayRow(shop, "tcp-verbose", ['"kind":"CloudEndpoint"', "forward-internal", "tcp://", `-${shop}.internal:80`], {
      ...tcp("tcp-verbose", 5434),
      route: TCP,
      verbose,
    }),
    gatewayRow(shop, "tcp-rules", ["tcp://tcp-rules.rows.example.com:5435", "rand.int(0,4)"], {
      ...tcp("tcp-rules", 5435),
      route: {
        ...TCP,
        spec: { rules: [{ backendRefs: [ref("tcp-rules", 3)] }, { backendRefs: [ref("tcp-rules-more", 2)] }] },
      },
      ...more("tcp-rules"),
    }),
    gatewayRow(shop, "tcp-none", ["tcp://tcp-none.rows.example.com:5436", '"deny"', "Generated-Route-No-Destination"], {
      ...tcp("tcp-none", 5436),
      route: { ...TCP, rule: two("tcp-none", 0, 0) },
      ...more("tcp-none"),
      verbose,
    }),
    ...(["TCP", "TLS"] as const).map((protocol) => {
      const name = `${protocol.toLowerCase()}-alone`;
      return gatewayRow(shop, name, ['"kind":"AgentEndpoint"', '"deny"', "Generated-Route-No-Destination"], {
        ...(protocol === "TCP" ? tcp(name, 5439) : tls),
        route: {
          kind: `${protocol}Route`,
          rule: { backendRefs: [ref(name, 0)] },
          spec: protocol === "TCP" ? {} : { hostnames: [hostOf(name)] },
        },
      });
    }),
    // Whoever has the grant is any TCPRoute, to any Service.
    gatewayRow(shop, "tcp-granted", ["tcp://tcp-granted."], {
      ...tcp("tcp-granted", 5437),
      route: { ...TCP, rule: far("tcp-granted") },
      service: other,
      more: [grant(other, "bytes", ["tcproute", shop], { kind: "service" })],
    }),
    gatewayRow(shop, "tlsroute", ['"url":"tls://tlsroute.rows.example.com:8443"', '"url":"tls://tlsroute.'], {
      ...tls,
      route: { ...TLS, spec: { hostnames: [hostOf("tlsroute")] } },
    }),
    gatewayRow(shop, "tls-weights", ["tls://tls-weights.rows.example.com:8443", "rand.int(0,9)", "on_tcp_connect"], {
      ...tls,
      route: { ...TLS, rule: two("tls-weights", 9, 1), spec: { hostnames: [hostOf("tls-weights")] } },
      ...more("tls-weights"),
    }),
    gatewayRow(shop, "tls-verbose", ['"kind":"CloudEndpoint"', "forward-internal", `-${shop}.internal:80`], {
      ...tls,
      route: { ...TLS, spec: { hostnames: [hostOf("tls-verbose")] } },
      verbose,
    }),
    gatewayRow(shop, "tls-not-granted", "nothing", {
      ...tls,
      route: { ...TLS, rule: far("tls-not-granted"), spec: { hostnames: [hostOf("tls-not-granted")] } },
      service: other,
      told: `Service ${other}/tls-not-granted may not be used from here`,
    }),
  ];
}

/** The certificate that a Gateway shows to its backends. */
function shown({ shop, other }: Places): Row[] {
  const shows = (name: string, more: Fields = {}): Pick<GatewayRowParts, "spec"> => ({
    spec: { tls: { backend: { clientCertificateRef: { name, ...more } } } },
  });
  const https = { annotations: { "ngrok.com/app-protocols": '{"web":"https"}' } };
  const certificates = '"clientCertificateRefs"';
  const plain = (row: Row): Row => ({ ...row, lacks: [certificates] });
  return [
    gatewayRow(shop, "to-backends", [certificates, '"name":"to-backends"', `-to-backends-${shop}-mtls-`], {
      ...shows("to-backends"),
      ...https,
      more: [certificate(shop, "to-backends")],
    }),
    plain(
      gatewayRow(shop, "shows-http", ["http://shows-http."], {
        ...shows("shows-http"),
        more: [certificate(shop, "shows-http")],
      }),
    ),
    gatewayRow(shop, "shows-elsewhere", "nothing", {
      ...shows("shows-elsewhere", { namespace: other }),
      ...https,
      more: [certificate(other, "shows-elsewhere")],
      told: `Secret ${other}/shows-elsewhere may not be used from here`,
    }),
    gatewayRow(shop, "shows-granted", [certificates, '"name":"shows-granted"'], {
      ...shows("shows-granted", { namespace: other }),
      ...https,
      more: [
        certificate(other, "shows-granted"),
        grant(other, "shown", ["Gateway", shop], { kind: "Secret", name: "shows-granted" }),
      ],
      told: `put a copy of ${other}/shows-granted there`,
    }),
    gatewayRow(shop, "shows-kind", "nothing", {
      ...shows("shows-kind", { kind: "ConfigMap" }),
      ...https,
      told: "InvalidClientCertificateRef",
    }),
    gatewayRow(shop, "shows-tls", ["tls://shows-tls.rows.example.com:8443", certificates, "-mtls-"], {
      listener: { port: 8443, protocol: "TLS", tls: { mode: "Passthrough" } },
      ...shows("shows-tls"),
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("shows-tls")] } },
      more: [certificate(shop, "shows-tls")],
    }),
    plain(
      gatewayRow(shop, "shows-tcp", ["tcp://shows-tcp."], {
        listener: { port: 5438, protocol: "TCP", hostname: undefined },
        spec: { ...shows("shows-tcp").spec, addresses: [{ type: "Hostname", value: hostOf("shows-tcp") }] },
        route: { kind: "TCPRoute" },
        more: [certificate(shop, "shows-tcp")],
      }),
    ),
  ];
}
