// Which rights the chart grants, and which were used: the rules of rendered Roles against the API server's audit log.
// It matches by itself, as RBAC does, and shares nothing with the code that asks for the rights.
import type { KubeObject } from "#kube/kind.ts";
import type { AuditEvent } from "./audit.ts";

/** The narrowest unit of a Role: one verb on one resource in one place, for one account. */
export interface Grant {
  /** `<namespace>/<ServiceAccount>` */
  readonly account: string;
  /** `ClusterRole ngrok-operator-drain` */
  readonly role: string;
  /** Undefined: in the whole cluster. */
  readonly namespace: string | undefined;
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `domains/status`. */
  readonly resource: string;
  /** Undefined: whatever its name. */
  readonly name: string | undefined;
}

interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

type RoleObject = KubeObject & { readonly rules?: readonly PolicyRule[] };
type BindingObject = KubeObject & {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
};

/** Every grant that the bindings among these objects give to ServiceAccounts. Throws at a wildcard, which grants what nobody counts. */
export function grantsOf(objects: readonly KubeObject[]): Grant[] {
  const bindings = objects.filter(({ kind }) => kind === "ClusterRoleBinding" || kind === "RoleBinding");
  return (bindings as BindingObject[]).flatMap(({ kind, metadata, roleRef, subjects }) => {
    const namespace = kind === "RoleBinding" ? metadata.namespace : undefined;
    const role = objects.find(
      (one) =>
        one.kind === roleRef.kind &&
        one.metadata.name === roleRef.name &&
        (roleRef.kind === "ClusterRole" || one.metadata.namespace === namespace),
    ) as RoleObject | undefined;
    if (role === undefined)
      throw new Error(`${kind} ${metadata.name} names ${roleRef.kind} ${roleRef.name}: not there`);
    return subjects.flatMap((subject) => {
      const account = `${subject.namespace ?? ""}/${subject.name}`;
      const units = (role.rules ?? []).flatMap(unitsOf);
      return units.map((unit) => ({ account, role: `${roleRef.kind} ${roleRef.name}`, namespace, ...unit }));
    });
  });
}

function unitsOf(rule: PolicyRule): Pick<Grant, "verb" | "group" | "resource" | "name">[] {
  const { apiGroups, resources, verbs } = rule;
  const names: readonly (string | undefined)[] = rule.resourceNames ?? [undefined];
  if ([...apiGroups, ...resources, ...verbs].includes("*")) throw new Error(`a wildcard: ${JSON.stringify(rule)}`);
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => names.flatMap((name) => verbs.map((verb) => ({ verb, group, resource, name })))),
  );
}

/** What an account asked the API server for, once for each kind of question. */
export interface Asked {
  readonly account: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** `<namespace>/<ServiceAccount>` of who asked; undefined for who is none. */
export function accountOf({ user }: AuditEvent): string | undefined {
  const [, namespace, name] = ACCOUNT.exec(user.username) ?? [];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

/** Whether RBAC said no. What an admission plugin or a webhook refuses was allowed first. */
export function isDenied({ annotations }: AuditEvent): boolean {
  return annotations?.["authorization.k8s.io/decision"] === "forbid";
}

/** The allowed requests for objects, each once. */
export function askedFor(events: readonly AuditEvent[]): Asked[] {
  const all = new Map<string, Asked>();
  for (const event of events) {
    const { verb, objectRef } = event;
    const account = accountOf(event);
    if (account === undefined || objectRef === undefined || isDenied(event)) continue;
    const { apiGroup: group = "", subresource, namespace, name } = objectRef;
    const resource = subresource === undefined ? objectRef.resource : `${objectRef.resource}/${subresource}`;
    const asked = { account, verb, group, resource, namespace, name };
    all.set(JSON.stringify(asked), asked);
  }
  return [...all.values()];
}

/** As RBAC decides. */
export function allows(grant: Grant, asked: Asked): boolean {
  return (
    grant.account === asked.account &&
    grant.verb === asked.verb &&
    grant.group === asked.group &&
    grant.resource === asked.resource &&
    (grant.namespace === undefined || grant.namespace === asked.namespace) &&
    (grant.name === undefined || grant.name === asked.name)
  );
}

/** The grants without which one of these requests had been refused: nothing else allows it. */
export function needed(grants: readonly Grant[], asked: readonly Asked[]): ReadonlySet<Grant> {
  const found = new Set<Grant>();
  for (const one of asked) {
    const [only, ...others] = grants.filter((grant) => allows(grant, one));
    if (only !== undefined && others.length === 0) found.add(only);
  }
  return found;
}

/** Whether another of these grants allows everything that this one does. */
export function isCovered(grant: Grant, grants: readonly Grant[]): boolean {
  return grants.some((other) => other !== grant && allows(other, grant));
}

/** `ops/ngrok-drain: patch ingresses.networking.k8s.io everywhere (ClusterRole ngrok-drain)`, for people. */
export function textOf({ account, verb, group, resource, name, namespace, role }: Grant): string {
  const kind = group === "" ? resource : `${resource}.${group}`;
  const one = name === undefined ? "" : ` ${name}`;
  return `${account}: ${verb} ${kind}${one} ${namespace === undefined ? "everywhere" : `in ${namespace}`} (${role})`;
}
