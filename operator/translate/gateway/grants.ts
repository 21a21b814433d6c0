// ReferenceGrant: whether an object may name one in another namespace, and which references a grant is about.
import type { KubeObject } from "#kube/kind.ts";
import { ReferenceGrant } from "#kube/kinds.ts";
import type { ReferenceGrantObject } from "#kube/routing-objects.ts";
import { GATEWAY_GROUP, namespaceOf, type View } from "./view.ts";

export const GRANTS_IN = "grants-in";

/** Over ReferenceGrants: who asks for what lies in a namespace looks at the grants of that namespace alone. */
export const grantIndexes = {
  [GRANTS_IN]: ({ metadata }: KubeObject) => [metadata.namespace ?? ""],
} as const;

export interface From {
  /** Of Gateway API: a Gateway or a route. */
  readonly kind: string;
  readonly namespace: string;
}

export interface To {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One's own namespace is always allowed, another one needs a grant there. */
export function isPermitted({ manifests, options }: View, from: From, to: To): boolean {
  if (from.namespace === to.namespace || !options.referenceGrants) return true;
  return manifests
    .list(ReferenceGrant, to.namespace)
    .some(
      ({ spec }) =>
        (spec?.from ?? []).some(
          (one) => same(one.group, GATEWAY_GROUP) && same(one.kind, from.kind) && same(one.namespace, from.namespace),
        ) &&
        (spec?.to ?? []).some(
          (one) =>
            same(one.group ?? "", to.group) &&
            same(one.kind, to.kind) &&
            (one.name === undefined || one.name === "" || same(one.name, to.name)),
        ),
    );
}

/** The remedy, for the end of a problem's sentence. */
export function grantWanted(from: From, to: To): string {
  return `create a ReferenceGrant in namespace ${to.namespace} from ${from.kind} in ${from.namespace} to ${to.kind} ${to.name}`;
}

/** A reference into another namespace, as it is found by the grants that are about it: some name it, some name none. */
export function needOf(namespace: string, to: Omit<To, "group">): string[] {
  return [to.name, ""].map((name) => textOf(namespace, { ...to, name }));
}

/** In whatever namespace a Service stands, there its agents look for the certificate that a Gateway shows to it. */
export const ANYWHERE = "";

/** The needs that a grant is about, of objects of one kind: in its own namespace, or as they are written for ANYWHERE. */
export function needsMetBy(grant: ReferenceGrantObject, kind: string, place = namespaceOf(grant)): string[] {
  const from = (grant.spec?.from ?? []).filter((one) => same(one.group, GATEWAY_GROUP) && same(one.kind, kind));
  const to = (grant.spec?.to ?? []).filter(({ group }) => (group ?? "") === "");
  const needs = from.flatMap(({ namespace }) =>
    to.map((one) => textOf(namespace, { kind: one.kind, namespace: place, name: one.name ?? "" })),
  );
  return [...new Set(needs)];
}

function textOf(from: string, { kind, namespace, name }: Omit<To, "group">): string {
  return `${from} ${kind} ${namespace}/${name}`.toLowerCase();
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
