// What we made for a Domain: one reservation at ngrok, unless the user wants it kept, it was there before us, or another
// Domain stands for it as well.
import { metadataText } from "#api/metadata.ts";
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";
import { keepForAll, leaveToAnother, saidOf, type StoredDomain, whyAdopted } from "./shared-domain.ts";

export async function undoDomain(
  object: KubeObject,
  hands: UndoHands,
  release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const domain: StoredDomain = object;
  const { spec, status } = domain;
  const id = status?.id;
  const named = id ? { id } : {};
  if (spec?.domain?.endsWith(".internal") === true) return { remote: "none" };
  if (spec?.reclaimPolicy === "Retain") {
    if (id) await keepForAll(domain, id, hands, signal);
    return { remote: "kept", ...named, why: "its reclaimPolicy is Retain" };
  }
  const said = saidOf(domain);
  if (said === "true") return { remote: "kept", ...named, why: whyAdopted(domain) };
  if (id && said !== "doubted") return await giveBack(id);
  if (spec?.domain === undefined) return { remote: "none" };
  const left = await ngrokOf(hands).domains.find(id ? { id } : { host: spec.domain }, signal);
  if (left === undefined) return { remote: "none" };
  if (said !== "false" && left.metadata !== metadataText(spec.metadata)) {
    return { remote: "kept", id: left.id, why: "it is not recorded as ours" };
  }
  return await giveBack(left.id);

  async function giveBack(reserved: string): Promise<Undone> {
    const kept = await leaveToAnother(domain, reserved, hands, release, signal);
    return kept ?? { remote: await ngrokOf(hands).domains.remove(reserved, signal), id: reserved };
  }
}
