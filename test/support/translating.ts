// Manifests for tests of the translator, and its answers in the form in which a test asks for them.
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import { GATEWAY_CONTROLLER, INGRESS_CONTROLLER } from "#api/classes.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { IngressObject, ServiceObject, ServicePort } from "#kube/kinds.ts";
import type { IngressBackend } from "#kube/routing-objects.ts";
import { index } from "#operator/translate/manifests.ts";
import { DEFAULT_CLUSTER_DOMAIN, type Options, type Translation } from "#operator/translate/model.ts";
import { translate } from "#operator/translate/translate.ts";
import { anIngress, anIngressClass, aService } from "./builders.ts";

export const OPTIONS: Options = {
  managerNamespace: "ngrok-operator",
  managerName: "ngrok-operator-manager",
  clusterDomain: DEFAULT_CLUSTER_DOMAIN,
  referenceGrants: true,
  ingressControllerName: INGRESS_CONTROLLER,
  gatewayControllerName: GATEWAY_CONTROLLER,
};

/** The labels that OPTIONS asks for. */
export const LABELS = {
  "ngrok.com/controller-namespace": "ngrok-operator",
  "ngrok.com/controller-name": "ngrok-operator-manager",
  "k8s.ngrok.com/controller-namespace": "ngrok-operator",
  "k8s.ngrok.com/controller-name": "ngrok-operator-manager",
};

export function translated(objects: readonly KubeObject[], options: Partial<Options> = {}): Translation {
  return translate(index([anIngressClass(), ...objects]), { ...OPTIONS, ...options });
}

/** A Service in the cluster, its uid `uid-of-<name>` unless given. */
export function backend(
  name: string,
  over: { namespace?: string; uid?: string; ports?: ServicePort[]; annotations?: Record<string, string> } = {},
): ServiceObject {
  const { namespace = "default", uid = `uid-of-${name}`, ports = [{ name: "http", port: 80 }], annotations } = over;
  return aService({
    metadata: { name, namespace, uid, ...(annotations && { annotations }) },
    spec: { type: "ClusterIP", loadBalancerClass: undefined, selector: { app: name }, ports },
  });
}

export interface PathOf {
  readonly path?: string;
  readonly type?: "Exact" | "Prefix" | "ImplementationSpecific";
  /** Name of a Service with port 80, or the backend as it stands. */
  readonly to: string | IngressBackend;
}

/** `rules`: by host, its paths. */
export function ingress(
  name: string,
  rules: Readonly<Record<string, readonly PathOf[]>>,
  over: { namespace?: string; annotations?: Record<string, string>; defaultBackend?: IngressBackend } = {},
): IngressObject {
  const { namespace = "default", annotations, defaultBackend } = over;
  return anIngress({
    metadata: { name, namespace, ...(annotations && { annotations }) },
    spec: {
      ...(defaultBackend && { defaultBackend }),
      rules: Object.entries(rules).map(([host, paths]) => ({
        host,
        http: {
          paths: paths.map(({ path = "/", type = "Prefix", to }) => ({
            path,
            pathType: type,
            backend: typeof to === "string" ? toService(to) : to,
          })),
        },
      })),
    },
  });
}

export function toService(name: string, number = 80): IngressBackend {
  return { service: { name, port: { number } } };
}

export function cloudEndpoints({ endpoints }: Translation): CloudEndpoint[] {
  return endpoints.filter((one): one is CloudEndpoint => one.kind === "CloudEndpoint");
}

export function agentEndpoints({ endpoints }: Translation): AgentEndpoint[] {
  return endpoints.filter((one): one is AgentEndpoint => one.kind === "AgentEndpoint");
}

/** `url -> upstream` of AgentEndpoints, `url` of CloudEndpoints, sorted. */
export function shape({ endpoints }: Translation): string[] {
  return endpoints.map(({ spec }) => ("upstream" in spec ? `${spec.url} -> ${spec.upstream.url}` : spec.url)).sort();
}

/** `effect object field: reason`. */
export function said({ problems }: Translation): string[] {
  return problems.map(({ effect, object, field, reason }) => `${effect} ${object} ${field}: ${reason}`);
}

export interface PlainRule {
  readonly name?: string;
  readonly expressions?: readonly string[];
  readonly actions: readonly { readonly type: string; readonly config?: unknown }[];
}

/** The rules of one phase of the endpoint's policy. */
export function rulesOf(endpoint: KubeObject | undefined, phase = "on_http_request"): readonly PlainRule[] {
  const { spec } = (endpoint ?? {}) as { spec?: { trafficPolicy?: { inline?: Record<string, readonly PlainRule[]> } } };
  return spec?.trafficPolicy?.inline?.[phase] ?? [];
}

/** A rule in one line: `name [expressions] type config`. */
export function line({ name, expressions = [], actions }: PlainRule): string {
  const when = expressions.length === 0 ? "" : ` [${expressions.join("; ")}]`;
  return `${name ?? ""}${when} ${actions.map(({ type, config }) => `${type} ${JSON.stringify(config)}`).join(", ")}`;
}
