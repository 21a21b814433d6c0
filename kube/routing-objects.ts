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
  spec?: { controllerName: string; description?: string };
  status?: { conditions?: StrangerCondition[] };
}

export interface GatewayListener {
  name: string;
  hostname?: string;
  port: number;
  protocol: string;
  tls?: {
    mode?: "Terminate" | "Passthrough";
    certificateRefs?: { group?: string; kind?: string; name: string; namespace?: string }[];
    options?: Record<string, string>;
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

export interface GatewayObject extends KubeObject {
  spec?: { gatewayClassName: string; listeners: GatewayListener[]; addresses?: { type?: string; value: string }[] };
  status?: {
    addresses?: { type?: string; value: string }[];
    conditions?: StrangerCondition[];
    listeners?: {
      name: string;
      attachedRoutes: number;
      supportedKinds: { group?: string; kind: string }[];
      conditions: StrangerCondition[];
    }[];
  };
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
}

export interface RouteParentStatus {
  parentRef: ParentReference;
  controllerName: string;
  conditions?: StrangerCondition[];
}

/** What TCPRoute and TLSRoute have; an HTTPRoute's matches and filters are read by the translation in shapes of its own. */
export interface RouteObject extends KubeObject {
  spec?: {
    parentRefs?: ParentReference[];
    hostnames?: string[];
    rules?: { name?: string; backendRefs?: BackendReference[]; matches?: unknown[]; filters?: unknown[] }[];
  };
  status?: { parents?: RouteParentStatus[] };
}
