// What we made for a Domain: one reservation at ngrok, unless the user wants it kept or it was there before us.
import type { DomainSpec, DomainStatus } from "#api/domain.ts";
import { ADOPTED } from "#api/keys.ts";
import { metadataText } from "#api/metadata.ts";
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";

export async function undoDomain(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  // A schema that was looser once may have stored an object without spec, or a spec without a host.
  const { spec, status, metadata }: KubeObject & { spec?: Partial<DomainSpec>; status?: DomainStatus } = object;
  const id = status?.id;
  const named = id ? { id } : {};
  if (spec?.domain?.endsWith(".internal") === true) return { remote: "none" };
  if (spec?.reclaimPolicy === "Retain") return { remote: "kept", ...named, why: "its reclaimPolicy is Retain" };
  if (metadata.annotations?.[ADOPTED] === "true")
    return { remote: "kept", ...named, why: "it was reserved before this install" };
  const { domains } = ngrokOf(hands);
  if (id) return { remote: await domains.remove(id, signal), id };
  if (spec?.domain === undefined) return { remote: "none" };
  const left = await domains.find({ host: spec.domain }, signal);
  if (left === undefined) return { remote: "none" };
  if (left.metadata !== metadataText(spec.metadata)) {
    return { remote: "kept", id: left.id, why: "it is not recorded as ours" };
  }
  return { remote: await domains.remove(left.id, signal), id: left.id };
}
