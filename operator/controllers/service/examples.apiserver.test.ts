// docs/service.md promises what its examples become: each is applied to a real API server and served there.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind } from "#kube/kind.ts";
import { Service } from "#kube/kinds.ts";
import { becameIn, docExamples } from "#test/support/doc-examples.ts";
import { startShop } from "#test/support/shop.ts";

const examples = docExamples(readFileSync("docs/service.md", "utf8"));

test("the page has an example of either strategy", () => {
  expect(examples.map(({ name }) => name)).toEqual(["address", "verbose"]);
});

test.for(examples)("the example $name becomes what the page says", async ({ objects, promised }) => {
  await using shop = await startShop();
  const { world } = shop;
  const page = objects.find(({ kind }) => kind === Service.kind)?.metadata.namespace ?? "";
  for (const object of objects) {
    const kind: Kind = object.kind === Service.kind ? Service : NgrokTrafficPolicy;
    await world.create(kind, { ...object, metadata: { ...object.metadata, namespace: world.namespace } });
  }
  await world.until(Service, "postgres", ({ status }) => (status?.loadBalancer?.ingress?.length ?? 0) > 0);
  const shown = async (): Promise<string[]> => {
    await world.quiet();
    const lines = await becameIn(world, page);
    return lines.map((line) => line.replace(/tcp:\/\/[^ ]+\.tcp\.ngrok\.io:\d+/, "(reserved)")).toSorted();
  };
  await expect.poll(shown).toEqual(promised);
});
