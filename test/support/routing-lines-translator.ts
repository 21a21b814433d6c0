// The lines of the contract on the translator (4.16), and the rows that hold each; and the rows that are there for other
// sections.
import { elsewhere, type Line, line } from "./routing-lines.ts";

const NAMES = "operator/translate/endpoint-names.test.ts";
const BOTH = ["Ingress", "HTTPRoute"] as const;
const BYTES = ["TCPRoute", "TLSRoute"] as const;

const INGRESS: readonly Line[] = [
  line("4.16 Ingress: one host over all", ["Ingress"], "merged two-hosts"),
  line("4.16 Ingress: another policy", ["Ingress"], "other-policy"),
  line("4.16 Ingress: another pooling", ["Ingress"], "differs"),
  line("4.16 Ingress: another namespace", ["Ingress"], "elsewhere"),
  line("4.16 Ingress: another default backend", ["Ingress"], "other-fallback"),
  line("4.16 Ingress: other metadata, another description", ["Ingress"], "other-metadata other-words"),
  line("4.16 Ingress: the policy of each host is its own", BOTH, "two-hosts gw-two-hosts"),
  line("4.16 Ingress: a Service by number or name", ["Ingress"], "by-name port-unknown name-unknown"),
  line("4.16 Ingress: an NgrokTrafficPolicy", ["Ingress"], "by-policy by-kind lost-resource other-kind on-tcp"),
  line("4.16 Ingress: a bad path is skipped", ["Ingress"], "one-missing other-kind"),
  line(
    "4.16 Ingress: skipped for a bad default backend or annotation",
    ["Ingress"],
    "no-fallback ing-policies ing-bindings",
  ),
  line("4.16 Ingress: scheme and protocol of upstreams", ["Ingress"], "plain https http2"),
];

const GATEWAY: readonly Line[] = [
  line("4.16 Gateway: routes of a listener come together", ["HTTPRoute"], "routes-merged both-ways"),
  line("4.16 Gateway: never across Gateways", ["HTTPRoute"], "two-gateways"),
  line("4.16 Gateway: the prefix of names", ["HTTPRoute"], "gw-called"),
  line("4.16 Gateway: the prefix of names, with the port", ["TLSRoute"], "gw-port"),
  line("4.16 Gateway: one that is missing", ["HTTPRoute"], "orphan"),
  line(
    "4.16 Gateway: addresses, and those that are ignored",
    ["HTTPRoute", "TCPRoute"],
    "address by-ip ip-name tcproute",
  ),
  line("4.16 Gateway: bad annotations", ["HTTPRoute"], "gw-policies gw-bindings"),
  line(
    "4.16 Gateway: the backend's client certificate, and its grant",
    ["HTTPRoute"],
    "to-backends shows-elsewhere shows-granted shows-kind",
  ),
  line("4.16 listener: sectionName and port", ["HTTPRoute"], "section no-section by-port no-such-port orphan-port"),
  line("4.16 listener: without allowedRoutes its own namespace", ["HTTPRoute"], "not-here-unsaid"),
  line("4.16 listener: kinds, in any case", ["HTTPRoute"], "kinds kinds-case other-kinds not-bytes"),
  line("4.16 listener: Same, All, Selector", ["HTTPRoute"], "not-here all chosen not-chosen"),
  line("4.16 listener: without addresses a host name", ["HTTPRoute"], "no-host star blank"),
  line("4.16 listener: with addresses all are matched", ["HTTPRoute"], "covered uncovered address"),
  line("4.16 listener: a route without host names, or with *", ["HTTPRoute"], "http star-route"),
  line("4.16 listener: host names either way", ["HTTPRoute"], "names other-name wider names-glob"),
  line("4.16 listener: of two globs the listener's decides", ["HTTPRoute"], "globs globs-wide"),
  line("4.16 TLS: HTTPS that is passed through", ["HTTPRoute"], "https-passed"),
  line("4.16 TLS: a tls block without TLS", ["HTTPRoute", "TCPRoute"], "http-tls tcp-tls"),
  line("4.16 TLS: the first certificate", ["HTTPRoute", ...BYTES], "tls tls-second tls-ends tls-ends-tcp"),
  line("4.16 TLS: kind, type and keys of a certificate", ["HTTPRoute"], "tls-kind tls-opaque tls-empty tls-lost"),
  line("4.16 TLS: the grant", ["HTTPRoute", "TLSRoute"], "tls-elsewhere tls-granted tls-ends-elsewhere"),
  line("4.16 TLS: authorities", ["HTTPRoute"], "clients no-clients clients-kind clients-elsewhere clients-granted"),
  line("4.16 TLS: no authorities without a tls block", ["HTTPRoute"], "clients-unasked"),
  line("4.16 TLS: options", ["HTTPRoute"], "tls-options tls-options-both tls-options-alone tls-reserved"),
  line("4.16 HTTPRoute: one route a match, none without", ["HTTPRoute"], "two-matches matchless"),
  line("4.16 HTTPRoute: the path is / by itself", ["HTTPRoute"], "bare-match"),
  line("4.16 HTTPRoute: filters of the backendRef", ["HTTPRoute"], "on-backend on-lost-backend"),
  line("4.16 HTTPRoute: a failing filter is skipped", ["HTTPRoute"], "mirror rewrite-nothing"),
  line(
    "4.16 HTTPRoute: backends are Services, with a port",
    ["HTTPRoute"],
    "backend-kind no-backend-port backend-port lost backend-partly",
  ),
  line(
    "4.16 HTTPRoute: the grant, and none in one's own namespace",
    ["HTTPRoute"],
    "granted not-granted own-namespace",
  ),
  line("4.16 HTTPRoute: no name leads nowhere", ["HTTPRoute"], "no-backend-name"),
  line("4.16 HTTPRoute: http, and certificates for https alone", ["HTTPRoute"], "shows-http to-backends"),
  line("4.16 TCPRoute and TLSRoute: backends of all rules by weight", BYTES, "tcp-weights tcp-rules tls-weights"),
  line("4.16 TCPRoute and TLSRoute: scheme tcp and tls", BYTES, "tcproute tlsroute"),
  line("4.16 TCPRoute and TLSRoute: certificates for tls alone", BYTES, "shows-tcp shows-tls"),
  line("4.16 ReferenceGrant: by name, or any, in any case", ["HTTPRoute", "TCPRoute"], "granted tcp-granted"),
  line("4.16 ReferenceGrant: of another kind", ["TLSRoute"], "tls-not-granted"),
  elsewhere(
    "4.16 ReferenceGrant: checks are off",
    "operator/translate/gateway/routes.test.ts",
    "is open to everybody where grants are not asked for",
  ),
];

