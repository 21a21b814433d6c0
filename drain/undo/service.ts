// What we made for a LoadBalancer Service: a reserved TCP address at ngrok. It is released only when its metadata names
// this very Service, which is what we wrote when we reserved it.
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";

const COMPUTED_URLS = ["ngrok.com/computed-url", "k8s.ngrok.com/computed-url"] as const;

export async function undoService(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const { annotations, name, namespace } = object.metadata;
  const url = COMPUTED_URLS.map((key) => annotations?.[key]).find((value) => value?.startsWith("tcp://"));
  if (url === undefined) return { remote: "none" };
  const { addresses } = ngrokOf(hands);
  const reserved = await addresses.find({ addr: url.slice("tcp://".length) }, signal);
  if (reserved === undefined) return { remote: "gone" };
  if (!names(reserved.metadata, namespace, name))
    return { remote: "kept", id: reserved.id, why: "it was not reserved for this Service" };
  return { remote: await addresses.remove(reserved.id, signal), id: reserved.id };
}

/** Reserved with metadata `{"namespace":"<ns>","name":"<name>"}`. */
function names(metadata: string, namespace: string | undefined, name: string): boolean {
  try {
    const parsed: unknown = JSON.parse(metadata);
    return (
      typeof parsed === "object" &&
      parsed !== null &&
      "namespace" in parsed &&
      "name" in parsed &&
      parsed.namespace === namespace &&
      parsed.name === name
    );
  } catch {
    return false;
  }
}
