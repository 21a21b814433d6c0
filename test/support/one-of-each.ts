// Objects of every kind that a controller watches, each as it stands while an install serves it, leaning on the others. A kind
// that is missing here fails the contract that runs through all of them.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BINDING_NAME, BINDING_NAMESPACE } from "#api/binding.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { controllerLabels, DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { type Kind, type KubeObject, resourceName } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  Pod,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import {
  aBoundEndpoint,
  aCloudEndpoint,
  aDomain,
  aGateway,
  aGatewayClass,
  aKubernetesOperator,
  anAgentEndpoint,
  anHTTPRoute,
  anIngress,
  anIngressClass,
  anIPPolicy,
  anNgrokTrafficPolicy,
  aService,
  aTCPRoute,
  aTLSRoute,
} from "./builders.ts";
import { aCaConfigMap, aGrant, aNamespace, aTlsSecret } from "./gateway-ground.ts";

/** All of them stand in the namespace of the release, or in none. */
export const release: Release = { name: "ngrok", namespace: "default", fullname: "ngrok" };
export const MANAGER = "ngrok-manager";

const HOST = "shop.example.com";
const labels = controllerLabels(release.namespace, MANAGER);
const policy = { "ngrok.com/traffic-policy": "hello" };
const ownerReferences = [{ apiVersion: "v1", kind: "Service", name: "database", uid: "database", controller: true }];
const inVault = { name: "shop", namespace: "vault", port: 80 };

const registered = {
  id: "k8sop_1",
  conditions: [
    {
      type: "Registered",
      status: "True" as const,
      reason: "Registered",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ],
};

/** What every object of a kind that we hold has on it. */
function held<T extends KubeObject>(object: T, finalizer = FINALIZER): T {
  const { annotations, ...metadata } = object.metadata;
  const stamp = { [DRAIN_OWNER]: `${release.namespace}/${release.name}` };
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, ...stamp }, finalizers: [finalizer] } };
}

function pod(component: string, name: string): KubeObject {
  const of = { "app.kubernetes.io/instance": release.name, "app.kubernetes.io/component": component };
  const status = { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] };
  return { metadata: { name, namespace: release.namespace, labels: of }, status } as KubeObject;
}

function gateway(): KubeObject {
  const namespaces = { from: "Selector" as const, selector: { matchLabels: { open: "yes" } } };
  const certificateRefs = [{ name: "cert", namespace: "vault" }];
  const web = { name: "https", hostname: HOST, port: 443, protocol: "HTTPS", tls: { certificateRefs } };
  const bytes = { name: "tls", hostname: HOST, port: 9000, protocol: "TLS" };
  const validation = { caCertificateRefs: [{ kind: "ConfigMap", name: "ca" }] };
  const listeners = [web, bytes].map((one) => ({ ...one, allowedRoutes: { namespaces } }));
  return aGateway({
    metadata: { annotations: policy },
    spec: { listeners, tls: { frontend: { default: { validation } } } },
  });
}

/** Lets Gateways and routes name what is in the vault. */
function grants(): KubeObject {
  const group = "gateway.networking.k8s.io";
  const { metadata, ...rest } = aGrant({ in: "vault", from: { kind: "", namespace: "" }, to: { kind: "" } });
  const spec = {
    from: ["Gateway", "HTTPRoute", "TLSRoute", "TCPRoute"].map((kind) => ({ group, kind, namespace: "default" })),
    to: ["Secret", "Service"].map((kind) => ({ group: "", kind })),
  };
  return { ...rest, metadata, spec } as KubeObject;
}

const extension = [
  { type: "ExtensionRef", extensionRef: { group: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "hello" } },
];
const rule = (port: number) => ({ filters: extension, backendRefs: [{ name: "shop", port }, inVault] });

const kinds: readonly (readonly [Kind, readonly KubeObject[]])[] = [
  [
    KubernetesOperator,
    [held(aKubernetesOperator({ metadata: { name: "ngrok", namespace: "default" }, status: registered }))],
  ],
  [Domain, [held(aDomain({ metadata: { name: "shop-example-com" }, spec: { domain: HOST }, status: { id: "rd_1" } }))]],
  [IPPolicy, [held(anIPPolicy({ status: { id: "ipp_1" } }))]],
  [NgrokTrafficPolicy, [anNgrokTrafficPolicy()]],
  [
    CloudEndpoint,
    [
      held(
        aCloudEndpoint({
          metadata: { name: HOST, labels },
          spec: { url: `https://${HOST}`, trafficPolicyName: "hello" },
          status: { id: "ep_1" },
        }),
      ),
      held(aCloudEndpoint({ metadata: { name: "database", ownerReferences }, status: { id: "ep_2" } })),
    ],
  ],
  [
    AgentEndpoint,
    [
      held(
        anAgentEndpoint({
          metadata: { name: "shop", labels },
          spec: {
            url: `https://${HOST}`,
            upstream: { url: "http://shop.default.svc:80" },
            clientCertificateRefs: [{ name: "cert" }],
            trafficPolicy: { targetRef: { name: "hello" } },
          },
          status: { replicas: [{ pod: "agent", observedGeneration: 1, reason: "EndpointCreated" }] },
        }),
      ),
      held(anAgentEndpoint({ metadata: { name: "database", ownerReferences } })),
    ],
  ],
  [
    BoundEndpoint,
    [
      held(
        aBoundEndpoint({
          metadata: { name: "billing", namespace: "default" },
          status: { replicas: [{ pod: "forwarder", observedGeneration: 1, reason: "Listening" }] },
        }),
      ),
    ],
  ],
  [Ingress, [held(anIngress({ metadata: { annotations: policy } }))]],
  [IngressClass, [anIngressClass()]],
  [
    Service,
    [
      held(
        aService({ metadata: { uid: "database", annotations: { ...policy, "ngrok.com/url": `tcp://${HOST}:5432` } } }),
      ),
      aService({
        metadata: { name: "shop" },
        spec: { type: "ClusterIP", loadBalancerClass: undefined, ports: [{ port: 80 }] },
      }),
      aService({
        metadata: { name: "billing", labels: { [BINDING_NAME]: "billing", [BINDING_NAMESPACE]: "default" } },
        spec: { type: "ClusterIP", loadBalancerClass: undefined },
      }),
    ],
  ],
  [GatewayClass, [held(aGatewayClass(), GATEWAY_CLASS_FINALIZER)]],
  [Gateway, [held(gateway())]],
  [HTTPRoute, [held(anHTTPRoute({ spec: { rules: [rule(80)] } }))]],
  [TLSRoute, [held(aTLSRoute({ spec: { rules: [rule(80)] } }))]],
  [TCPRoute, [held(aTCPRoute({ spec: { rules: [rule(80)] } }))]],
  [ReferenceGrant, [grants()]],
  [Namespace, [aNamespace("default", { open: "yes" })]],
  [Secret, [aTlsSecret("cert", "vault"), aTlsSecret("cert"), aTlsSecret(BINDING_SECRET)]],
  [ConfigMap, [aCaConfigMap()]],
  [Pod, [pod("agent", "agent"), pod("bindings-forwarder", "forwarder")]],
];

/** Throws for a kind of which there is none: write one, since a controller watches it. */
export function samplesOf(kind: Kind): readonly KubeObject[] {
  const [, samples] = kinds.find(([one]) => resourceName(one) === resourceName(kind)) ?? [];
  if (samples === undefined)
    throw new Error(`test/support/one-of-each.ts has no ${kind.kind}, which a controller watches`);
  return samples;
}

export const everyKind: readonly Kind[] = kinds.map(([kind]) => kind);
