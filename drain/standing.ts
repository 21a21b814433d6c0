// The Domains of the cluster by what they stand for at ngrok: several may stand for one reservation, and some outlive the
// drain, being other installs' or kept by an earlier uninstall.
import { Domain, type DomainSpec } from "#api/domain.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { SeenDomain, UndoHands } from "./hands.ts";
import { type InventoryScope, namespacesOf } from "./inventory.ts";
import { rows } from "./kinds.ts";
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
  for (const row of rows.filter(({ kind }) => kind === Domain)) {
    for (const namespace of namespacesOf(row, scope)) {
      for await (const { items } of read.pages(Domain, { namespace }, signal)) {
        for (const one of items) {
          const { id } = one.status ?? {};
          if (!id) continue;
          const goes = carriesOurs(row, one) && isOurs(whose(row, one, surroundings));
          const seen = goes ? ofOurs(one, id) : ofAnother(one, id);
          const known = byId.get(id);
          if (known === undefined) byId.set(id, [seen]);
          else known.push(seen);
        }
      }
    }
  }
  return byId;
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
