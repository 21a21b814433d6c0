// Gateway API that is installed, and taken away, while we run: its kinds are served as soon as they are there, and the end
// of one leaves nothing behind and nothing hanging.
import { expect, test } from "vitest";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, HTTPRoute, TCPRoute } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aTCPRoute } from "#test/support/builders.ts";
import { discoverable } from "#test/support/crds.ts";
import { isProgrammed, urlsIn } from "#test/support/gateway-seen.ts";
import { type GatewayShop, installGatewayApi, startGatewayShop } from "#test/support/gateway-shop.ts";
import { type Kubectl, kubectlOf } from "#test/support/kubectl.ts";
import type { World } from "#test/support/world.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";

/** A kind that is not there is looked for every 15 s, and the list of kinds is 10 s old at most. */
const WITHIN_MS = 120_000;

async function populate(shop: GatewayShop): Promise<void> {
  const { world } = shop;
  // The test's own connection remembers for ten seconds that they were gone.
  await discoverable(world.connection, [GatewayClass, Gateway, HTTPRoute]);
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
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual(["https://shop.ngrok.app"]);

  const kubectl = kubectlOf({ ...plane, bin: await binaries(console.log) });
  await deleteGatewayApi(kubectl, world);
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual([]);

  await installGatewayApi(plane.kubeconfig);
  await populate(shop);
  await world.until(Gateway, "edge", isProgrammed, WITHIN_MS);
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual(["https://shop.ngrok.app"]);
  expect(errorsOf(world)).toEqual([]);
}, 1_500_000);

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
  await kubectl.run(["delete", `crd/${HTTPRoute.plural}.${HTTPRoute.group}`, "--wait=false"]);
  await allGo(world, [HTTPRoute]);
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual([]);

  const crd = (await gatewayApiCrds("experimental")).find((file) => file.includes(TCPRoute.plural)) ?? "";
  await kubectl.run(["create", "-f", crd]);
  await kubectl.run(["wait", "--for=condition=Established", "--timeout=30s", "-f", crd]);
  const listeners = [{ name: "tcp", port: 5432, protocol: "TCP" }];
  const spec = { listeners, addresses: [{ type: "Hostname", value: "1.tcp.ngrok.io" }] };
  await world.create(Gateway, shop.gateway("", { metadata: { name: "tcp" }, spec }));
  const rules = [{ backendRefs: [{ name: "web", port: 80 }] }];
  const route = aTCPRoute({ spec: { parentRefs: [{ name: "tcp" }], rules } });
  await discoverable(world.connection, [TCPRoute]);
  await world.create(TCPRoute, route);
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual(["tcp://1.tcp.ngrok.io:5432"]);
  await kubectl.run(["delete", "-f", crd, "--wait=false"]);
  await allGo(world, [TCPRoute]);
  await expect.poll(async () => await urlsIn(world), { timeout: WITHIN_MS }).toEqual([]);
  expect(errorsOf(world)).toEqual([]);
}, 1_500_000);

/** As a person does who is done with it: all at once, with whatever is still in them. */
async function deleteGatewayApi(kubectl: Kubectl, world: World): Promise<void> {
  const crds = (await kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  const theirs = crds.filter((name) => name.includes(".gateway.networking."));
  await kubectl.run(["delete", ...theirs, "--wait=false"]);
  await allGo(world, [GatewayClass, Gateway, HTTPRoute]);
  // How long the server itself takes to end twelve kinds is no matter of this test: 8 s, and now and then minutes.
  await kubectl.run(["wait", "--for=delete", ...theirs, "--timeout=900s"], { timeout: 910_000 });
}

/** Nothing of ours holds them. A kind that is not served any more has none. */
async function allGo(world: World, kinds: readonly Kind<KubeObject>[]): Promise<void> {
  const left = async (kind: Kind<KubeObject>): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const { items } of world.read.pages(kind, {}, AbortSignal.timeout(10_000)))
      names.push(...items.map(({ metadata }) => `${kind.plural} ${metadata.name}`));
    return names;
  };
  for (const kind of kinds)
    await expect.poll(async () => await left(kind), { timeout: WITHIN_MS, interval: 1_000 }).toEqual([]);
}
