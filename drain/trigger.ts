// What the holder of the write token has to do now: pure, from the drain state and the KubernetesOperator as they are.
import type { DrainPolicy } from "#api/schema.ts";
import type { DrainState } from "./state.ts";

export interface Signs {
  readonly state: DrainState;
  /** Undefined when there is none. */
  readonly operator: { readonly deleting: boolean; readonly policy: DrainPolicy } | undefined;
  /** One of our CRDs is terminating although nobody uninstalls us: somebody deletes it, or another release that owns it. */
  readonly crdTerminating: boolean;
  /** The Lease was free, or nobody renewed it, for 15 s before we took it: then the hook that marked is gone. */
  readonly stoodBy: boolean;
}

/**
 * - reconcile: the ordinary work.
 * - drive: drain, sealing this policy unless one is sealed already.
 * - yield: a hook drives; end all calls and free the Lease.
 * - idle: write nothing, hold nothing.
 */
export type Duty =
  | { readonly is: "reconcile" }
  | { readonly is: "drive"; readonly policy: DrainPolicy; readonly why: string }
  | { readonly is: "yield" }
  | { readonly is: "idle"; readonly why: string };

export function dutyOf({ state, operator, crdTerminating, stoodBy }: Signs): Duty {
  switch (state.phase) {
    case "Unknown":
      // A release namespace that goes may have lost the state already; the deleting KubernetesOperator suffices.
      if (operator?.deleting === true)
        return { is: "drive", policy: state.wish ?? operator.policy, why: "the KubernetesOperator is being deleted" };
      return { is: "idle", why: state.why };
    case "Open":
      if (operator?.deleting === true) {
        const policy = state.wish ?? operator.policy;
        return { is: "drive", policy, why: "the KubernetesOperator is being deleted" };
      }
      // Nobody asked for an uninstall: whatever the policy is, nothing at ngrok may be destroyed for it.
      if (crdTerminating)
        return { is: "drive", policy: "Retain", why: "one of our CustomResourceDefinitions is being deleted" };
      return { is: "reconcile" };
    case "Draining":
      if (state.driver !== "leader" && !stoodBy) return { is: "yield" };
      return {
        is: "drive",
        policy: state.policy,
        why: state.driver === "leader" ? "this drain is ours" : `${state.by} began it and is gone`,
      };
    case "Drained":
      // Drained and still there: whoever drained did not get to the last step.
      if (operator !== undefined && stoodBy)
        return { is: "drive", policy: state.policy, why: "the KubernetesOperator is still there" };
      return { is: "idle", why: "this install is drained" };
  }
}
