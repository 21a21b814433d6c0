// One reservation at ngrok, several Domains of its host: it stays as long as one of them stands for it, and goes with the
// last.
//
// What is guaranteed: of Domains that go at the same time one gives the reservation back. Who leaves it to another has read,
// past every cache and after its own deletion, that the other is not going; whoever goes after that reads the same of
// this one, which is, or is gone. In a drain all of ours go; there it stays for good where one of them says so.
import { Domain, type DomainSpec, type DomainStatus } from "#api/domain.ts";
import { ADOPTED, DRAIN_OWNER, FINALIZERS, KEPT_WITH } from "#api/keys.ts";
import { ownerOf, type Release } from "#api/release.ts";
import { keyOf, type KubeObject, type Ref } from "#kube/kind.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation, Writer } from "#kube/writer.ts";
import { writtenKeys } from "#kube/written.ts";
import type { SeenDomain, Undone, UndoHands } from "../hands.ts";
import { lookAgain } from "../look-again.ts";

/** A schema that was looser once may have stored an object without spec, or a spec without a host. */
export type StoredDomain = KubeObject & { readonly spec?: Partial<DomainSpec>; readonly status?: DomainStatus };

/**
 * What is noted on it of whose the reservation is. "false" gives back what may be a stranger's, and is ours to say: where others
 * have written it, it is doubted, and ngrok is looked at.
 */
export function saidOf({ metadata }: Pick<KubeObject, "metadata">): "true" | "false" | "doubted" | undefined {
  const said = metadata.annotations?.[ADOPTED];
  if (said === undefined || said === "true") return said;
  return said === "false" && writtenKeys(metadata, "annotations").includes(ADOPTED) ? "false" : "doubted";
}

/** Leaves the reservation to another Domain that stands for it. Undefined: there is none, so it goes with this one. */
export async function leaveToAnother(
  domain: StoredDomain,
  id: string,
  hands: UndoHands,
  release: Release,
  signal: AbortSignal,
): Promise<Undone | undefined> {
  const host = (domain.status?.domain ?? domain.spec?.domain)?.toLowerCase();
  const seen = (await hands.domainsAt?.({ id, host }, signal)) ?? [];
  const besides = seen.filter(({ metadata }) => metadata.uid !== domain.metadata.uid);
  const keeper = besides.find(({ goes }) => goes === "kept");
  if (keeper !== undefined) return { remote: "kept", id, why: whyKeptWith(keyOf(keeper.metadata)) };
  const others = besides.filter((one) => standsFor(one, id, release));
  // Ours first: nothing is written on another install's, so that it may not know that the reservation is left to it.
  for (const one of others.toSorted((a, b) => Number(isStrangers(a, release)) - Number(isStrangers(b, release)))) {
    const now = await lookAgain(Domain, one.metadata, hands.read, signal);
    // Relaxed since it was listed, and on its way: its own note on this one may come a moment later.
    if (one.goes !== undefined && now?.spec?.reclaimPolicy === "Retain")
      return { remote: "kept", id, why: whyKeptWith(keyOf(now.metadata)) };
    if (now === undefined || !standsFor(now, id, release)) continue;
    // It goes after this one, and its own line tells of the reservation; not where it takes that for a stranger's.
    if (one.goes !== undefined && now.metadata.annotations?.[ADOPTED] === "true") continue;
    if (one.goes !== undefined) return { remote: "none" };
    await tellHeir(now, id, hands.write, release, signal);
    const of = isStrangers(now, release) ? ` of ${now.metadata.annotations?.[DRAIN_OWNER]}` : "";
    return { remote: "kept", id, why: `Domain ${keyOf(now.metadata)}${of} stands for it as well` };
  }
  // One that was relaxed after it was listed has noted on this one that it is kept.
  const own = besides.length === 0 ? undefined : await lookAgain(Domain, domain.metadata, hands.read, signal);
  if (own?.metadata.annotations?.[ADOPTED] === "true") return { remote: "kept", id, why: whyAdopted(own) };
  return undefined;
}

function whyKeptWith(keeper: string): string {
  return `the reclaimPolicy of Domain ${keeper}, which shares it, is Retain`;
}

/** Why a Domain that is marked as adopted leaves its reservation where it is. */
export function whyAdopted({ metadata: { annotations } }: StoredDomain): string {
  const keeper = annotations?.[KEPT_WITH];
  return keeper === undefined ? "it was reserved before this install" : whyKeptWith(keeper);
}

/**
 * Before a Domain goes that wants the reservation kept: those of ours that share it and go with the same drain are told, for
 * a later pass, or the run after a kill, meets them alone.
 */
export async function keepForAll(
  domain: StoredDomain,
  id: string,
  hands: UndoHands,
  signal: AbortSignal,
): Promise<void> {
  const seen = (await hands.domainsAt?.({ id, host: undefined }, signal)) ?? [];
  for (const one of seen) {
    if (one.goes !== "released" || one.metadata.uid === domain.metadata.uid) continue;
    const now = await lookAgain(Domain, one.metadata, hands.read, signal);
    // Of several that want it kept the first has told it.
    if (now?.status?.id !== id || now.metadata.annotations?.[ADOPTED] === "true") continue;
    await annotate(now, { [ADOPTED]: "true", [KEPT_WITH]: keyOf(domain.metadata) }, [], hands.write, signal);
  }
}

/** One that this install holds and that shows no id may be about to find the reservation. */
function standsFor({ metadata, status }: SeenDomain, id: string, release: Release): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  if (status?.id) return status.id === id;
  const isHeld = metadata.finalizers?.some((one) => FINALIZERS.includes(one)) === true;
  return isHeld && metadata.annotations?.[DRAIN_OWNER] === ownerOf(release);
}

function isStrangers({ metadata }: SeenDomain, release: Release): boolean {
  const owner = metadata.annotations?.[DRAIN_OWNER];
  return owner !== undefined && owner !== ownerOf(release);
}

/** Whoever has taken it for a stranger's, or knows nothing of it yet, would not give it back. */
async function tellHeir(
  { metadata, status }: Domain,
  id: string,
  write: Writer,
  release: Release,
  signal: AbortSignal,
): Promise<void> {
  const said = metadata.annotations?.[ADOPTED];
  if (isStrangers({ metadata }, release) || said === "false" || (said === undefined && status?.id === id)) return;
  // One that goes meanwhile has decided without us.
  await annotate({ metadata }, { [ADOPTED]: "false" }, [absent("/metadata/deletionTimestamp")], write, signal);
}

function absent(path: string): JsonPatchOperation {
  return { op: "test", path, value: null };
}

async function annotate(
  { metadata: { name, namespace, uid = "", annotations } }: Pick<Domain, "metadata">,
  words: Readonly<Record<string, string>>,
  guards: readonly JsonPatchOperation[],
  write: Writer,
  signal: AbortSignal,
): Promise<void> {
  const ref: Ref = { name, namespace };
  const path = "/metadata/annotations";
  const first: readonly JsonPatchOperation[] = [absent(path), { op: "add", path, value: words }];
  const further = Object.entries(words).map(([key, value]): JsonPatchOperation => ({
    op: "add",
    path: `${path}/${pointerStep(key)}`,
    value,
  }));
  await write.patch(Domain, ref, uid, [...guards, ...(annotations === undefined ? first : further)], signal);
}
