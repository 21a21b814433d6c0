// docs/service.md promises what its examples become: each is applied to a real API server and served there.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Service } from "#kube/kinds.ts";
import { became, docExamples } from "#test/support/doc-examples.ts";
import { startShop } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";

const examples = docExamples(readFileSync("docs/service.md", "utf8"));

async function all<T extends KubeObject>({ read, namespace }: World, kind: Kind<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of read.pages(kind, { namespace }, AbortSignal.timeout(60_000)))
    found.push(...items.map((item) => ({ ...item, kind: kind.kind })));
  return found;
}

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
  await world.quiet();
  const endpoints = [...(await all(world, CloudEndpoint)), ...(await all(world, AgentEndpoint))];
  const lines = became({ endpoints, domains: await all(world, Domain), problems: [] });
  const asOnThePage = lines.map((line) =>
    line.replace(`.${world.namespace}.svc`, `.${page}.svc`).replace(/tcp:\/\/[^ ]+\.tcp\.ngrok\.io:\d+/, "(reserved)"),
  );
  expect(asOnThePage.toSorted()).toEqual(promised);
});
