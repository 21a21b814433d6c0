// A writer that shows what it wrote at once, and one that stops in the middle of its work.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Writer } from "#kube/writer.ts";
import { aCloudEndpoint, aDomain } from "#test/support/builders.ts";
import { Domain } from "#api/domain.ts";
import { Cache } from "./cache.ts";
import { CLOSED, remembering, stopping } from "./pen.ts";

const signal = new AbortController().signal;
const answering = { create: (_kind: unknown, object: unknown) => Promise.resolve(object) } as unknown as Writer;

test("what was created is in the cache before its watch event, and of a kind that nobody watches nothing is kept", async () => {
  const cache = new Cache();
  cache.add(CloudEndpoint);
  const writer = remembering(answering, cache);
  await writer.create(CloudEndpoint, aCloudEndpoint({ metadata: { uid: "1", resourceVersion: "1" } }), signal);
  expect(cache.get(CloudEndpoint, { name: "web", namespace: "default" })?.metadata.uid).toBe("1");
  expect(await writer.create(Domain, aDomain(), signal)).toEqual(aDomain());
});

test("once nothing may be begun, a write is refused and not sent (W7)", async () => {
  let open = true;
  const sent: unknown[] = [];
  const writer = stopping(
    { ...answering, create: (_kind, object) => (sent.push(object), Promise.resolve(object)) },
    () => open,
  );
  await writer.create(Domain, aDomain(), signal);
  open = false;
  await expect(writer.create(Domain, aDomain(), signal)).rejects.toMatchObject({ class: "gone", code: CLOSED });
  await expect(writer.remove({ kind: Domain, ref: { name: "x" }, uid: "1" }, signal)).rejects.toMatchObject({
    code: CLOSED,
  });
  expect(sent).toHaveLength(1);
});
