// What objects of the cluster stand for at ngrok. Of Domains several may stand for one reservation, and some outlive the drain,
// being other installs' or kept by an earlier uninstall; what a CloudEndpoint records is no other's to take away.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain, type DomainSpec } from "#api/domain.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { SeenDomain, UndoHands } from "./hands.ts";
import { type InventoryScope, namespacesOf } from "./inventory.ts";
import { type Row, rows } from "./kinds.ts";
import { carriesOurs, isOurs, type Surroundings, whose } from "./ours.ts";

/**
 * For one pass of a drain. All of them are listed when the first Domain is undone, before any is let go, once for the pass:
 * under Retain nobody asks. A list that fails is thrown to everybody who asks, and nothing is let go then.
 */
export function standingDomains(
  read: Reader,
  scope: InventoryScope,
  surroundings: Surroundings,
): NonNullable<UndoHands["domainsAt"]> {
  let listed: Promise<ReadonlyMap<string, readonly SeenDomain[]>> | undefined;
  return async ({ id }, signal) => (await (listed ??= listById(read, scope, surroundings, signal))).get(id) ?? [];
}

async function listById(
  read: Reader,
  scope: InventoryScope,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly SeenDomain[]>> {
  const byId = new Map<string, SeenDomain[]>();
  for await (const { row, one, id } of recording(Domain, read, scope, signal)) {
    const goes = carriesOurs(row, one) && isOurs(whose(row, one, surroundings));
    const seen = goes ? ofOurs(one, id) : ofAnother(one, id);
    const known = byId.get(id);
    if (known === undefined) byId.set(id, [seen]);
    else known.push(seen);
  }
  return byId;
}

/** For one pass as well: whether a CloudEndpoint records an id. They are listed when one is undone whose own got lost. */
export function recordedEndpoints(read: Reader, scope: InventoryScope): NonNullable<UndoHands["recordsEndpoint"]> {
  let listed: Promise<ReadonlyMap<string, readonly string[]>> | undefined;
  const list = async (signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> => {
    const uids = new Map<string, readonly string[]>();
    for await (const { one, id } of recording(CloudEndpoint, read, scope, signal))
      uids.set(id, [...(uids.get(id) ?? []), one.metadata.uid ?? ""]);
    return uids;
  };
  return async (id, but, signal) => ((await (listed ??= list(signal))).get(id) ?? []).some((uid) => uid !== but);
}

/** The objects of a kind that show an id of ngrok's. */
async function* recording<T extends KubeObject & { readonly status?: { readonly id?: string } }>(
  kind: Kind<T>,
  read: Reader,
  scope: InventoryScope,
  signal: AbortSignal,
): AsyncGenerator<{ readonly row: Row; readonly one: T; readonly id: string }> {
  for (const row of rows.filter((each) => each.kind === kind)) {
    for (const namespace of namespacesOf(row, scope)) {
      for await (const { items } of read.pages(kind, { namespace }, signal)) {
        for (const one of items) if (one.status?.id) yield { row, one, id: one.status.id };
      }
    }
  }
}

/** There may be thousands: of the others managedFields and the rest of the status are most of each. */
function ofAnother(domain: Domain, id: string): SeenDomain {
  const { managedFields: _, ...metadata } = domain.metadata;
  return { metadata, status: { id } };
}

/** Nothing of ours is decided by what was seen of it, but for its name and its wish. */
function ofOurs({ metadata, spec }: KubeObject & { readonly spec?: Partial<DomainSpec> }, id: string): SeenDomain {
  const { name, namespace = "", uid = "" } = metadata;
  const goes = spec?.reclaimPolicy === "Retain" ? "kept" : "released";
  return { metadata: { name, namespace, uid }, status: { id }, goes };
}
