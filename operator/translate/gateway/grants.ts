// ReferenceGrant: whether an object may name one in another namespace.
import { ReferenceGrant } from "#kube/kinds.ts";
import { GATEWAY_GROUP, namespaceOf, type View } from "./view.ts";

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
    .list(ReferenceGrant)
    .filter((grant) => namespaceOf(grant) === to.namespace)
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

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
