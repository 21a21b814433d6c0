// The only vocabulary of rights. Definitions say what they need and why; the chart's Roles are generated from that
// (scripts/generate) and the drain's preflight asks the API server for the same list.
import type { Kind } from "#kube/kind.ts";
import type { ReleaseNames } from "./release.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
export type Feature = "ingress" | "gateway" | "bindings";
/**
 * - a feature: it is on.
 * - noClusterRights: there is no right to anything outside the namespaces (`rbac.cluster=false`).
 * - operatorIsMade: the KubernetesOperator stands in no manifest that others apply (`gitops.argocd=false`).
 */
export type Condition = Feature | "noClusterRights" | "operatorIsMade";

/**
 * - watch: in the watched namespace, or in all.
 * - release: in the release namespace.
 * - cluster: cluster-wide in every mode; dropped altogether by `rbac.cluster=false`.
 */
export type Scope = "watch" | "release" | "cluster";

export interface Rule {
  readonly kind: Kind;
  /** The subresource `status`, else the object itself. */
  readonly part?: "status";
  readonly verbs: readonly Verb[];
  readonly scope: Scope;
  /** Only the objects with these names of the release; `create` cannot be limited so. */
  readonly named?: keyof ReleaseNames | readonly (keyof ReleaseNames)[];
  /** Only these object names, for names that do not come from the release (our CRDs). */
  readonly names?: readonly string[];
  readonly when?: Condition;
  /** One sentence for chart/RBAC.md. */
  readonly why: string;
}

export interface AllowOptions extends Omit<Rule, "kind" | "verbs" | "scope"> {
  readonly scope?: Scope;
}

/** The names of the release that a rule is limited to; undefined when it is not limited so. */
export function namedBy({ named }: Pick<Rule, "named">): readonly (keyof ReleaseNames)[] | undefined {
  return typeof named === "string" ? [named] : named;
}

/** One right: these verbs on this kind, in scope `watch` unless said otherwise. */
export function allow(kind: Kind, verbs: readonly Verb[], { scope = "watch", ...rest }: AllowOptions): Rule {
  return { kind, verbs, scope, ...rest };
}
