// Objects for tests, each a good one of its kind as the API server stores it: say only what the test is about.
// Overrides go deep; a list replaces the list, and undefined takes the field away.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { GATEWAY_CONTROLLER, INGRESS_CONTROLLER, LOAD_BALANCER_CLASS } from "#api/classes.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  Service,
  TCPRoute,
  TLSRoute,
  type GatewayClassObject,
  type GatewayObject,
  type IngressClassObject,
  type IngressObject,
  type RouteObject,
  type ServiceObject,
} from "#kube/kinds.ts";
import { built, type Overrides } from "./overrides.ts";

const metadata = '{"owned-by":"ngrok-operator"}';

function one<T extends KubeObject>(kind: Kind<T>, object: NoInfer<T>, overrides: Overrides<NoInfer<T>>): T {
  const [version] = kind.versions;
  const type = { apiVersion: kind.group === "" ? version : `${kind.group}/${version}`, kind: kind.kind };
  return built({ ...type, ...object }, overrides);
}

export function aCloudEndpoint(overrides: Overrides<CloudEndpoint> = {}): CloudEndpoint {
  const object: CloudEndpoint = {
    metadata: { name: "web", namespace: "default" },
    spec: { url: "https://web.example.com", description: "Created by the ngrok-operator", metadata },
  };
  return one(CloudEndpoint, object, overrides);
}

export function aDomain(overrides: Overrides<Domain> = {}): Domain {
  const object: Domain = {
    metadata: { name: "web-example-com", namespace: "default" },
    spec: { domain: "web.example.com", description: "Created by ngrok-operator", metadata, reclaimPolicy: "Delete" },
  };
  return one(Domain, object, overrides);
}

export function anIPPolicy(overrides: Overrides<IPPolicy> = {}): IPPolicy {
  const description = "Created by ngrok-operator";
  const object: IPPolicy = {
    metadata: { name: "office", namespace: "default" },
    spec: {
      description,
      metadata,
      rules: [
        { cidr: "203.0.113.0/24", action: "allow", description, metadata },
        { cidr: "2001:db8::/32", action: "deny", description, metadata },
      ],
    },
  };
  return one(IPPolicy, object, overrides);
}

export function anAgentEndpoint(overrides: Overrides<AgentEndpoint> = {}): AgentEndpoint {
  const object: AgentEndpoint = {
    metadata: { name: "shop", namespace: "default" },
    spec: {
      url: "https://shop.example.com",
      upstream: { url: "http://shop.default.svc:8080" },
      description: "Created by the ngrok-operator",
      metadata,
    },
  };
  return one(AgentEndpoint, object, overrides);
}

export function aBoundEndpoint(overrides: Overrides<BoundEndpoint> = {}): BoundEndpoint {
  const object: BoundEndpoint = {
    metadata: { name: "ngrok-7d0a6d3e-93b2-5c0f-8a34-0b2f4a2f8c11", namespace: "ngrok-operator" },
    spec: {
      endpointURL: "http://billing.default:80",
      port: 10_000,
      scheme: "http",
      target: { service: "billing", namespace: "default", protocol: "TCP", port: 80 },
    },
  };
  return one(BoundEndpoint, object, overrides);
}

export function aKubernetesOperator(overrides: Overrides<KubernetesOperator> = {}): KubernetesOperator {
  const object: KubernetesOperator = {
    metadata: { name: "ngrok-operator", namespace: "ngrok-operator" },
    spec: {
      description: "Created by ngrok-operator",
      metadata,
      enabledFeatures: ["ingress", "gateway"],
      region: "global",
      deployment: { name: "ngrok-operator", namespace: "ngrok-operator", version: "0.1.0" },
      drain: { policy: "Retain" },
    },
  };
  return one(KubernetesOperator, object, overrides);
}

export function anNgrokTrafficPolicy(overrides: Overrides<NgrokTrafficPolicy> = {}): NgrokTrafficPolicy {
  const object: NgrokTrafficPolicy = {
    metadata: { name: "hello", namespace: "default" },
    spec: {
      policy: {
        on_http_request: [{ actions: [{ type: "custom-response", config: { status_code: 200, body: "hello" } }] }],
      },
    },
  };
  return one(NgrokTrafficPolicy, object, overrides);
}

// The strangers' kinds, each asking for ngrok by the class that the chart renders.

export function anIngressClass(overrides: Overrides<IngressClassObject> = {}): IngressClassObject {
  return one(IngressClass, { metadata: { name: "ngrok" }, spec: { controller: INGRESS_CONTROLLER } }, overrides);
}

export function anIngress(overrides: Overrides<IngressObject> = {}): IngressObject {
  const backend = { service: { name: "shop", port: { number: 80 } } };
  const object: IngressObject = {
    metadata: { name: "shop", namespace: "default" },
    spec: {
      ingressClassName: "ngrok",
      rules: [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
  return one(Ingress, object, overrides);
}

export function aService(overrides: Overrides<ServiceObject> = {}): ServiceObject {
  const object: ServiceObject = {
    metadata: { name: "database", namespace: "default" },
    spec: {
      type: "LoadBalancer",
      loadBalancerClass: LOAD_BALANCER_CLASS,
      selector: { app: "database" },
      ports: [{ name: "postgres", protocol: "TCP", port: 5432, targetPort: 5432 }],
    },
  };
  return one(Service, object, overrides);
}

export function aGatewayClass(overrides: Overrides<GatewayClassObject> = {}): GatewayClassObject {
  return one(GatewayClass, { metadata: { name: "ngrok" }, spec: { controllerName: GATEWAY_CONTROLLER } }, overrides);
}

export function aGateway(overrides: Overrides<GatewayObject> = {}): GatewayObject {
  const object: GatewayObject = {
    metadata: { name: "edge", namespace: "default" },
    spec: {
      gatewayClassName: "ngrok",
      listeners: [{ name: "https", hostname: "shop.example.com", port: 443, protocol: "HTTPS" }],
    },
  };
  return one(Gateway, object, overrides);
}

export function anHTTPRoute(overrides: Overrides<RouteObject> = {}): RouteObject {
  return one(HTTPRoute, aRoute("shop", 80), overrides);
}

export function aTCPRoute(overrides: Overrides<RouteObject> = {}): RouteObject {
  // Gateway API 1.5 serves it at v1alpha2 alone.
  return one(TCPRoute, { apiVersion: "gateway.networking.k8s.io/v1alpha2", ...aRoute("database", 5432) }, overrides);
}

export function aTLSRoute(overrides: Overrides<RouteObject> = {}): RouteObject {
  return one(TLSRoute, aRoute("database", 5432), overrides);
}

function aRoute(service: string, port: number): RouteObject {
  return {
    metadata: { name: service, namespace: "default" },
    spec: { parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: service, port }] }] },
  };
}
