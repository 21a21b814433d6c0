// What wakes whom: whether a change of an object says anything to us, and which objects a change of another kind concerns.
import { claimOf, type OwnClaim } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { keyOf, type KubeObject } from "#kube/kind.ts";
import type { Cache } from "./cache.ts";
import type { Watch } from "./define-controller.ts";
import type { Queue } from "./queue.ts";

/** Follows the other kinds of a controller and queues the objects that they concern. Returns the ends of the listening. */
export function wakeByOthers(
  { watches = [] }: { readonly watches?: readonly Watch[] },
  { cache, release }: { readonly cache: Cache; readonly release: Release },
  queue: Pick<Queue, "add">,
): (() => void)[] {
  return watches.map((watch) =>
    cache.store(watch.kind).onChange(({ before, after }) => {
      const isChange = before !== undefined && after !== undefined;
      if (isChange && watch.ignores === "status" && !concerns(before, after, release)) return;
      if (isChange && watch.isNews?.(before, after) === false) return;
      for (const object of [before, after])
        for (const ref of object === undefined ? [] : watch.keys(object, cache)) queue.add(keyOf(ref));
    }),
  );
}

/** What we write ourselves (claim, status) concerns nobody; what a person writes does, and so do the loss of our claim and the end of another's. */
export function concerns(
  before: KubeObject,
  after: KubeObject,
  release: Release,
  { finalizers, stamp, owner }: OwnClaim = claimOf(release),
): boolean {
  const a = before.metadata;
  const b = after.metadata;
  if (a.uid !== b.uid || a.generation !== b.generation || a.deletionTimestamp !== b.deletionTimestamp) return true;
  // Not every kind counts its generations.
  if (a.generation === undefined && textOf(specOf(before)) !== textOf(specOf(after))) return true;
  const stranger = a.annotations?.[stamp];
  if (stranger !== undefined && stranger !== owner && stranger !== b.annotations?.[stamp]) return true;
  const ours = ({ metadata }: KubeObject): boolean =>
    metadata.finalizers?.some((one) => finalizers.includes(one)) ?? false;
  if (ours(before) && !ours(after)) return true;
  return textOf(a.annotations, stamp) !== textOf(b.annotations, stamp) || textOf(a.labels) !== textOf(b.labels);
}

function specOf(object: KubeObject): Readonly<Record<string, unknown>> | undefined {
  return (object as { spec?: Record<string, unknown> }).spec;
}

function textOf(map: Readonly<Record<string, unknown>> | undefined, but?: string): string {
  return JSON.stringify(Object.entries(map ?? {}).filter(([key]) => key !== but));
}
