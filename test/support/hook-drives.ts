// A drain as the leader sees it while a hook drives, and how long it takes a silent hook for a living one.
import { namesOf } from "#api/release.ts";
import { hold } from "#kube/lease.ts";
import { LEASE_TIMING, type LeaseTiming, type WriteToken } from "#kube/write-token.ts";
import type { World } from "./world.ts";

/** A hook that is gone is followed sooner than in production, by a leader whose renewals may still be late. */
export const HASTY: LeaseTiming = { renewMs: 200, giveUpMs: 9_000, durationMs: 10_000 };

/** Nobody takes the hook for gone, however long a test lasts. */
export const PATIENT: LeaseTiming = { ...LEASE_TIMING, durationMs: 3_600_000 };

/** Marks, takes the Lease as soon as whoever renews it has let go, and holds it until it is disposed of. */
export async function hookDrives(world: World): Promise<WriteToken> {
  await world.mark("Draining");
  return await hold(world.connection, {
    lease: { name: namesOf(world.release).lease, namespace: world.namespace },
    holder: "pod/hook/1",
    signal: AbortSignal.timeout(600_000),
    onRenew: async () => await Promise.resolve("keep"),
  });
}
