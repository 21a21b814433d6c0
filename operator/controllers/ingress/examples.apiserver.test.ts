// docs/ingress.md promises what its examples become: each is applied to a real API server and served there.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Ingress, type IngressObject, Service } from "#kube/kinds.ts";
import { becameIn, docExamples } from "#test/support/doc-examples.ts";
import { startShop } from "#test/support/shop.ts";

const examples = docExamples(readFileSync("docs/ingress.md", "utf8")).filter(({ promised }) => promised.length > 0);
const KINDS: readonly Kind[] = [Ingress, Service, NgrokTrafficPolicy];

/** The class of the page is that of the chart; the shop has its own. */
function ofClass(object: KubeObject, className: string): KubeObject {
  const { spec } = object as IngressObject;
  return object.kind === Ingress.kind
    ? ({ ...object, spec: { ...spec, ingressClassName: className } } as KubeObject)
    : object;
}

test.for(examples)("the example $name becomes what the page says", async ({ objects, promised }) => {
  await using shop = await startShop();
  const { world, className } = shop;
  for (const object of objects) {
    const kind = KINDS.find((one) => one.kind === object.kind);
    if (kind === undefined) throw new Error(`the page has a ${object.kind}`);
    const own = ofClass(object, className);
    await world.create(kind, { ...own, metadata: { ...own.metadata, namespace: world.namespace } });
  }
  await expect.poll(async () => await becameIn(world, "shop")).toEqual(promised);
  await world.quiet();
  expect(await becameIn(world, "shop")).toEqual(promised);
});
