// The strangers' kinds that we read or write, with the fields of theirs that we look at and no more.
import type { Kind, KubeObject, ObjectMeta } from "./kind.ts";
import type {
  GatewayClassObject,
  GatewayObject,
  IngressClassObject,
  IngressObject,
  LoadBalancerIngress,
  ReferenceGrantObject,
  RouteObject,
  StrangerCondition,
} from "./routing-objects.ts";

export type {
  GatewayClassObject,
  GatewayObject,
  IngressClassObject,
  IngressObject,
  RouteObject,
} from "./routing-objects.ts";

export interface NamespaceObject extends KubeObject {
  status?: { phase?: "Active" | "Terminating"; conditions?: StrangerCondition[] };
}

export interface SecretObject extends KubeObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

export interface ConfigMapObject extends KubeObject {
  data?: Record<string, string>;
}

export interface ServicePort {
  name?: string;
  protocol?: string;
  port: number;
  targetPort?: number | string;
  appProtocol?: string;
  nodePort?: number;
}

export interface ServiceObject extends KubeObject {
  spec?: {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    loadBalancerClass?: string;
    loadBalancerSourceRanges?: string[];
    selector?: Record<string, string>;
    ports?: ServicePort[];
    allocateLoadBalancerNodePorts?: boolean;
    internalTrafficPolicy?: string;
    sessionAffinity?: string;
  };
  status?: { loadBalancer?: { ingress?: LoadBalancerIngress[] }; conditions?: StrangerCondition[] };
}

export interface PodObject extends KubeObject {
  spec?: {
    nodeName?: string;
    serviceAccountName?: string;
    hostNetwork?: boolean;
    priorityClassName?: string;
    containers?: { name: string; image: string; resources?: ResourceRequirements }[];
  };
  status?: {
    phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    podIP?: string;
    /** One per address family, `podIP` among them. */
    podIPs?: { ip: string }[];
    conditions?: StrangerCondition[];
    /** By the kubelet's clock, before it pulls images. */
    startTime?: string;
  };
}

type Quantities = Record<string, string | number>;

export interface ResourceRequirements {
  requests?: Quantities;
  limits?: Quantities;
}

export interface ResourceQuotaObject extends KubeObject {
  spec?: {
    hard?: Quantities;
    scopes?: string[];
    scopeSelector?: { matchExpressions?: { scopeName: string; operator: string; values?: string[] }[] };
  };
  status?: { hard?: Quantities; used?: Quantities };
}

export interface LimitRangeItem {
  /** Container, Pod, PersistentVolumeClaim. */
  type: string;
  default?: Quantities;
  defaultRequest?: Quantities;
  min?: Quantities;
  max?: Quantities;
  maxLimitRequestRatio?: Quantities;
}

export interface LimitRangeObject extends KubeObject {
  spec?: { limits?: LimitRangeItem[] };
}

export interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface DeploymentObject extends KubeObject {
  spec?: {
    template: {
      spec: {
        containers: {
          env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
        }[];
      };
    };
  };
}

export interface JobObject extends KubeObject {
  status?: { active?: number; succeeded?: number; failed?: number; conditions?: StrangerCondition[] };
}

/** events.k8s.io/v1 */
export interface EventObject extends KubeObject {
  eventTime: string;
  series?: { count: number; lastObservedTime: string };
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  regarding: {
    apiVersion?: string;
    kind?: string;
    namespace?: string;
    name: string;
    uid?: string;
    resourceVersion?: string;
  };
  note: string;
  type: "Normal" | "Warning";
}

export interface CustomResourceDefinitionObject extends KubeObject {
  spec?: {
    group: string;
    names: { kind: string; plural: string };
    versions: { name: string; served: boolean; storage: boolean }[];
  };
  status?: { conditions?: StrangerCondition[]; storedVersions?: string[] };
}

export interface SelfSubjectAccessReviewObject extends KubeObject {
  spec: {
    resourceAttributes: {
      verb: string;
      group: string;
      version?: string;
      resource: string;
      subresource?: string;
      namespace?: string;
      name?: string;
    };
  };
  status?: { allowed: boolean; denied?: boolean; reason?: string; evaluationError?: string };
}

/** metadata is all we look at. */
export interface PlainObject extends KubeObject {
  metadata: ObjectMeta;
}

const GATEWAY_API = "gateway.networking.k8s.io";

