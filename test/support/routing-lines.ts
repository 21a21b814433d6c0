// The lines of the contract on annotations (4.15), and the rows that hold each; the translator's (4.16) have a file of their
// own. A line that no row of a cluster can hold names the test that does.

type Asker = "HTTPRoute" | "Ingress" | "TCPRoute" | "TLSRoute";

export interface Line {
  /** Its section, and a short key. */
  readonly key: string;
  /** Kinds of which each has a row. */
  readonly by: readonly Asker[];
  readonly rows: readonly string[];
  /** A file, and part of the name of a test in it. */
  readonly elsewhere?: readonly [file: string, test: string];
}

/** `rows`: their names, with spaces between. */
export function line(key: string, by: readonly Asker[], rows: string): Line {
  return { key, by, rows: rows.split(" ") };
}

export function elsewhere(key: string, file: string, test: string): Line {
  return { key, by: [], rows: [], elsewhere: [file, test] };
}

/** Of rows that an Ingress and a Gateway have alike. */
function either(key: string, names: string): Line {
  const rows = names.split(" ").flatMap((name) => [`ing-${name}`, `gw-${name}`]);
  return { key, by: ["Ingress", "HTTPRoute"], rows };
}

const SERVICE = "operator/translate/service.test.ts";
const IN_CLUSTER = "operator/controllers/service/controller.apiserver.test.ts";
const TOLD = "operator/controllers/service/told.apiserver.test.ts";

export const ANNOTATION_LINES: readonly Line[] = [
  either("4.15 mapping-strategy: endpoints, endpoints-collapsed, nothing", "unsaid endpoints collapsed"),
  either("4.15 mapping-strategy: endpoints-verbose", "verbose"),
  either("4.15 mapping-strategy: anything else is the default, and told", "edges"),
  elsewhere("4.15 mapping-strategy of a Service", SERVICE, "endpoints-verbose is a CloudEndpoint that forwards"),
  elsewhere("4.15 mapping-strategy of a Service, unknown", TOLD, "a strategy that is unknown"),
  either("4.15 traffic-policy: one name of the same namespace", "policy lost-policy odd-policy"),
  either("4.15 traffic-policy: a list is an error, and so is nothing", "policies no-policy"),
  elsewhere("4.15 traffic-policy of a Service", TOLD, "nothing is made, and event and condition say what to write"),
  either("4.15 pooling-enabled: true in any case, else false, else unset", "pooled alone verbose"),
  elsewhere("4.15 pooling-enabled of a Service", SERVICE, "endpoints-verbose is a CloudEndpoint that forwards"),
  either("4.15 bindings: exactly one, else skipped", "internal public bound bindings presence"),
  elsewhere("4.15 bindings of a Service", SERVICE, "by default one AgentEndpoint listens"),
  either("4.15 metadata: a JSON object, else ignored", "metadata no-metadata"),
  elsewhere(
    "4.15 metadata: over the operator's default",
    "operator/translate/annotations.test.ts",
    "the operator's own metadata",
  ),
  either("4.15 description", "description"),
  elsewhere("4.15 url of a Service", IN_CLUSTER, "a Service that moves to a URL of the user's"),
  elsewhere("4.15 computed-url of a Service", IN_CLUSTER, "a Service gets an address that is reserved for it"),
  line("4.15 app-protocols", ["Ingress", "HTTPRoute"], "plain https tcp tls-backend http-backend gw-https"),
  line(
    "4.15 app-protocols: what is broken is the default, and told",
    ["Ingress", "HTTPRoute"],
    "broken odd-word gw-broken",
  ),
  either("4.15 both prefixes, the canonical one first", "legacy legacy-rest both presence"),
  line("4.15 both prefixes of app-protocols", ["Ingress"], "tcp app-protocols-both"),
  line("4.15 is-default-class", ["Ingress"], "default-class"),
  line("4.15 TLS options, canonical and legacy", ["HTTPRoute"], "tls-options tls-options-legacy tls-options-both"),
  line(
    "4.15 TLS options that are reserved",
    ["HTTPRoute"],
    "tls-reserved tls-reserved-key tls-reserved-clients tls-reserved-legacy",
  ),
  line("4.15 appProtocol of a port", ["Ingress"], "http2 http2-legacy h2c http1 ws"),
  line("4.15 appProtocol is honoured for an Ingress alone", ["HTTPRoute"], "gw-h2c"),
  either("4.15 each line is trimmed", "spaced lines"),
];
