// Manifests out of a plain list of objects: what files and tests hold. The runtime's caches are looked at by a view of
// their own, of the same shape.
import { type Kind, keyOf, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import type { Manifests } from "./model.ts";

/**
 * `objects` in any order and of any kinds, each with apiVersion and kind; of two under one name the later wins. Versions
 * of a kind are not told apart: what we read is the same in all of them.
 */
export function index(objects: readonly KubeObject[]): Manifests {
  const kinds = new Map<string, Map<string, KubeObject>>();
  for (const object of objects) {
    const name = `${groupOf(object.apiVersion ?? "")}/${object.kind ?? ""}`;
    const held = kinds.get(name) ?? new Map<string, KubeObject>();
    kinds.set(name, held.set(keyOf(refOf(object)), object));
  }
  const ofKind = ({ group, kind }: Kind): ReadonlyMap<string, KubeObject> => kinds.get(`${group}/${kind}`) ?? new Map();
  const sorted = new Map<string, readonly KubeObject[]>();
  return {
    get: <T extends KubeObject>(kind: Kind<T>, at: Ref) => ofKind(kind).get(keyOf(at)) as T | undefined,
    list: <T extends KubeObject>(kind: Kind<T>, namespace?: string) => {
      const name = `${kind.group}/${kind.kind}`;
      const known = (sorted.get(name) ?? byKey(ofKind(kind).values())) as readonly T[];
      sorted.set(name, known);
      return inNamespace(known, namespace);
    },
  };
}

/** Those of the namespace, or all; one that a file leaves out is what kubectl would make of it. */
export function inNamespace<T extends KubeObject>(objects: readonly T[], namespace: string | undefined): readonly T[] {
  if (namespace === undefined) return objects;
  return objects.filter(({ metadata }) => (metadata.namespace ?? "default") === namespace);
}

/** Sorted by `namespace/name`, by code points: the same everywhere. */
export function byKey<T extends KubeObject>(objects: Iterable<T>): T[] {
  return [...objects]
    .map((object) => ({ object, key: keyOf(refOf(object)) }))
    .toSorted((a, b) => compareText(a.key, b.key))
    .map(({ object }) => object);
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}
