// Gateways and routes on a real API server with Gateway API: what they become, and what they show.
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import type { Kind } from "#kube/kind.ts";
import { Event, Gateway, HTTPRoute, ReferenceGrant, type RouteObject, Service, TCPRoute } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aTCPRoute } from "#test/support/builders.ts";
import { aGrant } from "#test/support/gateway-ground.ts";
import { classOf, isHeld, said, saidBy, urlsOnceQuiet } from "#test/support/gateway-seen.ts";
import {
  gatewayControllers,
  installGatewayApi,
  openGatewayShop,
  populateGatewayShop,
} from "#test/support/gateway-shop.ts";
import { startWorld, type World } from "#test/support/world.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

test("a Gateway and its HTTPRoute become an endpoint; class, Gateway and route are held and show it, and then nothing more is written", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world, controllerName } = shop;
  await populateGatewayShop(shop);
  expect(await urlsOnceQuiet(world)).toEqual(["https://shop.ngrok.app"]);

  const gatewayClass = await classOf(shop);
  expect(gatewayClass?.metadata.finalizers).toEqual([GATEWAY_CLASS_FINALIZER]);
  expect(gatewayClass?.metadata.annotations?.[DRAIN_OWNER]).toBe(`${world.namespace}/ngrok`);
  expect(said(gatewayClass?.status?.conditions)).toEqual(["Accepted True Accepted"]);
  const gateway = await world.get(Gateway, "edge");
  expect(gateway?.metadata.finalizers).toEqual([FINALIZER]);
  expect(said(gateway?.status?.conditions)).toEqual([
    "Accepted True Accepted",
    "Programmed True Programmed",
    "ResolvedRefs True ResolvedRefs",
  ]);
  expect(gateway?.status?.addresses).toEqual([{ type: "Hostname", value: "shop.ngrok.app" }]);
  const [listener] = gateway?.status?.listeners ?? [];
  expect(listener?.attachedRoutes).toBe(1);
  expect(listener?.supportedKinds).toEqual([{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }]);
  expect(said(listener?.conditions)).toContain("Programmed True Programmed");
  const route = await world.get(HTTPRoute, "web");
  expect(route?.metadata.finalizers).toEqual([FINALIZER]);
  expect(saidBy(route!, controllerName)).toEqual([["Accepted True Accepted", "ResolvedRefs True ResolvedRefs"]]);

  const written = world.written().length;
  await world.manager.stop();
  world.start();
  await world.quiet();
  await world.touch(HTTPRoute, "web", "/metadata/labels", { seen: "yes" });
  await world.touch(Gateway, "edge", "/metadata/labels", { seen: "yes" });
  await world.quiet();
  expect(world.written().slice(written)).toEqual([]);
});

test("what other controllers say of a route and of a Gateway stays, and is nothing to write about", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world, controllerName } = shop;
  await populateGatewayShop(shop);
  const theirs = {
    parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "theirs" },
    controllerName: "example.com/other",
    conditions: [
      {
        type: "Accepted",
        status: "True" as const,
        reason: "Accepted",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
  };
  const before = await world.get(HTTPRoute, "web");
  await speak(world, HTTPRoute, "web", { parents: [...(before?.status?.parents ?? []), theirs] });
  const stranger = { ...theirs.conditions[0], type: "example.com/Seen" };
  const gateway = await world.get(Gateway, "edge");
  await speak(world, Gateway, "edge", { conditions: [...(gateway?.status?.conditions ?? []), stranger] });
  await world.quiet();
  const written = world.written().length;
  await world.touch(HTTPRoute, "web", "/metadata/labels", { seen: "yes" });
  await world.touch(Gateway, "edge", "/metadata/labels", { seen: "yes" });
  await world.quiet();
  expect(world.written().slice(written)).toEqual([]);

  await world.touch(HTTPRoute, "web", "/spec/rules/0/backendRefs/0/name", "absent");
  const route = await world.until(HTTPRoute, "web", (one) =>
    saidBy(one, controllerName).some((conditions) => conditions.includes("ResolvedRefs False BackendNotFound")),
  );
  expect(route.status?.parents).toContainEqual(expect.objectContaining(theirs));
});

/** A status as another controller writes it: whole. */
async function speak(world: World, kind: Kind, name: string, status: object): Promise<void> {
  await world.connection.request({
    method: "PATCH",
    path: `/apis/gateway.networking.k8s.io/v1/namespaces/${world.namespace}/${kind.plural}/${name}/status`,
    query: { fieldManager: "example" },
    contentType: "application/merge-patch+json",
    body: { status },
    signal: signal(),
  });
}

