// One object that is not shaped as its kind says must not take the others with it: files can hold anything.
import type { Kind, KubeObject } from "#kube/kind.ts";
import { type Problem, problemOf } from "./model.ts";

/** What `read` found wrong with the object, or that it cannot be read at all. */
export function guarded(kind: Kind, object: KubeObject, read: () => readonly Problem[]): readonly Problem[] {
  try {
    return read();
  } catch (error) {
    // The API server takes no such object; this is what its fields of wrong types come to, the deeper ones to a RangeError.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const reason = `has fields of types that ${kind.kind} does not have (${error.message}): see what kubectl apply --dry-run=server says of it`;
    return [problemOf(kind, object, "spec", reason)];
  }
}
