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
  const owner = reservedFor(reserved.metadata);
  if (owner?.namespace !== namespace || owner?.name !== name)
    return { remote: "kept", id: reserved.id, why: "it was not reserved for this Service" };
  return { remote: await addresses.remove(reserved.id, signal), id: reserved.id };
}

/** The Service that an address was reserved for, as metadata `{"namespace":"<ns>","name":"<name>"}` says; none for others' words. */
export function reservedFor(metadata: string): { readonly namespace: string; readonly name: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(metadata);
    if (typeof parsed !== "object" || parsed === null || !("namespace" in parsed) || !("name" in parsed))
      return undefined;
    const { namespace, name } = parsed;
    return typeof namespace === "string" && typeof name === "string" ? { namespace, name } : undefined;
  } catch {
    return undefined;
  }
}