const FILTERS: readonly Line[] = [
  line("4.16 filter: RequestHeaderModifier", ["HTTPRoute"], "request set-alone"),
  line("4.16 filter: ResponseHeaderModifier", ["HTTPRoute"], "response"),
  line("4.16 filter: RequestRedirect", ["HTTPRoute"], "redirect redirect-parts redirect-prefix"),
  line("4.16 filter: the port of a redirect", ["HTTPRoute"], "redirect-plain redirect-parts"),
  line("4.16 filter: URLRewrite", ["HTTPRoute"], "rewrite rewrite-host rewrite-full rewrite-nothing"),
  line("4.16 filter: ExtensionRef", ["HTTPRoute"], "extension extension-case"),
  line("4.16 filter: ExtensionRef of another kind or group", ["HTTPRoute"], "extension-kind extension-group"),
  line("4.16 filter: ExtensionRef in the route's namespace", ["HTTPRoute"], "lost-extension extension-elsewhere"),
  line("4.16 filter: ExtensionRef with on_tcp_connect", ["HTTPRoute"], "extension-on-tcp"),
  line("4.16 filter: RequestMirror, unknown", ["HTTPRoute"], "mirror cors no-such-filter"),
];

const POLICY: readonly Line[] = [
  line("4.16 order of routes", BOTH, "order order-of-paths"),
  line("4.16 mapping: a Service of one host is its endpoint", BOTH, "ing-collapsed gw-collapsed"),
  line("4.16 mapping: the last Service", ["Ingress"], "last-wins"),
  line("4.16 mapping: the default backend before it", ["Ingress"], "default-wins"),
  line("4.16 mapping: a key, and a Service of another namespace", ["HTTPRoute"], "tls-tenant"),
  line("4.16 mapping: verbose, or nothing to collapse", BOTH, "shared-a shared-b called-verbose gw-called both-ways"),
  line("4.16 policy: the user's first", BOTH, "policy-first gw-policy-first"),
  line("4.16 policy: TLS before it", ["HTTPRoute"], "tls-first"),
  line("4.16 rule: Initialize-Local-Service-Match", BOTH, "ing-collapsed gw-collapsed"),
  line("4.16 rule: Initialize-Local-Service-Match of bytes", ["TCPRoute"], "tcp-weights"),
  line("4.16 rule: Capture-Original-Request-Data", ["HTTPRoute"], "rewrite captured not-captured"),
  line("4.16 rule: expressions, none twice", ["HTTPRoute"], "extension-choosy"),
  line(
    "4.16 rule: Gen-Random-Number",
    ["HTTPRoute", ...BYTES],
    "weights weight-shares weight-unsaid tcp-weights tls-weights",
  ),
  line(
    "4.16 rule: weight 0",
    ["HTTPRoute", ...BYTES],
    "weight-zero weight-zero-first weight-none weight-alone tcp-none tcp-alone tls-alone",
  ),
  line(
    "4.16 rule: Generated-Route, Generated-Local-Service-Route",
    ["Ingress", "HTTPRoute"],
    "last-wins weight-shares",
  ),
  line("4.16 rule: one backend of bytes, verbose", BYTES, "tcp-verbose tls-verbose"),
  line(
    "4.16 rule: Generated-Route-Default-Backend",
    ["Ingress"],
    "fallback default-wins default-verbose default-policy",
  ),
  line("4.16 rule: Fallback-404", BOTH, "policy-first gw-policy-first default-verbose"),
  line("4.16 expression: paths", BOTH, "paths quotes exactly pattern"),
  line("4.16 expression: headers and query", ["HTTPRoute"], "headers header-pattern query query-pattern"),
  line("4.16 expression: method", ["HTTPRoute"], "method bare-match"),
  line("4.16 a host without policy and routes", BOTH, "port-unknown routeless matchless"),
  line("4.16 a host with a policy alone", BOTH, "policy-alone gw-policy-alone"),
  line("4.16 policy JSON: scalars as names, empty phases left out", BOTH, "ing-numbered gw-numbered"),
  line("4.16 policy JSON: unknown phases", BOTH, "ing-odd-policy gw-odd-policy"),
];

