// Many Ingresses at once, by the API server's own log: a cluster at rest is not written to, and a burst that a drain falls
// into ends with the Lease.
import { expect, inject, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { namesOf } from "#api/release.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Ingress, Lease } from "#kube/kinds.ts";
import { endOf, eventsSince, said, writes } from "#test/support/audit.ts";
import { hookDrives } from "#test/support/hook-drives.ts";
import { type Shop, startShop } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";

const verbose = { metadata: { annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } } };

async function count({ read, namespace }: World, kind: Kind): Promise<number> {
  let found = 0;
  for await (const { items } of read.pages<KubeObject>(kind, { namespace }, AbortSignal.timeout(60_000)))
    found += items.length;
  return found;
}

/** Hosts one after another on three Services. */
async function create(shop: Shop, from: number, to: number): Promise<void> {
  const batch = Array.from({ length: to - from }, (_, at) => from + at);
  await Promise.all(
    batch.map(
      async (at) =>
        await shop.world.create(Ingress, shop.ingress(`i${at}`, { [`h${at}.ngrok.app`]: `s${at % 3}` }, verbose)),
    ),
  );
}

/** What we were granted in the namespace but for Lease and events. */
async function written(position: number, { namespace }: World): Promise<string[]> {
  const events = await eventsSince(inject("auditLog"), position);
  return writes(events)
    .filter(({ objectRef, user }) => objectRef?.namespace === namespace && user.username === "admin")
    .filter(({ objectRef }) => !["leases", "events"].includes(objectRef?.resource ?? ""))
    .map(said);
}

test("200 Ingresses at rest are not written to, nor after a restart that looks at all of them again", async () => {
  await using shop = await startShop();
  const { world } = shop;
  for (const name of ["s0", "s1", "s2"]) await shop.service(name);
  for (let from = 0; from < 200; from += 50) await create(shop, from, from + 50);
  await world.until(CloudEndpoint, "h199.ngrok.app", ({ status }) => status?.id !== undefined, 180_000);
  await world.quiet();
  expect(await count(world, CloudEndpoint)).toBe(200);
  expect(await count(world, AgentEndpoint)).toBe(3);
  const resting = await endOf(inject("auditLog"));
  await systemClock.sleep(3_000);
  expect(await written(resting, world)).toEqual([]);
  await world.manager.stop();
  world.start();
  await world.until(Lease, namesOf(world.release).lease, ({ spec }) => (spec?.holderIdentity ?? "") !== "");
  await world.quiet();
  expect(await written(resting, world)).toEqual([]);
});

test("a drain that falls into a burst of Ingresses: nothing is written once the Lease is free (W7)", async () => {
  await using shop = await startShop();
  const { world } = shop;
  for (const name of ["s0", "s1", "s2"]) await shop.service(name);
  const burst = create(shop, 0, 150);
  await world.until(CloudEndpoint, "h3.ngrok.app", () => true);
  await using _hook = await hookDrives(world);
  await burst;
  const freed = await endOf(inject("auditLog"));
  await create(shop, 150, 160);
  await world.remove(Ingress, "i3");
  await systemClock.sleep(2_000);
  const lines = await written(freed, world);
  expect(lines.filter((line) => !/^(create|delete) ingresses/.test(line))).toEqual([]);
  expect(await count(world, CloudEndpoint)).toBeLessThan(150);
});
