// The seven kinds that we bring to a cluster, for whoever treats them all alike: CRDs, rights, tests.
import { AgentEndpoint } from "./agent-endpoint.ts";
import { BoundEndpoint } from "./bound-endpoint.ts";
import { CloudEndpoint } from "./cloud-endpoint.ts";
import type { OwnKind } from "./define-kind.ts";
import { Domain } from "./domain.ts";
import { IPPolicy } from "./ip-policy.ts";
import { KubernetesOperator } from "./kubernetes-operator.ts";
import { NgrokTrafficPolicy } from "./traffic-policy.ts";

export const ownKinds: readonly OwnKind[] = [
  AgentEndpoint,
  BoundEndpoint,
  CloudEndpoint,
  Domain,
  IPPolicy,
  KubernetesOperator,
  NgrokTrafficPolicy,
];