export const Namespace: Kind<NamespaceObject> = core("Namespace", "namespaces", false);
export const Secret: Kind<SecretObject> = core("Secret", "secrets", true);
export const ConfigMap: Kind<ConfigMapObject> = core("ConfigMap", "configmaps", true);
export const Service: Kind<ServiceObject> = core("Service", "services", true);
export const Pod: Kind<PodObject> = core("Pod", "pods", true);
export const ResourceQuota: Kind<ResourceQuotaObject> = core("ResourceQuota", "resourcequotas", true);
export const LimitRange: Kind<LimitRangeObject> = core("LimitRange", "limitranges", true);
export const ServiceAccount: Kind<PlainObject> = core("ServiceAccount", "serviceaccounts", true);

export const NetworkPolicy: Kind<PlainObject> = one(
  "networking.k8s.io",
  "v1",
  "NetworkPolicy",
  "networkpolicies",
  true,
);
export const Lease: Kind<LeaseObject> = one("coordination.k8s.io", "v1", "Lease", "leases", true);
export const Deployment: Kind<DeploymentObject> = one("apps", "v1", "Deployment", "deployments", true);
export const Job: Kind<JobObject> = one("batch", "v1", "Job", "jobs", true);
export const Event: Kind<EventObject> = one("events.k8s.io", "v1", "Event", "events", true);
export const Role: Kind<PlainObject> = one("rbac.authorization.k8s.io", "v1", "Role", "roles", true);
export const RoleBinding: Kind<PlainObject> = one(
  "rbac.authorization.k8s.io",
  "v1",
  "RoleBinding",
  "rolebindings",
  true,
);
export const ClusterRole: Kind<PlainObject> = one(
  "rbac.authorization.k8s.io",
  "v1",
  "ClusterRole",
  "clusterroles",
  false,
);
export const ClusterRoleBinding: Kind<PlainObject> = one(
  "rbac.authorization.k8s.io",
  "v1",
  "ClusterRoleBinding",
  "clusterrolebindings",
  false,
);
export const CustomResourceDefinition: Kind<CustomResourceDefinitionObject> = one(
  "apiextensions.k8s.io",
  "v1",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);
export const SelfSubjectAccessReview: Kind<SelfSubjectAccessReviewObject> = one(
  "authorization.k8s.io",
  "v1",
  "SelfSubjectAccessReview",
  "selfsubjectaccessreviews",
  false,
);

export const Ingress: Kind<IngressObject> = one("networking.k8s.io", "v1", "Ingress", "ingresses", true);
export const IngressClass: Kind<IngressClassObject> = one(
  "networking.k8s.io",
  "v1",
  "IngressClass",
  "ingressclasses",
  false,
);

// Gateway API moves its kinds through versions, and a cluster has whichever channel and release its owner chose.
export const GatewayClass: Kind<GatewayClassObject> = gatewayApi("GatewayClass", "gatewayclasses", false, [
  "v1",
  "v1beta1",
]);
export const Gateway: Kind<GatewayObject> = gatewayApi("Gateway", "gateways", true, ["v1", "v1beta1"]);
export const HTTPRoute: Kind<RouteObject> = gatewayApi("HTTPRoute", "httproutes", true, ["v1", "v1beta1"]);
export const TCPRoute: Kind<RouteObject> = gatewayApi("TCPRoute", "tcproutes", true, ["v1", "v1alpha3", "v1alpha2"]);
export const TLSRoute: Kind<RouteObject> = gatewayApi("TLSRoute", "tlsroutes", true, ["v1", "v1alpha3", "v1alpha2"]);
export const ReferenceGrant: Kind<ReferenceGrantObject> = gatewayApi("ReferenceGrant", "referencegrants", true, [
  "v1",
  "v1beta1",
]);

function core<T extends KubeObject>(kind: string, plural: string, namespaced: boolean): Kind<T> {
  return one("", "v1", kind, plural, namespaced);
}

function one<T extends KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
  namespaced: boolean,
): Kind<T> {
  return { group, versions: [version], kind, plural, namespaced };
}

function gatewayApi<T extends KubeObject>(
  kind: string,
  plural: string,
  namespaced: boolean,
  versions: readonly [string, ...string[]],
): Kind<T> {
  return { group: GATEWAY_API, versions, kind, plural, namespaced };
}
