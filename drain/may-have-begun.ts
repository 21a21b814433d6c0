// Whether anything can have been begun at ngrok for an object whose id nobody knows.
import { FINALIZERS } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { wroteFinalizer } from "#kube/written.ts";
import { lookAgain } from "./look-again.ts";

type Told = KubeObject & { readonly status?: object | undefined };

/**
 * The claim notes it, which is put on before anything is created, or a status, which no manifest brings along. Our finalizer in
 * somebody's manifest notes nothing: the API server knows who has written it, and is asked, since the watch does not keep it.
 */
export async function mayHaveBegun(kind: Kind, object: Told, read: Reader, signal: AbortSignal): Promise<boolean> {
  if (isNoted(object)) return true;
  const now = await lookAgain(kind, object.metadata, read, signal);
  return now !== undefined && isNoted(now);
}

function isNoted({ status, metadata }: Told): boolean {
  return status !== undefined || wroteFinalizer(metadata, FINALIZERS);
}
