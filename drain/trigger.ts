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

export function dutyOf(signs: Signs): Duty {
  const { state, operator, crdTerminating, stoodBy } = signs;
  switch (state.phase) {
    case "Unknown":
      // A release namespace that goes may have lost the state already; the deleting KubernetesOperator suffices.
      return operator?.deleting === true
        ? driveFor(signs, operator.policy, state.wish)
        : { is: "idle", why: state.why };
    case "Open":
      if (operator?.deleting === true) return driveFor(signs, operator.policy, state.wish);
      return crdTerminating ? MASS_DELETION : { is: "reconcile" };
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

/** Nobody asked for an uninstall: whatever the policy is, nothing at ngrok may be destroyed for it. */
const MASS_DELETION: Duty = {
  is: "drive",
  policy: "Retain",
  why: "one of our CustomResourceDefinitions is being deleted, or may be",
};

/** A KubernetesOperator that is deleted while a CRD goes may only have been taken along. */
function driveFor({ crdTerminating }: Signs, policy: DrainPolicy, wish: DrainPolicy | undefined): Duty {
  if (crdTerminating) return MASS_DELETION;
  return { is: "drive", policy: wish ?? policy, why: "the KubernetesOperator is being deleted" };
}
