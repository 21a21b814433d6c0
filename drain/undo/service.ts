// What we made for a LoadBalancer Service: a reserved TCP address at ngrok. It is released only when its metadata names
// this very Service, which is what we wrote when we reserved it.
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";

const COMPUTED_URLS = ["ngrok.com/computed-url", "k8s.ngrok.com/computed-url"] as const;
const TCP = "tcp://";

/** `1.tcp.ngrok.io:20345`: what is written down on the Service is all that can be known of it without asking ngrok. */
export function addressOf({ metadata: { annotations } }: KubeObject): string | undefined {
  const url = COMPUTED_URLS.map((key) => annotations?.[key]).find((value) => value?.startsWith(TCP));
  return url?.slice(TCP.length);
}

export async function undoService(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const { name, namespace } = object.metadata;
  const addr = addressOf(object);
  if (addr === undefined) return { remote: "none" };
  const { addresses } = ngrokOf(hands);
  const reserved = await addresses.find({ addr }, signal);
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
