// Gateway API that is installed, and taken away, while we run: its kinds are served as soon as they are there, and the end
// of one leaves nothing behind and nothing hanging.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { type GatewayObject, Gateway, HTTPRoute } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { type GatewayShop, installGatewayApi, startGatewayShop } from "#test/support/gateway-shop.ts";
import { type Kubectl, kubectlOf } from "#test/support/kubectl.ts";
import type { World } from "#test/support/world.ts";
import { binaries } from "#tools/binaries.ts";

/** A kind that is not there is looked for every 15 s, and the list of kinds is 10 s old at most. */
const WITHIN_MS = 120_000;

const isProgrammed = ({ status }: GatewayObject): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Programmed" && is === "True") === true;

async function urls(world: World): Promise<string[]> {
  const found: string[] = [];
  const signal = AbortSignal.timeout(10_000);
  for await (const { items } of world.read.pages(AgentEndpoint, { namespace: world.namespace }, signal))
    found.push(...items.map(({ spec }) => spec.url));
  return found.toSorted();
}

async function populate(shop: GatewayShop): Promise<void> {
  const { world } = shop;
  await shop.makeClass(shop.className, shop.controllerName);
  await world.create(Gateway, shop.gateway("shop.ngrok.app"));
  await world.create(HTTPRoute, shop.route("web", "web"));
}

function errorsOf({ manager }: World): unknown[] {
  return manager.log.filter(({ level }) => level === "error" || level === 50);
}

test("Gateway API that comes while we run is served without a restart, and again after it was gone", async () => {
  await using plane = await ownControlPlane();
  await using shop = await startGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await shop.service("web");
  await world.quiet();

  await installGatewayApi(plane.kubeconfig);
  await populate(shop);
  await world.until(Gateway, "edge", isProgrammed, WITHIN_MS);
  await expect.poll(async () => await urls(world), { timeout: WITHIN_MS }).toEqual(["https://shop.ngrok.app"]);

  const kubectl = kubectlOf({ ...plane, bin: await binaries(console.log) });
  await deleteGatewayApi(kubectl);
  await expect.poll(async () => await urls(world), { timeout: WITHIN_MS }).toEqual([]);

  await installGatewayApi(plane.kubeconfig);
  await populate(shop);
  await world.until(Gateway, "edge", isProgrammed, WITHIN_MS);
  await expect.poll(async () => await urls(world), { timeout: WITHIN_MS }).toEqual(["https://shop.ngrok.app"]);
  expect(errorsOf(world)).toEqual([]);
}, 400_000);

test("kinds of the experimental channel alone may be missing, come and go: the others are served all the same", async () => {
  await using plane = await ownControlPlane();
  // Without TCPRoute.
  await installGatewayApi(plane.kubeconfig, "standard");
  const kubectl = kubectlOf({ ...plane, bin: await binaries(console.log) });
  await using shop = await startGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await shop.service("web");
  await populate(shop);
  await world.until(Gateway, "edge", isProgrammed, WITHIN_MS);
  await kubectl.run(["delete", `crd/${HTTPRoute.plural}.${HTTPRoute.group}`, "--timeout=120s"], { timeout: 130_000 });
  await expect.poll(async () => await urls(world), { timeout: WITHIN_MS }).toEqual([]);
  expect(errorsOf(world)).toEqual([]);
}, 400_000);

/** As a person does who is done with it: all at once, with whatever is still in them. */
async function deleteGatewayApi(kubectl: Kubectl): Promise<void> {
  const crds = (await kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  const theirs = crds.filter((name) => name.includes(".gateway.networking."));
  await kubectl.run(["delete", ...theirs, "--timeout=120s"], { timeout: 130_000 });
}
