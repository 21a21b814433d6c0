// What a forwarder serves for a BoundEndpoint, as it follows from the object and the KubernetesOperator, and how that reads
// in its entry of the status. Pure.
import type { BoundEndpoint, ForwarderReplica, ForwarderReplicaReason } from "#api/bound-endpoint.ts";
import type { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { REPLICA_MESSAGE_LIMIT } from "#api/replica.ts";
import type { SecretObject } from "#kube/kinds.ts";
import { KnownError } from "#wire/errors.ts";
import { bindingSecretOf } from "../../forwarding/binding-secret.ts";
import type { HostAndPort } from "../../forwarding/connection.ts";
import type { Served } from "../../forwarding/listener.ts";
import { failureText } from "../../endpoint/conditions.ts";

export type Entry = Omit<ForwarderReplica, "pod" | "observedGeneration">;

export type ListenerPlan =
  | { readonly is: "serve"; readonly served: Served }
  /** Nothing is listened for until somebody changes something. */
  | { readonly is: "rest"; readonly reason: ForwarderReplicaReason; readonly problem: string; readonly hint: string };

export function planListener({ spec }: BoundEndpoint, operator: KubernetesOperator | undefined): ListenerPlan {
  const endpoint = endpointOf(spec.endpointURL);
  if (endpoint === undefined)
    return invalid(`spec.endpointURL ${JSON.stringify(spec.endpointURL)} has no port from 1 to 65535`);
  if (!isPort(spec.port)) return invalid(`spec.port ${spec.port} is not from 1 to 65535`);
  if (operator?.spec.binding === undefined)
    return notConfigured("operator does not have binding configuration", "Set bindings.enabled=true in the chart.");
  const address = operator.status?.bindingsIngressEndpoint ?? "";
  if (address === "")
    return notConfigured(
      "operator binding configuration does not have an ingress endpoint",
      "ngrok tells it at the registration: look at the KubernetesOperator's conditions.",
    );
  const ingress = ingressOf(address);
  if (ingress === undefined)
    return notConfigured(
      `status.bindingsIngressEndpoint ${JSON.stringify(address)} of the KubernetesOperator is no address`,
      "ngrok assigns it at the registration, no value of the chart does: tell ngrok's support status.id and this text.",
    );
  return { is: "serve", served: { port: spec.port, endpoint, ingress } };
}

/** The pair by which connections prove who they are. Throws KnownError invalid when the Secret holds none. */
export function pairOf(operator: KubernetesOperator | undefined, secret: SecretObject | undefined) {
  const name = bindingSecretOf(operator);
  const cert = textOf(secret, "tls.crt");
  const key = textOf(secret, "tls.key");
  if (cert === "" || key === "")
    throw new KnownError(
      "invalid",
      secret === undefined ? `Secret ${name} is not there` : `Secret ${name} has no certificate yet`,
      { hint: "The api-manager makes it and has ngrok sign it: look at the KubernetesOperator's conditions." },
    );
  return { cert, key };
}

/** What an entry says of a failure: cause and remedy, short enough for the API server. */
export function entryOf(reason: ForwarderReplicaReason, failure?: unknown): Entry {
  if (failure === undefined) return { reason };
  const text = failureText(failure);
  return {
    reason,
    message: text.length > REPLICA_MESSAGE_LIMIT ? `${text.slice(0, REPLICA_MESSAGE_LIMIT - 1)}…` : text,
  };
}

/** `host`, `host:port`, `[address]:port` or a bare IPv6 address; without a port it is 443. */
export function ingressOf(text: string): HostAndPort | undefined {
  const found = /^(?:\[([\da-f:.]+)\]|([^\s:/[\]@]+))(?::(\d{1,5}))?$/i.exec(text);
  if (found === null) return isIPv6(text) ? { host: text, port: 443 } : undefined;
  const [, ipv6, name = "", port = "443"] = found;
  if (!isPort(Number(port)) || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined;
  return { host: ipv6 ?? name, port: Number(port) };
}

function isIPv6(text: string): boolean {
  return text.includes(":") && URL.canParse(`http://[${text}]/`);
}

function endpointOf(url: string): HostAndPort | undefined {
  const [, host, port] = /^(?:[a-z]*:\/\/)?([^:/]+):(\d{1,5})$/.exec(url) ?? [];
  return host !== undefined && isPort(Number(port)) ? { host, port: Number(port) } : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function invalid(problem: string): ListenerPlan {
  const hint = "The operator makes these objects: delete it, it is made anew.";
  return { is: "rest", reason: "InvalidEndpoint", problem, hint };
}

function notConfigured(problem: string, hint: string): ListenerPlan {
  return { is: "rest", reason: "NotConfigured", problem, hint };
}

function textOf(secret: SecretObject | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? "", "base64").toString();
}
