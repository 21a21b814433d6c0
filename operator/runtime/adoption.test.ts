import { expect, test } from "vitest";
import { Namespace } from "#kube/kinds.ts";
import { aCloudEndpoint, aGatewayClass } from "#test/support/builders.ts";
import { adoptionWaits } from "./adoption.ts";
import { Cache } from "./cache.ts";

const object = aCloudEndpoint({ metadata: { namespace: "shop" } });

interface Seen {
  readonly going?: boolean;
  readonly listed?: boolean;
  readonly watched?: boolean;
}

function cacheOf({ going = false, listed = true, watched = true }: Seen): Cache {
  const cache = new Cache();
  if (!watched) return cache;
  const store = cache.add(Namespace);
  store.isWhole = listed;
  if (listed)
    store.put({ metadata: { name: "shop", ...(going ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) } });
  return cache;
}

test.for<readonly [string, Seen, number, number | undefined]>([
  ["in a namespace that stays is taken up", {}, 0, undefined],
  ["in a namespace that goes is not, for now: another of its name may come", { going: true }, 60_000, 10_000],
  ["waits a moment for the Namespaces after a start", { listed: false }, 4_000, 250],
  ["is taken up where they cannot be listed", { listed: false }, 5_000, undefined],
  ["is taken up where nobody watches them", { watched: false }, 0, undefined],
])("an object %s", ([, seen, metForMs, wanted], { expect }) => {
  expect(adoptionWaits(object, { cached: cacheOf(seen), clusterWide: true }, metForMs)).toBe(wanted);
});

test("without cluster rights, and outside of any namespace, nothing waits", () => {
  const cached = cacheOf({ listed: false });
  expect(adoptionWaits(object, { cached, clusterWide: false }, 0)).toBeUndefined();
  expect(adoptionWaits(aGatewayClass(), { cached, clusterWide: true }, 0)).toBeUndefined();
});
