// Gateways and routes on a real API server with Gateway API: whose they are, and that they can always go.
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import type { Kind } from "#kube/kind.ts";
import { Gateway, GatewayClass, HTTPRoute } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { classOf, isHeld, saidBy, urlsOnceQuiet } from "#test/support/gateway-seen.ts";
import { installGatewayApi, openGatewayShop, populateGatewayShop } from "#test/support/gateway-shop.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

test("a Gateway of another controller's class, and its route, are left alone", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  const gatewayClassName = `${shop.className}-other`;
  await shop.makeClass(gatewayClassName, "example.com/other");
  await shop.service("web");
  await world.create(Gateway, shop.gateway("shop.ngrok.app", { spec: { gatewayClassName } }));
  await world.create(HTTPRoute, shop.route("web", "web"));
  await world.until(Gateway, "edge", () => true);
  await world.quiet();
  expect(await urlsOnceQuiet(world)).toEqual([]);
  expect(world.written().filter((line) => !line.includes(shop.className))).toEqual([]);
  expect((await world.read.get(GatewayClass, { name: gatewayClassName }, signal()))?.metadata.finalizers).toBe(
    undefined,
  );
});

test("a Gateway that moves to another class loses endpoint, finalizer and stamp, and so does its route", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world, controllerName } = shop;
  await populateGatewayShop(shop);
  const other = `${shop.className}-other`;
  await shop.makeClass(other, "example.com/other");
  await world.touch(Gateway, "edge", "/spec/gatewayClassName", other);
  const freed = await world.until(Gateway, "edge", (gateway) => !isHeld(gateway));
  expect(freed.metadata.annotations?.[DRAIN_OWNER]).toBeUndefined();
  const route = await world.until(HTTPRoute, "web", (one) => !isHeld(one) && saidBy(one, controllerName).length === 0);
  expect(route.metadata.annotations?.[DRAIN_OWNER]).toBeUndefined();
  expect(await urlsOnceQuiet(world)).toEqual([]);
  expect((await classOf(shop))?.metadata.finalizers ?? []).toEqual([]);
});

test("what is deleted is let go, in any order; the class by its last Gateway (W12)", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await populateGatewayShop(shop);
  const found = await classOf(shop);
  await world.write.remove(
    { kind: GatewayClass, ref: { name: shop.className }, uid: found?.metadata.uid ?? "" },
    signal(),
  );
  await world.quiet();
  expect((await classOf(shop))?.metadata.finalizers).toEqual([GATEWAY_CLASS_FINALIZER]);
  expect(await urlsOnceQuiet(world)).toEqual(["https://shop.ngrok.app"]);
  await world.remove(HTTPRoute, "web");
  await world.gone(HTTPRoute, "web");
  await world.remove(Gateway, "edge");
  await world.gone(Gateway, "edge");
  await world.quiet();
  expect(await classOf(shop)).toBeUndefined();
  expect(await urlsOnceQuiet(world)).toEqual([]);
});

test("a deleting Gateway and a deleting route are let go whatever their class is now (W18)", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig, start: false });
  const { world } = shop;
  const metadata = { finalizers: [FINALIZER, "example.com/theirs"] };
  await world.create(Gateway, shop.gateway("shop.ngrok.app", { metadata, spec: { gatewayClassName: "nowhere" } }));
  await world.create(HTTPRoute, shop.route("web", "web", { metadata }));
  await world.remove(Gateway, "edge");
  await world.remove(HTTPRoute, "web");
  world.start();
  for (const [kind, name] of [
    [Gateway, "edge"],
    [HTTPRoute, "web"],
  ] as const) {
    const freed = await world.until(kind as Kind, name, (one) => !isHeld(one));
    expect(freed.metadata.finalizers).toEqual(["example.com/theirs"]);
  }
});

test("what was held while the feature was on can go after it was switched off (F9)", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig, options: { features: ["ingress"] } });
  const { world } = shop;
  const metadata = { finalizers: [FINALIZER] };
  await world.create(Gateway, shop.gateway("shop.ngrok.app", { metadata }));
  await world.create(HTTPRoute, shop.route("web", "web", { metadata }));
  await world.quiet();
  expect(world.written()).toEqual([]);
  await world.remove(Gateway, "edge");
  await world.remove(HTTPRoute, "web");
  await world.gone(Gateway, "edge");
  await world.gone(HTTPRoute, "web");
});
