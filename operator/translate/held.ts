// Reads from the caches whatever features are on: of a kind that nobody watches there is nothing.
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import { ReferenceGrant } from "#kube/kinds.ts";
import { GRANTS_IN } from "./gateway/grants.ts";
import { byKey, inNamespace } from "./manifests.ts";
import type { Manifests } from "./model.ts";

/** What the runtime's caches are here. */
export interface Held {
  /** Whether anybody watches the kind, with that index over it. */
  has(kind: Kind, index?: string): boolean;
  get<T extends KubeObject>(kind: Kind<T>, at: Ref): T | undefined;
  by<T extends KubeObject>(kind: Kind<T>, index: string, value: string): readonly T[];
  all<T extends KubeObject>(kind: Kind<T>): Iterable<T>;
}

export function heldBy<T extends KubeObject>(held: Held, kind: Kind<T>, index: string, value: string): readonly T[] {
  return held.has(kind, index) ? held.by(kind, index, value) : [];
}

/** Sorted by `namespace/name`. */
export function allHeld<T extends KubeObject>(held: Held, kind: Kind<T>): readonly T[] {
  return held.has(kind) ? byKey(held.all(kind)) : [];
}

/** Objects by their names alone. */
export function byName(held: Held): Manifests {
  return withLists(held, []);
}

/** Objects by their names, ReferenceGrants by their namespaces, and of these kinds these objects, in any order. */
export function withLists(held: Held, lists: Iterable<readonly [Kind, Iterable<KubeObject>]>): Manifests {
  const sorted = new Map([...lists].map(([{ plural }, objects]) => [plural, byKey(objects)]));
  return {
    get: <T extends KubeObject>(kind: Kind<T>, at: Ref) => (held.has(kind) ? held.get(kind, at) : undefined),
    list: <T extends KubeObject>(kind: Kind<T>, namespace?: string) =>
      namespace !== undefined && kind.plural === ReferenceGrant.plural
        ? byKey(heldBy(held, kind, GRANTS_IN, namespace))
        : inNamespace((sorted.get(kind.plural) ?? []) as readonly KubeObject[] as readonly T[], namespace),
  };
}
