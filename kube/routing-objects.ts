// Ingress and Gateway API objects, with the fields of theirs that we look at and no more.
import type { KubeObject } from "./kind.ts";

export interface StrangerCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  observedGeneration?: number;
  lastTransitionTime?: string;
}

export interface LoadBalancerIngress {
  ip?: string;
  hostname?: string;
}

export interface IngressBackend {
  service?: { name: string; port?: { name?: string; number?: number } };
  resource?: { apiGroup?: string; kind: string; name: string };
}

export interface IngressObject extends KubeObject {
  spec?: {
    ingressClassName?: string;
    defaultBackend?: IngressBackend;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: {
      host?: string;
      http?: {
        paths: { path?: string; pathType: "Exact" | "Prefix" | "ImplementationSpecific"; backend: IngressBackend }[];
      };
    }[];
  };
  status?: { loadBalancer?: { ingress?: LoadBalancerIngress[] } };
}

export interface IngressClassObject extends KubeObject {
  spec?: { controller?: string; parameters?: { apiGroup?: string; kind: string; name: string; namespace?: string } };
}

export interface GatewayClassObject extends KubeObject {
  spec?: {
    controllerName: string;
    description?: string;
    parametersRef?: { group: string; kind: string; name: string; namespace?: string };
  };
  status?: { conditions?: StrangerCondition[] };
}

export interface GatewayListener {
  name: string;
  hostname?: string;
  port: number;
  protocol: string;
  tls?: {
    mode?: "Terminate" | "Passthrough";
    certificateRefs?: ObjectReference[];
    options?: Record<string, string>;
    /** Of older releases of Gateway API, which do not have `spec.tls.frontend`. */
    frontendValidation?: unknown;
  };
  allowedRoutes?: {
    namespaces?: {
      from?: "All" | "Same" | "Selector";
      selector?: { matchLabels?: Record<string, string>; matchExpressions?: LabelExpression[] };
    };
    kinds?: { group?: string; kind: string }[];
  };
}

export interface LabelExpression {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  values?: string[];
}

/** Names one object; without a namespace in that of the object which says it. */
export interface ObjectReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
}

export interface FrontendTls {
  validation?: { caCertificateRefs?: ObjectReference[]; mode?: string };
}

export interface GatewayAddress {
  type?: string;
  value?: string;
}

export interface GatewayObject extends KubeObject {
  spec?: {
    gatewayClassName: string;
    listeners: GatewayListener[];
    addresses?: GatewayAddress[];
    infrastructure?: {
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
      parametersRef?: { group: string; kind: string; name: string };
    };
    tls?: {
      backend?: { clientCertificateRef?: ObjectReference };
      frontend?: { default?: FrontendTls; perPort?: { port: number; tls?: FrontendTls }[] };
    };
    /** Of older releases of Gateway API, which do not have `spec.tls.backend`. */
    backendTLS?: { clientCertificateRef?: unknown };
  };
  status?: GatewayStatus;
}

export interface GatewayStatus {
  addresses?: GatewayAddress[];
  conditions?: StrangerCondition[];
  listeners?: ListenerStatus[];
}

export interface ListenerStatus {
  name: string;
  attachedRoutes: number;
  supportedKinds?: { group?: string; kind: string }[];
  conditions: StrangerCondition[];
}

export interface ParentReference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

export interface BackendReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
  port?: number;
  weight?: number;
  /** HTTPRoutes alone have them. */
  filters?: HttpRouteFilter[];
}

export interface HttpRouteMatch {
  path?: { type?: string; value?: string };
  headers?: ValueMatch[];
  queryParams?: ValueMatch[];
  method?: string;
}

export interface ValueMatch {
  type?: string;
  name: string;
  value: string;
}

export interface HttpRouteFilter {
  type: string;
  requestHeaderModifier?: HeaderModifier;
  responseHeaderModifier?: HeaderModifier;
  requestRedirect?: {
    scheme?: string;
    hostname?: string;
    port?: number;
    path?: PathModifier;
    statusCode?: number;
  };
  urlRewrite?: { hostname?: string; path?: PathModifier };
  extensionRef?: { group?: string; kind: string; name: string };
}

export interface HeaderModifier {
  set?: { name: string; value: string }[];
  add?: { name: string; value: string }[];
  remove?: string[];
}

export interface PathModifier {
  type: string;
  replaceFullPath?: string;
  replacePrefixMatch?: string;
}

export interface RouteRule {
  name?: string;
  backendRefs?: BackendReference[];
  /** HTTPRoutes alone have what follows. */
  matches?: HttpRouteMatch[];
  filters?: HttpRouteFilter[];
  timeouts?: unknown;
  retry?: unknown;
  sessionPersistence?: unknown;
}

export interface RouteParentStatus {
  parentRef: ParentReference;
  controllerName: string;
  conditions?: StrangerCondition[];
}

/** HTTPRoute, TCPRoute and TLSRoute. */
export interface RouteObject extends KubeObject {
  spec?: {
    parentRefs?: ParentReference[];
    hostnames?: string[];
    rules?: RouteRule[];
  };
  status?: { parents?: RouteParentStatus[] };
}

/** Allows objects of other namespaces to name objects of its own. */
export interface ReferenceGrantObject extends KubeObject {
  spec?: {
    from?: { group: string; kind: string; namespace: string }[];
    to?: { group: string; kind: string; name?: string }[];
  };
}
