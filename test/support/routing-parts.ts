// The parts of which the rows of routing-rows.ts are made: a Service, an Ingress and a Gateway with one HTTPRoute, each for
// the host of its row.
import type { Manifest, Row } from "./routing-rows.ts";

interface IngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend: Readonly<Record<string, unknown>>;
}

export type Annotations = Readonly<Record<string, string>>;

export function hostOf(name: string): string {
  return `${name}.rows.example.com`;
}

interface ServiceParts {
  readonly annotations?: Annotations;
  readonly port?: Readonly<Record<string, unknown>>;
}

/** With port 80 called web. */
export function service(namespace: string, name: string, { annotations, port }: ServiceParts = {}): Manifest {
  const metadata = { name, namespace, ...(annotations && { annotations }) };
  const spec = { selector: { app: name }, ports: [{ name: "web", port: 80, ...port }] };
  return { apiVersion: "v1", kind: "Service", metadata, spec };
}

export function policy(namespace: string, name: string, phase = "on_http_request"): Manifest {
  const action =
    phase === "on_tcp_connect"
      ? { type: "deny" }
      : { type: "custom-response", config: { status_code: 200, content: name } };
  return {
    apiVersion: "ngrok.k8s.ngrok.com/v1alpha1",
    kind: "NgrokTrafficPolicy",
    metadata: { name, namespace },
    spec: { policy: { [phase]: [{ name, actions: [action] }] } },
  };
}

export function path(to: string, more: Partial<IngressPath> = {}): IngressPath {
  return { path: "/", pathType: "Prefix", backend: { service: { name: to, port: { number: 80 } } }, ...more };
}

interface IngressParts {
  readonly name?: string;
  readonly host?: string;
  readonly annotations?: Annotations;
  readonly paths?: readonly IngressPath[];
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Named like its row, for the row's host, to the Service of that name; of class ngrok. */
export function ingress(namespace: string, row: string, parts: IngressParts = {}): Manifest {
  const { name = row, host = hostOf(row), annotations, paths = [path(row)], spec } = parts;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace, ...(annotations && { annotations }) },
    spec: { ingressClassName: "ngrok", rules: [{ host, http: { paths } }], ...spec },
  };
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";

interface GatewayParts {
  readonly annotations?: Annotations;
  readonly listener?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Named like its row, with an HTTPS listener for the row's host; of class ngrok. */
export function gateway(namespace: string, row: string, { annotations, listener, spec }: GatewayParts = {}): Manifest {
  const listeners = [{ name: "web", port: 443, protocol: "HTTPS", hostname: hostOf(row), ...listener }];
  return {
    apiVersion: GATEWAY_API,
    kind: "Gateway",
    metadata: { name: row, namespace, ...(annotations && { annotations }) },
    spec: { gatewayClassName: "ngrok", listeners, ...spec },
  };
}

interface RouteParts {
  readonly kind?: "HTTPRoute" | "TCPRoute" | "TLSRoute";
  readonly namespace?: string;
  readonly parent?: Readonly<Record<string, unknown>>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** At the Gateway of its row, to the Service of that name. */
export function route(namespace: string, row: string, parts: RouteParts = {}): Manifest {
  const { kind = "HTTPRoute", parent, rule, spec } = parts;
  const backendRefs = [{ name: row, port: 80 }];
  const matches = kind === "HTTPRoute" ? { matches: [{ path: { type: "PathPrefix", value: "/" } }] } : {};
  return {
    apiVersion: kind === "TCPRoute" ? "gateway.networking.k8s.io/v1alpha2" : GATEWAY_API,
    kind,
    metadata: { name: row, namespace: parts.namespace ?? namespace },
    spec: { parentRefs: [{ name: row, namespace, ...parent }], rules: [{ backendRefs, ...matches, ...rule }], ...spec },
  };
}

export type Fields = Readonly<Record<string, unknown>>;

export interface GatewayRowParts {
  readonly listener?: Fields;
  readonly spec?: Fields;
  readonly route?: Parameters<typeof route>[2];
  /** Where the Service is. */
  readonly service?: string;
  /** Of the Service. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly more?: readonly Manifest[];
  readonly told?: string;
  /** Whether a CloudEndpoint is made in any case. */
  readonly verbose?: boolean;
}

/** A Service, a Gateway and a route to it, all of the row's name. */
export function gatewayRow(namespace: string, name: string, makes: Row["makes"], parts: GatewayRowParts): Row {
  const { listener, spec, annotations, more = [], told, verbose = false } = parts;
  const strategy = { annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } };
  return {
    name,
    makes,
    ...(told === undefined ? {} : { told }),
    objects: [
      service(parts.service ?? namespace, name, { ...(annotations && { annotations }) }),
      gateway(namespace, name, { ...(listener && { listener }), ...(spec && { spec }), ...(verbose && strategy) }),
      route(namespace, name, parts.route),
      ...more,
    ],
  };
}

/** A Secret with a certificate and its key. */
export function certificate(namespace: string, name: string, more: Fields = {}): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name, namespace },
    data: { "tls.crt": btoa(`certificate of ${name}`), "tls.key": btoa(`key of ${name}`) },
    ...more,
  };
}

/** In the namespace of what is granted: `from` is a kind of Gateway API and its namespace. */
export function grant(
  namespace: string,
  name: string,
  [kind, from]: readonly [string, string],
  to: { readonly kind: string; readonly name?: string },
): Manifest {
  return {
    apiVersion: "gateway.networking.k8s.io/v1beta1",
    kind: "ReferenceGrant",
    metadata: { name, namespace },
    spec: { from: [{ group: "gateway.networking.k8s.io", kind, namespace: from }], to: [{ group: "", ...to }] },
  };
}
