// Roles from the rights that definitions ask for. One subject (a pod or a hook) has up to three: for what it watches,
// for its own namespace, and for the cluster; where each stands depends on the mode, which only Helm knows.
import { type Condition, namedBy, type Rule, type Scope, type Verb } from "#api/rbac.ts";
import { nameExpression } from "./helm-names.ts";

const VERBS: readonly Verb[] = ["get", "list", "watch", "create", "update", "patch", "delete"];

const CONDITIONS: Readonly<Record<Condition, string>> = {
  ingress: ".Values.ingress.enabled",
  // Whose a Gateway is stands in its class, which is an object of the cluster.
  gateway: "and .Values.gateway.enabled .Values.rbac.cluster",
  bindings: ".Values.bindings.enabled",
  noClusterRights: "not .Values.rbac.cluster",
  operatorIsMade: "not .Values.gitops.argocd",
};

/** One entry of `rules:`, with the Helm condition under which it is there. */
export interface PolicyRule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly names: readonly string[];
  readonly verbs: readonly Verb[];
  readonly when: string;
}

/** A Role or ClusterRole with its binding, as rights.hbs renders them. */
export interface Role {
  /** Helm condition; "" when it is always there. */
  readonly when: string;
  readonly cluster: boolean;
  /** Helm expressions. */
  readonly name: string;
  readonly binding: string;
  readonly namespace: string;
  readonly rules: readonly PolicyRule[];
}

/** Who gets the rights, and how the objects are called. All are Helm expressions without braces. */
export interface Subject {
  readonly rules: readonly Rule[];
  /** True when what is watched is all namespaces, or has to be granted as if it were. */
  readonly wide: string;
  readonly names: {
    /** ClusterRole when `wide`. */
    readonly wide: readonly [role: string, binding: string];
    /** ClusterRole when not `wide`. */
    readonly cluster: readonly [role: string, binding: string];
    readonly watch: readonly [role: string, binding: string];
    readonly release: readonly [role: string, binding: string];
  };
}

const WATCHED = `include "ngrok-operator.watchNamespace" .`;

/** The Role in the watched namespace, when there is one. */
export function watchRole({ rules, wide, names }: Subject): Role[] {
  const [name, binding] = names.watch;
  return withRules({
    when: `not (${wide})`,
    cluster: false,
    name,
    binding,
    namespace: WATCHED,
    rules: policy(rules, ["watch"]),
  });
}

/** The Role in the release namespace, and the ClusterRole of either mode. */
export function ownRoles({ rules, wide, names }: Subject): Role[] {
  const outside = { cluster: true, namespace: "" };
  // What stands in for cluster rights has no place where there are some: the checks refuse to watch all without them.
  const beyond = rules.filter(({ when }) => when !== "noClusterRights");
  const all = policy(beyond, ["watch", "cluster"]);
  const [wideName, wideBinding] = names.wide;
  const [clusterName, clusterBinding] = names.cluster;
  const [name, binding] = names.release;
  return [
    ...withRules({ ...outside, when: wide, name: wideName, binding: wideBinding, rules: all }),
    ...withRules({
      ...outside,
      when: `and .Values.rbac.cluster (not (${wide}))`,
      name: clusterName,
      binding: clusterBinding,
      rules: policy(beyond, ["cluster"]),
    }),
    ...withRules({
      when: "",
      cluster: false,
      name,
      binding,
      namespace: ".Release.Namespace",
      rules: policy(rules, ["release"]),
    }),
  ];
}

/** A condition that all its rules have is the Role's own: with none of them it would be there for nothing. */
function withRules(role: Role): Role[] {
  const [first, ...others] = role.rules;
  if (first === undefined) return [];
  if (others.some(({ when }) => when !== first.when)) return [role];
  return [{ ...role, when: both(role.when, first.when), rules: role.rules.map((rule) => ({ ...rule, when: "" })) }];
}

/** One Helm condition of two; "" is always true. */
export function both(one: string, other: string): string {
  if (one === "" || other === "") return one || other;
  return `and (${one}) (${other})`;
}

/** The rules of these scopes, each right once, resources with the same verbs together. */
export function policy(rules: readonly Rule[], scopes: readonly Scope[]): readonly PolicyRule[] {
  const rights = rules.filter((rule) => scopes.includes(rule.scope)).flatMap(rightsIn);
  const kept = rights.filter((right) => !rights.some((other) => other !== right && covers(other, right)));
  const byPlace = Map.groupBy(kept, ({ group, resource, names, when }) =>
    JSON.stringify([group, resource, names, when]),
  );
  const merged = [...byPlace.values()].map(([first, ...rest]) => {
    if (first === undefined) throw new Error("a group is never empty");
    const verbs = new Set([first.verb, ...rest.map((right) => right.verb)]);
    return { ...first, verbs: VERBS.filter((verb) => verbs.has(verb)) };
  });
  const byVerbs = Map.groupBy(merged, ({ group, verbs, names, when }) => JSON.stringify([group, verbs, names, when]));
  return [...byVerbs.values()]
    .map(([first, ...rest]) => {
      if (first === undefined) throw new Error("a group is never empty");
      const resources = [first, ...rest].map(({ resource }) => resource).toSorted();
      return { group: first.group, resources, names: first.names, verbs: first.verbs, when: first.when };
    })
    .toSorted((a, b) => compare(sortKey(a), sortKey(b)));
}

/** The narrowest unit: one verb on one resource. */
interface Right {
  readonly group: string;
  readonly resource: string;
  readonly names: readonly string[];
  readonly verb: Verb;
  readonly when: string;
}

function rightsIn(rule: Rule): Right[] {
  const { kind, part } = rule;
  const names = [
    ...(namedBy(rule) ?? []).map((name) => `{{ ${nameExpression(name)} | quote }}`),
    ...(rule.names ?? []),
  ];
  return rule.verbs.map((verb) => ({
    group: kind.group,
    resource: part === undefined ? kind.plural : `${kind.plural}/${part}`,
    // The API server knows no name yet when it authorises a create.
    names: verb === "create" ? [] : names,
    verb,
    when: rule.when === undefined ? "" : CONDITIONS[rule.when],
  }));
}

/** Whether `wide` grants all of `narrow`, whatever the values are; of two equals the first counts. */
function covers(wide: Right, narrow: Right): boolean {
  if (wide.group !== narrow.group || wide.resource !== narrow.resource || wide.verb !== narrow.verb) return false;
  const names = wide.names.length === 0 ? narrow.names.length > 0 : false;
  const condition = wide.when === "" && narrow.when !== "";
  const sameNames = JSON.stringify(wide.names) === JSON.stringify(narrow.names);
  const sameCondition = wide.when === narrow.when;
  return (names && (condition || sameCondition)) || (sameNames && condition);
}

function sortKey(rule: PolicyRule): string {
  return [rule.group, rule.resources[0], rule.names.join(), rule.when, rule.verbs.join()].join("\u0000");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
