// The policy that the next drain of an install would follow, and who says so: pure.
import { drainPolicyOf, type KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { DrainState } from "#drain/state.ts";

export interface PolicyInForce {
  readonly policy: DrainPolicy;
  readonly from: "the drain state" | "the chart" | "the KubernetesOperator" | "nobody; Retain is the default";
}

/** A sealed or wished-for policy wins; then what the chart was told, as decision of the last Helm revision. */
export function policyInForce(
  state: DrainState,
  chart: DrainPolicy | undefined,
  operator: KubernetesOperator | undefined,
): PolicyInForce {
  if ("policy" in state) return { policy: state.policy, from: "the drain state" };
  if (state.wish !== undefined) return { policy: state.wish, from: "the drain state" };
  if (chart !== undefined) return { policy: chart, from: "the chart" };
  if (operator !== undefined) return { policy: drainPolicyOf(operator), from: "the KubernetesOperator" };
  return { policy: "Retain", from: "nobody; Retain is the default" };
}
