// The rows of Gateways and their routes: listeners, TLS, filters, matches, backends, and the routes of other protocols.
import { gateway, hostOf, policy, route, service } from "./routing-parts.ts";
import type { Manifest, Places, Row } from "./routing-rows.ts";

type Fields = Readonly<Record<string, unknown>>;

export function gatewayRows(places: Places): Row[] {
  return [...listeners(places), ...terminations(places), ...rules(places), ...others(places)];
}

function listeners({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: Parts = {}): Row => oneRow(shop, name, makes, given);
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

function terminations({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: Parts = {}): Row => oneRow(shop, name, makes, given);
  const named = (name: string, options?: Fields): Fields => ({
    tls: { mode: "Terminate", certificateRefs: [{ name }], ...(options && { options }) },
  });
  const secret = (namespace: string, name: string): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name, namespace },
    data: { "tls.crt": btoa(`certificate of ${name}`), "tls.key": btoa(`key of ${name}`) },
  });
  const authority: Manifest = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "authority", namespace: shop },
    data: { "ca.crt": "the authority" },
  };
  const caCertificateRefs = [{ group: "", kind: "ConfigMap", name: "authority" }];
  const frontend = { default: { validation: { caCertificateRefs } } };
  return [
    one("tls", ["Gateway-TLS-Termination", "certificate of tls"], {
      listener: named("tls"),
      more: [secret(shop, "tls")],
    }),
    one("tls-options", ['"min_version":"1.3"'], {
      listener: named("tls-options", { "ngrok.com/terminate-tls.min_version": "1.3" }),
      more: [secret(shop, "tls-options")],
    }),
    one("tls-options-legacy", ['"min_version":"1.2"'], {
      listener: named("tls-options-legacy", { "k8s.ngrok.com/terminate-tls.min_version": "1.2" }),
      more: [secret(shop, "tls-options-legacy")],
    }),
    one("tls-reserved", "nothing", {
      listener: named("tls-reserved", { "ngrok.com/terminate-tls.server_certificate": "mine" }),
      more: [secret(shop, "tls-reserved")],
      told: "server_certificate",
    }),
    one("tls-lost", "nothing", { listener: named("tls-lost"), told: `Secret ${shop}/tls-lost does not exist` }),
    one("tls-elsewhere", "nothing", {
      listener: { tls: { certificateRefs: [{ name: "tls-elsewhere", namespace: other }] } },
      more: [secret(other, "tls-elsewhere")],
      told: "RefNotPermitted",
    }),
    one("clients", ["mutual_tls_certificate_authorities", "the authority"], {
      listener: named("clients"),
      spec: { tls: { frontend } },
      more: [secret(shop, "clients"), authority],
    }),
    one("to-backends", ['"clientCertificateRefs"', '"name":"to-backends"'], {
      spec: { tls: { backend: { clientCertificateRef: { name: "to-backends" } } } },
      annotations: { "ngrok.com/app-protocols": '{"web":"https"}' },
      more: [secret(shop, "to-backends")],
    }),
  ];
}

function rules({ shop }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], rule: Fields, given: Parts = {}): Row =>
    oneRow(shop, name, makes, { ...given, route: { rule } });
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
      ['"kind":"CloudEndpoint"', "Fallback-404"],
      { backendRefs: [{ name: "nowhere", port: 80 }] },
      { told: "BackendNotFound" },
    ),
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
    oneRow(shop, "granted", ["http://granted."], { route: across, service: other, more: [grant] }),
    oneRow(shop, "not-granted", ['"kind":"CloudEndpoint"', "Fallback-404"], {
      route: denied,
      service: other,
      told: "RefNotPermitted",
    }),
    oneRow(shop, "tcproute", ["tcp://tcproute.rows.example.com:5432"], {
      ...tcp,
      spec: { addresses },
      route: { kind: "TCPRoute" },
    }),
    oneRow(shop, "tlsroute", ['"url":"tls://tlsroute.rows.example.com:8443"'], {
      ...tls,
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("tlsroute")] } },
    }),
  ];
}

interface Parts {
  readonly listener?: Fields;
  readonly spec?: Fields;
  readonly route?: Parameters<typeof route>[2];
  /** Where the Service is. */
  readonly service?: string;
  /** Of the Service. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly more?: readonly Manifest[];
  readonly told?: string;
}

function oneRow(namespace: string, name: string, makes: Row["makes"], parts: Parts): Row {
  const { listener, spec, annotations, more = [], told } = parts;
  return {
    name,
    makes,
    ...(told === undefined ? {} : { told }),
    objects: [
      service(parts.service ?? namespace, name, { ...(annotations && { annotations }) }),
      gateway(namespace, name, { ...(listener && { listener }), ...(spec && { spec }) }),
      route(namespace, name, parts.route),
      ...more,
    ],
  };
}
