// The objects of a manifest, whether they stand in documents of their own or in a List.
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#kube/kind.ts";

/**
 * In the manifest's order, as the type that the reader expects of them; what is empty is no object. Throws at the first
 * document that is no YAML.
 */
export function objectsIn<T = KubeObject>(text: string): T[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object = document.toJS() as { readonly kind: string; readonly items?: readonly T[] } | null;
    if (object === null) return [];
    return object.kind === "List" ? (object.items ?? []) : [object as T];
  });
}