test("a grant that goes takes the reference with it: ResolvedRefs is False, and the endpoint is gone", async () => {
  await using data = await startWorld({ controllers: [], kubeconfig: plane.kubeconfig, start: false });
  // The others would look after what other tests have left in the cluster.
  const controllers = gatewayControllers.filter(({ name }) => !["domain", "cloud-endpoint"].includes(name));
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig, everywhere: true, controllers });
  const { world, controllerName } = shop;
  await data.create(Service, shop.plainService("web"));
  await world.create(Gateway, shop.gateway("shop.ngrok.app"));
  const backendRefs = [{ name: "web", namespace: data.namespace, port: 80 }];
  await world.create(HTTPRoute, shop.route("web", "web", { spec: { rules: [{ backendRefs }] } }));
  const shows = (condition: string) => (route: RouteObject) =>
    saidBy(route, controllerName).some((conditions) => conditions.includes(condition));
  await world.until(HTTPRoute, "web", shows("ResolvedRefs False RefNotPermitted"));
  expect(await urlsOnceQuiet(world)).toEqual([]);
  const from = { kind: "HTTPRoute", namespace: world.namespace };
  await data.create(ReferenceGrant, aGrant({ in: data.namespace, from, to: { kind: "Service" } }));
  await world.until(HTTPRoute, "web", shows("ResolvedRefs True ResolvedRefs"));
  await world.quiet();
  expect(await urlsOnceQuiet(data)).toEqual(["https://shop.ngrok.app"]);
  await data.remove(ReferenceGrant, "grant");
  await world.until(HTTPRoute, "web", shows("ResolvedRefs False RefNotPermitted"));
  await world.quiet();
  expect(await urlsOnceQuiet(data)).toEqual([]);
});

test("each thing that a route leans on is picked up", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world, controllerName } = shop;
  await world.create(HTTPRoute, shop.route("web", "web"));
  await world.create(Gateway, shop.gateway("shop.ngrok.app"));
  const has = (condition: string) => (route: RouteObject) =>
    saidBy(route, controllerName).some((conditions) => conditions.includes(condition));
  await world.until(HTTPRoute, "web", has("ResolvedRefs False BackendNotFound"));
  expect(await urlsOnceQuiet(world)).toEqual([]);
  await shop.service("web");
  await world.until(HTTPRoute, "web", has("ResolvedRefs True ResolvedRefs"));
  expect(await urlsOnceQuiet(world)).toEqual(["https://shop.ngrok.app"]);
  await world.remove(Gateway, "edge");
  await world.gone(Gateway, "edge");
  await world.until(HTTPRoute, "web", (route) => !isHeld(route) && saidBy(route, controllerName).length === 0);
  expect(await urlsOnceQuiet(world)).toEqual([]);
});

test("a TCPRoute shows what becomes of it as well", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world, controllerName } = shop;
  await shop.service("database");
  const listeners = [{ name: "tcp", port: 5432, protocol: "TCP" }];
  const addresses = [{ type: "Hostname", value: "1.tcp.ngrok.io" }];
  await world.create(Gateway, shop.gateway("", { spec: { listeners, addresses } }));
  const { spec: _, ...bare } = aTCPRoute();
  const spec = { parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: "database", port: 80 }] }] };
  await world.create(TCPRoute, { ...bare, spec });
  const route = await world.until(TCPRoute, "database", (one) => saidBy(one, controllerName).length > 0);
  expect(isHeld(route)).toBe(true);
  expect(saidBy(route, controllerName)).toEqual([["Accepted True Accepted", "ResolvedRefs True ResolvedRefs"]]);
  expect(await urlsOnceQuiet(world)).toEqual(["tcp://1.tcp.ngrok.io:5432"]);
});

test("what cannot be served as it is written is told on the Gateway and on the route, with the remedy", async () => {
  await using shop = await openGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await world.create(
    Gateway,
    shop.gateway("", {
      spec: {
        listeners: [
          {
            name: "http",
            hostname: "a.ngrok.app",
            port: 8080,
            protocol: "HTTPS",
            tls: { options: { "k8s.ngrok.com/terminate-tls.min_version": "1.3" } },
          },
        ],
      },
    }),
  );
  await world.create(HTTPRoute, shop.route("web", "absent", { spec: { parentRefs: [{ name: "edge" }] } }));
  await world.until(
    Gateway,
    "edge",
    ({ status }) => said(status?.listeners?.[0]?.conditions).includes("Accepted False PortUnavailable") === true,
  );
  await world.quiet();
  const told: string[] = [];
  for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal()))
    told.push(...items.map(({ regarding, reason, note }) => `${regarding.kind} ${reason} ${note}`));
  expect(told).toContainEqual(expect.stringMatching(/^Gateway ConfigError spec\.listeners\[0\]\.port: /));
  expect(told).toContainEqual(expect.stringMatching(/^Gateway LegacyAnnotation .*write ngrok\.com\/terminate-tls/));
});