const LONG = `long.${"a".repeat(30)}.${"b".repeat(30)}`;

const CALLED: readonly Line[] = [
  line("4.16 names: AgentEndpoint, upstream, labels", BOTH, "called gw-called"),
  line("4.16 names: client certificates", ["HTTPRoute", "TLSRoute"], "to-backends shows-tls"),
  line(
    "4.16 names: internal URL by protocol",
    ["Ingress", "HTTPRoute", ...BYTES],
    "called-verbose gw-http tcp-verbose tls-verbose",
  ),
  line("4.16 names: CloudEndpoint", BOTH, "called-verbose gw-called"),
  line("4.16 names: public URL", [...BOTH, ...BYTES], "called http tcproute tlsroute"),
  line("4.16 names: sanitized", ["Ingress"], `wild wild-verbose ${LONG}`),
  elsewhere("4.16 names: another cluster domain", NAMES, "of a cluster with another domain"),
  line("4.16 objects: infrastructure", ["HTTPRoute"], "labels notes"),
  line(
    "4.16 objects: metadata, description, pooling, bindings",
    BOTH,
    "ing-legacy-rest gw-legacy-rest ing-description gw-description",
  ),
  line("4.16 objects: the policy of a CloudEndpoint twice", BOTH, "ing-numbered gw-numbered"),
  line("4.16 objects: upstream protocol, names of certificates", BOTH, "http2 to-backends"),
];

const OTHERS: readonly Line[] = [
  line("4.10 what an Ingress needs", ["Ingress"], "hostless pathless"),
  line("4.14 listeners that are not valid", ["HTTPRoute"], "port udp conflict"),
  line("an address that two have", BOTH, "twice"),
  line("what others lean on", [], "hello"),
];

export const TRANSLATOR_LINES: readonly Line[] = [...INGRESS, ...GATEWAY, ...FILTERS, ...POLICY, ...CALLED, ...OTHERS];
