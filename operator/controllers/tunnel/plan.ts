// What an AgentEndpoint and the Secrets and the policy that it names come to: the endpoint that an agent opens, or why it
// cannot; and what the agent says of it in the status. Pure.
import type { AgentEndpoint, AgentReplica } from "#api/agent-endpoint.ts";
import { metadataText } from "#api/metadata.ts";
import { isTooDeep } from "#api/nesting.ts";
import { REPLICA_MESSAGE_LIMIT } from "#api/replica.ts";
import type { SecretObject } from "#kube/kinds.ts";
import type { AgentSpec, AgentTermination, Binding, KeyPair } from "#ngrok/agent-port.ts";
import { code } from "#ngrok/errors.ts";
import { known } from "#wire/errors.ts";
import { blamesPolicy, type PolicyText, samePolicy } from "../../endpoint/traffic-policy.ts";

type Reason = AgentReplica["reason"];

export interface Problem {
  readonly is: "problem";
  readonly reason: Exclude<Reason, "EndpointCreated">;
  /** The cause and the remedy. */
  readonly why: string;
}

export type Wanted = { readonly is: "wanted"; readonly spec: AgentSpec } | Problem;

/** A Secret of the endpoint's namespace by its name. */
export type SecretOf = (name: string) => SecretObject | undefined;

export function wantedOf(endpoint: AgentEndpoint, policy: PolicyText, secretOf: SecretOf): Wanted {
  if (policy.is !== "text") return { is: "problem", reason: "TrafficPolicyError", why: policy.problem };
  const { spec } = endpoint;
  try {
    const { url, protocol, proxyProtocolVersion } = spec.upstream;
    const certificates = (spec.clientCertificateRefs ?? []).map(({ name }) => keyPairOf(secretOf, name));
    const termination = terminationOf(spec.tlsTermination, secretOf);
    return {
      is: "wanted",
      spec: {
        url: spec.url,
        bindings: (spec.bindings ?? []) as Binding[],
        upstream: {
          url,
          ...(protocol === undefined ? {} : { protocol }),
          ...(proxyProtocolVersion === undefined ? {} : { proxyProtocol: proxyProtocolVersion }),
          certificates,
        },
        trafficPolicy: policy.text,
        metadata: withDescription(metadataText(spec.metadata), spec.description),
        ...(termination === undefined ? {} : { termination }),
      },
    };
  } catch (error) {
    if (error instanceof Missing) return { is: "problem", reason: error.reason, why: error.message };
    throw error;
  }
}

/** The names of the Secrets that an endpoint refers to. */
export function secretNames({ spec }: AgentEndpoint): readonly string[] {
  const { clientCertificateRefs = [], tlsTermination } = spec;
  const names = [
    ...clientCertificateRefs,
    tlsTermination?.serverCertificateRef,
    tlsTermination?.mutualTLS?.clientCAsRef,
  ].flatMap((ref) => (ref === undefined ? [] : [ref.name]));
  return [...new Set(names)];
}

/** Whether one endpoint can stand for the other: nothing that matters differs. */
export function sameEndpoint(a: AgentSpec, b: AgentSpec): boolean {
  // Both were made here, so that equal ones are equal texts.
  const text = (spec: AgentSpec): string => JSON.stringify({ ...spec, trafficPolicy: "" });
  return samePolicy(a.trafficPolicy, b.trafficPolicy) && text(a) === text(b);
}

/** What failed, as it stands in the status. */
export function problemOf(error: unknown): Problem {
  const { message, hint } = known(error);
  return { is: "problem", reason: reasonOf(error), why: hint === undefined ? message : `${message}: ${hint}` };
}

function reasonOf(error: unknown): Problem["reason"] {
  if (known(error).code === code.configuration) return "ConfigurationError";
  return blamesPolicy(error) ? "TrafficPolicyError" : "NgrokAPIError";
}

/** @param assignedURL where this agent serves, also when that is by an older spec. */
export function entryOf(
  assignedURL: string | undefined,
  problem?: Problem,
): Omit<AgentReplica, "pod" | "observedGeneration"> {
  const where = assignedURL === undefined ? {} : { assignedURL };
  if (problem === undefined) return { ...where, reason: "EndpointCreated" };
  return { ...where, reason: problem.reason, message: problem.why.slice(0, REPLICA_MESSAGE_LIMIT) };
}

class Missing extends Error {
  readonly reason: Problem["reason"];

  constructor(reason: Problem["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

function keyPairOf(secretOf: SecretOf, name: string): KeyPair {
  return { cert: partOf(secretOf, name, "tls.crt"), key: partOf(secretOf, name, "tls.key") };
}

function terminationOf(
  given: AgentEndpoint["spec"]["tlsTermination"],
  secretOf: SecretOf,
): AgentTermination | undefined {
  if (given === undefined) return undefined;
  const { serverCertificateRef, mutualTLS } = given;
  if (serverCertificateRef === undefined)
    throw new Missing("ConfigurationError", "spec.tlsTermination: name a Secret in serverCertificateRef");
  const pair = keyPairOf(secretOf, serverCertificateRef.name);
  if (mutualTLS === undefined) return pair;
  const clientCAs = partOf(secretOf, mutualTLS.clientCAsRef.name, "ca.crt");
  return { ...pair, clientCAs, required: mutualTLS.mode !== "request" };
}

function partOf(secretOf: SecretOf, name: string, key: string): string {
  const secret = secretOf(name);
  if (secret === undefined)
    throw new Missing("SecretNotFound", `Secret ${name} is not in the endpoint's namespace: create it or name another`);
  const value = secret.data?.[key];
  if (value === undefined || value === "")
    throw new Missing("ConfigurationError", `Secret ${name} has no ${key}: put it there, PEM, or name another Secret`);
  return Buffer.from(value, "base64").toString();
}

/**
 * Agents cannot give an endpoint a description, so it goes into the metadata, where that is an object: text of a user's own
 * form stays as it is.
 */
function withDescription(metadata: string, description: string | undefined): string {
  if (description === undefined || description === "") return metadata;
  const given = metadata === "" ? {} : parsed(metadata);
  if (given === undefined || "description" in given || isTooDeep(given)) return metadata;
  return JSON.stringify({ ...given, description });
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
