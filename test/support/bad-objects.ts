// Objects that the API server must refuse, each with what its refusal has to name: the field, and the remedy if CEL tells.
import type { KubeObject } from "#kube/kind.ts";
import {
  aBoundEndpoint,
  aCloudEndpoint,
  aDomain,
  anAgentEndpoint,
  aKubernetesOperator,
  anIPPolicy,
  anNgrokTrafficPolicy,
} from "./builders.ts";
import { built } from "./overrides.ts";

export interface BadObject {
  /** What is wrong, as the end of "refuses ...". */
  readonly what: string;
  readonly object: KubeObject;
  /** A part of the refusal. */
  readonly expected: string;
}

/** A good object with a field that its type does not allow. */
function spoiled(object: KubeObject, spec: Record<string, unknown>): KubeObject {
  return built<object>(object, { spec }) as KubeObject;
}

function withRule(rule: Record<string, unknown>): KubeObject {
  return spoiled(anIPPolicy(), { rules: [{ cidr: "203.0.113.0/24", action: "allow", ...rule }] });
}

const cel = {
  cloud: "spec.trafficPolicy.inline and spec.trafficPolicy.targetRef cannot both be set",
  agent: "exactly one of inline or targetRef must be set on trafficPolicy",
  tls: "spec.url must be a tls:// URL when tlsTermination is set",
};

const cloudEndpoints: readonly BadObject[] = [
  {
    what: "a CloudEndpoint without a url",
    object: aCloudEndpoint({ spec: { url: undefined } }),
    expected: "spec.url: Required value",
  },
  {
    what: "a url that is no text",
    object: spoiled(aCloudEndpoint(), { url: 443 }),
    expected: "spec.url: Invalid value",
  },
  {
    what: "two bindings",
    object: aCloudEndpoint({ spec: { bindings: ["public", "internal"] } }),
    expected: "spec.bindings: Too many",
  },
  {
    what: "an unknown binding",
    object: aCloudEndpoint({ spec: { bindings: ["private"] } }),
    expected: "spec.bindings[0]: Invalid value",
  },
  {
    what: "a policy in place and by name at once",
    object: aCloudEndpoint({ spec: { trafficPolicy: { inline: {}, targetRef: { name: "hello" } } } }),
    expected: cel.cloud,
  },
  {
    what: "a reference to a policy without its name",
    object: aCloudEndpoint({ spec: { trafficPolicy: { targetRef: { name: undefined } } } }),
    expected: "spec.trafficPolicy.targetRef.name: Required value",
  },
];

const agentEndpoints: readonly BadObject[] = [
  {
    what: "an AgentEndpoint without an upstream",
    object: anAgentEndpoint({ spec: { upstream: undefined } }),
    expected: "spec.upstream: Required value",
  },
  {
    what: "an upstream without a url",
    object: anAgentEndpoint({ spec: { upstream: { url: undefined } } }),
    expected: "spec.upstream.url: Required value",
  },
  {
    what: "an unknown upstream protocol",
    object: spoiled(anAgentEndpoint(), { upstream: { protocol: "http3" } }),
    expected: "spec.upstream.protocol: Unsupported value",
  },
  {
    what: "an unknown PROXY protocol version",
    object: spoiled(anAgentEndpoint(), { upstream: { proxyProtocolVersion: "3" } }),
    expected: "spec.upstream.proxyProtocolVersion: Unsupported value",
  },
  {
    what: "a traffic policy that is neither in place nor named",
    object: anAgentEndpoint({ spec: { trafficPolicy: {} } }),
    expected: cel.agent,
  },
  {
    what: "a traffic policy that is both in place and named",
    object: anAgentEndpoint({ spec: { trafficPolicy: { inline: {}, targetRef: { name: "hello" } } } }),
    expected: cel.agent,
  },
  {
    what: "TLS termination of an https:// endpoint",
    object: anAgentEndpoint({ spec: { tlsTermination: { serverCertificateRef: { name: "tls" } } } }),
    expected: cel.tls,
  },
  {
    what: "an unknown mode of mutual TLS",
    object: spoiled(anAgentEndpoint(), {
      url: "tls://db.example.com",
      tlsTermination: { mutualTLS: { clientCAsRef: { name: "ca" }, mode: "optional" } },
    }),
    expected: "spec.tlsTermination.mutualTLS.mode: Unsupported value",
  },
];

