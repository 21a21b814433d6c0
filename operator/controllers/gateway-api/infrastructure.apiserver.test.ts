// Labels and annotations that a Gateway gives its endpoints go with it: with what other people put there, on a real API
// server, which knows who wrote what.
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Gateway } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { installGatewayApi, openGatewayShop, populateGatewayShop } from "#test/support/gateway-shop.ts";
import type { World } from "#test/support/world.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function endpoint(world: World): Promise<AgentEndpoint> {
  const { items } = (await world.connection.request({ method: "GET", path: pathOf(world), signal: signal() })) as {
    items: AgentEndpoint[];
  };
  expect(items).toHaveLength(1);
  return items[0]!;
}

function pathOf({ namespace }: World): string {
  return `/apis/ngrok.k8s.ngrok.com/v1alpha1/namespaces/${namespace}/agentendpoints`;
}

/** As `kubectl label` and `kubectl annotate` would. */
async function markedByAPerson(world: World): Promise<void> {
  const { metadata } = await endpoint(world);
  await world.connection.request({
    method: "PATCH",
    path: `${pathOf(world)}/${metadata.name}`,
    query: { fieldManager: "kubectl-label" },
    contentType: "application/merge-patch+json",
    body: { metadata: { labels: { person: "a" }, annotations: { person: "b" } } },
    signal: signal(),
  });
}

test("what a Gateway's infrastructure says no more goes from its endpoints, after a restart too; what a person put there and our own keys stay", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await populateGatewayShop(shop);
  const before = await endpoint(world);
  const texts = async (): Promise<unknown> => {
    await world.quiet();
    const { labels, annotations } = (await endpoint(world)).metadata;
    return { labels, annotations };
  };
  const with_ = (labels: object, annotations: object): object => ({
    labels: { ...before.metadata.labels, ...labels },
    annotations: { ...before.metadata.annotations, ...annotations },
  });
  const infrastructure = { labels: { team: "shop", tier: "web" }, annotations: { "example.com/note": "hello" } };
  await world.touch(Gateway, "edge", "/spec/infrastructure", infrastructure);
  await expect.poll(texts).toEqual(with_(infrastructure.labels, infrastructure.annotations));
  await markedByAPerson(world);

  await world.touch(Gateway, "edge", "/spec/infrastructure", { labels: { tier: "web" } });
  await expect.poll(texts).toEqual(with_({ tier: "web", person: "a" }, { person: "b" }));

  await world.manager.stop();
  await world.touch(Gateway, "edge", "/spec/infrastructure", {});
  world.start();
  await expect.poll(texts).toEqual(with_({ person: "a" }, { person: "b" }));
});
