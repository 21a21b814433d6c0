// Many objects as an install has them when an uninstall comes: claimed, each with its counterpart at ngrok and its id in
// the status. And the requests by which a bare client would free or delete the same.
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import type { Connection } from "#kube/connection.ts";
import { refOf, type Kind, type KubeObject } from "#kube/kind.ts";
import { objectPath } from "#kube/paths.ts";
import { reader } from "#kube/reader.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { aPopulation, depopulate, insistently, populate, type Population } from "#test/support/population.ts";
import type { BareRequest } from "./bare.ts";

const AT_ONCE = 32;

export interface Member {
  readonly kind: Kind;
  readonly object: KubeObject;
  /** Its path at ngrok. */
  readonly remote: string;
}

export interface Herd {
  readonly members: readonly Member[];
  /** How many still carry our finalizer. */
  readonly claimed: () => Promise<number>;
  /** Deletes what is there, whatever still holds it. */
  readonly clear: () => Promise<void>;
}

/** `bench-1` to `bench-<count>`. */
export function benchNamespaces(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `bench-${at + 1}`);
}

/** Runs `work` on all items, some at a time. */
export async function each<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Makes `count` claimed objects, a third each CloudEndpoint, Domain and IPPolicy; `name` stands in all their names. */
export async function makeHerd(
  connection: Connection,
  ngrok: NgrokApi,
  options: { readonly count: number; readonly namespaces: number; readonly name: string; readonly owner: string },
  signal: AbortSignal,
): Promise<Herd> {
  const plain = aPopulation(options.count, { name: options.name, namespaces: benchNamespaces(options.namespaces) });
  const claim = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: options.owner } };
  const objects = plain.objects.map((object) => ({ ...object, metadata: { ...object.metadata, ...claim } }));
  const population: Population = { ...plain, objects };
  await populate(connection, population, signal);
  const stored = await storedOf(connection, population, signal);
  const members: Member[] = [];
  await each(stored, async ({ kind, object }) => {
    const [collection, counterpart] = counterpartOf(object);
    const id = await ngrok.add(collection, counterpart);
    const path = `${objectPath(kind, kind.versions[0], refOf(object))}/status`;
    const contentType = "application/merge-patch+json";
    const body = { status: { id } };
    // Making them is not what is measured: it may take its time on a busy machine.
    const asked = { method: "PATCH", path, contentType, body, signal, timeoutMs: 60_000 } as const;
    const after = await insistently(async () => await connection.request(asked));
    members.push({ kind, object: after as KubeObject, remote: `/${collection}/${id}` });
  });
  return {
    members,
    claimed: async () => await claimedOf(connection, population, signal),
    clear: async () => await clearOut(connection, population, signal),
  };
}

interface Stored {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** The objects of a population as the API server has them, kind by kind. */
export async function storedOf(
  connection: Connection,
  { objects }: Population,
  signal: AbortSignal,
): Promise<Stored[]> {
  const wanted = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const stored: Stored[] = [];
  for (const kind of [CloudEndpoint, Domain, IPPolicy] as readonly Kind[]) {
    for await (const { items } of reader(connection).pages(kind, {}, signal)) {
      for (const object of items) if (wanted.has(`${kind.kind} ${object.metadata.name}`)) stored.push({ kind, object });
    }
  }
  return stored;
}

/** How many of a population carry our finalizer. */
export async function claimedOf(connection: Connection, population: Population, signal: AbortSignal): Promise<number> {
  const now = await storedOf(connection, population, signal);
  return now.filter(({ object }) => object.metadata.finalizers?.includes(FINALIZER)).length;
}

function counterpartOf(object: KubeObject): [collection: string, body: Record<string, unknown>] {
  const { spec } = object as KubeObject & { spec: { url?: string; domain?: string; metadata?: string } };
  const { metadata } = spec;
  if (spec.url !== undefined) return ["endpoints", { type: "cloud", url: spec.url, metadata }];
  if (spec.domain !== undefined) return ["reserved_domains", { domain: spec.domain, metadata }];
  return ["ip_policies", { description: "bench", metadata }];
}

/** Deletes a population, whatever still holds its objects. */
export async function clearOut(connection: Connection, population: Population, signal: AbortSignal): Promise<void> {
  await depopulate(connection, population, signal);
  // What a run that failed has left holds itself.
  await each(await storedOf(connection, population, signal), async ({ kind, object }) => {
    const path = objectPath(kind, kind.versions[0], refOf(object));
    const body = { metadata: { finalizers: null } };
    await connection.request({ method: "PATCH", path, contentType: "application/merge-patch+json", body, signal });
  });
}

/** Calls that change something at the API server, for one object. */
export const WRITES: Readonly<Record<DrainPolicy, number>> = { Retain: 1, Delete: 2 };

/** What a bare client sends for one object: Retain the same guarded patch, Delete a deletion, ngrok's, and the patch. */
export function chainOf({ kind, object, remote }: Member, policy: DrainPolicy): BareRequest[] {
  const path = objectPath(kind, kind.versions[0], refOf(object));
  const { uid, finalizers, annotations } = object.metadata;
  const index = finalizers?.indexOf(FINALIZER) ?? -1;
  const operations = [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path: `/metadata/finalizers/${index}`, value: FINALIZER },
    {
      op: "test",
      path: `/metadata/annotations/${DRAIN_OWNER.replaceAll("/", "~1")}`,
      value: annotations?.[DRAIN_OWNER],
    },
    { op: "remove", path: `/metadata/finalizers/${index}` },
  ];
  const patch: BareRequest = {
    server: "kubernetes",
    method: "PATCH",
    path,
    contentType: "application/json-patch+json",
    body: JSON.stringify(operations),
  };
  if (policy === "Retain") return [patch];
  const body = JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } });
  return [
    { server: "kubernetes", method: "DELETE", path, body },
    { server: "ngrok", method: "DELETE", path: remote },
    patch,
  ];
}
