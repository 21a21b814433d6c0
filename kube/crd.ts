// Whether a kind's CustomResourceDefinition stands, is being deleted, or is gone: asked before anything remote is deleted,
// since the deletion of a CRD deletes every object of its kind.
import { resourceName, type Kind } from "./kind.ts";
import { CustomResourceDefinition } from "./kinds.ts";
import type { Reader } from "./reader.ts";

export type CrdState = "there" | "terminating" | "absent";

/** A consistent GET. Unknown (403, 5xx, timeout) is thrown as a KnownError: nobody may take it for one of the three. */
export async function crdState(read: Reader, kind: Kind, signal: AbortSignal): Promise<CrdState> {
  const crd = await read.get(CustomResourceDefinition, { name: resourceName(kind) }, signal);
  if (crd === undefined) return "absent";
  const terminating =
    crd.metadata.deletionTimestamp !== undefined ||
    crd.status?.conditions?.some((each) => each.type === "Terminating" && each.status === "True") === true;
  return terminating ? "terminating" : "there";
}
