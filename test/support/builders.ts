// Objects for tests, each a good one of its kind as the API server stores it: say only what the test is about.
// Overrides go deep; a list replaces the list, and undefined takes the field away.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { built, type Overrides } from "./overrides.ts";

const metadata = '{"owned-by":"ngrok-operator"}';

function own<T extends OwnObject>(kind: OwnKind<T>, object: NoInfer<T>, overrides: Overrides<NoInfer<T>>): T {
  const type = { apiVersion: `${kind.group}/${kind.versions[0]}`, kind: kind.kind };
  return built({ ...type, ...object }, overrides);
}

export function aCloudEndpoint(overrides: Overrides<CloudEndpoint> = {}): CloudEndpoint {
  const object: CloudEndpoint = {
    metadata: { name: "web", namespace: "default" },
    spec: { url: "https://web.example.com", description: "Created by the ngrok-operator", metadata },
  };
  return own(CloudEndpoint, object, overrides);
}

export function aDomain(overrides: Overrides<Domain> = {}): Domain {
  const object: Domain = {
    metadata: { name: "web-example-com", namespace: "default" },
    spec: { domain: "web.example.com", description: "Created by ngrok-operator", metadata, reclaimPolicy: "Delete" },
  };
  return own(Domain, object, overrides);
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
  return own(IPPolicy, object, overrides);
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
  return own(AgentEndpoint, object, overrides);
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
  return own(BoundEndpoint, object, overrides);
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
  return own(KubernetesOperator, object, overrides);
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
  return own(NgrokTrafficPolicy, object, overrides);
}