const domainsAndPolicies: readonly BadObject[] = [
  {
    what: "a Domain without its host",
    object: aDomain({ spec: { domain: undefined } }),
    expected: "spec.domain: Required value",
  },
  {
    what: "an unknown reclaim policy",
    object: spoiled(aDomain(), { reclaimPolicy: "Recycle" }),
    expected: "spec.reclaimPolicy: Unsupported value",
  },
  {
    what: "a point of presence without a value",
    object: spoiled(aDomain(), { resolvesTo: [{}] }),
    expected: "spec.resolvesTo[0].value: Required value",
  },
  {
    what: "an address without a prefix length",
    object: withRule({ cidr: "203.0.113.7" }),
    expected: "spec.rules[0].cidr: Invalid value",
  },
  {
    what: "an IPv4 prefix of 33 bits",
    object: withRule({ cidr: "203.0.113.0/33" }),
    expected: "spec.rules[0].cidr: Invalid value",
  },
  {
    what: "an IPv6 prefix of 129 bits",
    object: withRule({ cidr: "2001:db8::/129" }),
    expected: "spec.rules[0].cidr: Invalid value",
  },
  {
    what: "a rule with an unknown action",
    object: withRule({ action: "block" }),
    expected: "spec.rules[0].action: Unsupported value",
  },
  {
    what: "a rule without an action",
    object: withRule({ action: undefined }),
    expected: "spec.rules[0].action: Required value",
  },
  {
    what: "a rule with a long description",
    object: withRule({ description: "x".repeat(256) }),
    expected: "spec.rules[0].description: Too long",
  },
  {
    what: "a traffic policy that is text",
    object: spoiled(anNgrokTrafficPolicy(), { policy: "on_http_request: []" }),
    expected: "spec.policy: Invalid value",
  },
];

const operatorsAndBindings: readonly BadObject[] = [
  {
    what: "an unknown drain policy",
    object: spoiled(aKubernetesOperator(), { drain: { policy: "Purge" } }),
    expected: "spec.drain.policy: Unsupported value",
  },
  {
    what: "an unknown feature",
    object: spoiled(aKubernetesOperator(), { enabledFeatures: ["edges"] }),
    expected: "spec.enabledFeatures[0]: Unsupported value",
  },
  {
    what: "a binding without selectors",
    object: spoiled(aKubernetesOperator(), { binding: {} }),
    expected: "spec.binding.endpointSelectors: Required value",
  },
  {
    what: "a bound address without a namespace",
    object: aBoundEndpoint({ spec: { endpointURL: "http://billing:80" } }),
    expected: "spec.endpointURL: Invalid value",
  },
  {
    what: "a bound endpoint with an unknown scheme",
    object: spoiled(aBoundEndpoint(), { scheme: "udp" }),
    expected: "spec.scheme: Unsupported value",
  },
  {
    what: "a bound endpoint without its target",
    object: aBoundEndpoint({ spec: { target: undefined } }),
    expected: "spec.target: Required value",
  },
  {
    what: "a target with another protocol",
    object: spoiled(aBoundEndpoint(), { target: { protocol: "UDP" } }),
    expected: "spec.target.protocol: Unsupported value",
  },
  {
    what: "a target port that is text",
    object: spoiled(aBoundEndpoint(), { target: { port: "http" } }),
    expected: "spec.target.port: Invalid value",
  },
];

export const badObjects: readonly BadObject[] = [
  ...cloudEndpoints,
  ...agentEndpoints,
  ...domainsAndPolicies,
  ...operatorsAndBindings,
];
