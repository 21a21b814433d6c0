// Features that are switched on and off, in an install with all of its controllers: what each needs is there, and what is
// switched off is not served any more, whichever other feature is on.
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import type { Feature } from "#api/rbac.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, HTTPRoute, Ingress, IngressClass, type IngressObject } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { anIngress, anIngressClass } from "#test/support/builders.ts";
import { type GatewayShop, installGatewayApi, startGatewayShop } from "#test/support/gateway-shop.ts";
import { isReady } from "#test/support/world.ts";
import { controllers } from "./manager.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const isHeld = ({ metadata }: KubeObject): boolean => (metadata.finalizers ?? []).length > 0;
const verbose = { "ngrok.com/mapping-strategy": "endpoints-verbose" };

/** An Ingress for one host, and a Gateway for another; both lead to `shared`, and each to a Service of its own. */
async function open(features: readonly Feature[]): Promise<GatewayShop> {
  const shop = await startGatewayShop({ kubeconfig: plane.kubeconfig, controllers, options: { features } });
  const { world } = shop;
  await shop.makeClass(shop.className, shop.controllerName);
  const ours = { metadata: { name: shop.className }, spec: { controller: shop.ingressController } };
  await world.write.create(IngressClass, anIngressClass(ours), signal());
  for (const name of ["shared", "of-ingress", "of-gateway"]) await shop.service(name);
  await world.create(Gateway, shop.gateway("gate.ngrok.app", { metadata: { annotations: verbose } }));
  const backendRefs = ["shared", "of-gateway"].map((name) => ({ name, port: 80 }));
  await world.create(HTTPRoute, shop.route("web", "shared", { spec: { rules: [{ backendRefs }] } }));
  await world.create(Ingress, ingressOf(shop));
  return shop;
}

function ingressOf({ className }: GatewayShop): IngressObject {
  const paths = ["shared", "of-ingress"].map((name) => ({
    path: `/${name}`,
    pathType: "Prefix" as const,
    backend: { service: { name, port: { number: 80 } } },
  }));
  const rules = [{ host: "shop.ngrok.app", http: { paths } }];
  return anIngress({ metadata: { annotations: verbose }, spec: { ingressClassName: className, rules } });
}

/** uid of each endpoint by what it is, when all is quiet. */
async function endpoints({ world }: GatewayShop): Promise<Record<string, string>> {
  await world.quiet();
  const found: Record<string, string> = {};
  for (const kind of [CloudEndpoint, AgentEndpoint] as Kind<CloudEndpoint | AgentEndpoint>[])
    for await (const { items } of world.read.pages(kind, { namespace: world.namespace }, signal()))
      for (const { spec, metadata } of items)
        found[spec.url.replace(/^https:\/\/[0-9a-f]{5}-(.*)-world-.*$/, "$1")] = metadata.uid ?? "";
  return found;
}

const OF_GATEWAYS = ["https://gate.ngrok.app", "of-gateway"];
const OF_INGRESSES = ["https://shop.ngrok.app", "of-ingress"];
const allOf = (...lists: readonly (readonly string[])[]): string[] => [...lists.flat(), "shared"].toSorted();

test("an install for Gateway API alone has all that it needs, and leaves Ingresses alone", async () => {
  await using shop = await open(["gateway"]);
  const { world } = shop;
  await world.until(CloudEndpoint, `edge.${world.namespace}-gate.ngrok.app`, isReady);
  await world.until(Domain, "gate-ngrok-app", isReady);
  await expect.poll(async () => Object.keys(await endpoints(shop)).toSorted()).toEqual(allOf(OF_GATEWAYS));
  const gateway = await world.get(Gateway, "edge");
  expect(gateway?.status?.addresses).toEqual([{ type: "Hostname", value: "gate.ngrok.app" }]);
  expect((await world.get(Ingress, "shop"))?.metadata.finalizers).toBeUndefined();
  expect(world.written().filter((line) => line.includes("ingresses"))).toEqual([]);
});

test.for([
  { off: "ingress", on: ["gateway"], stays: allOf(OF_GATEWAYS), free: [Ingress], held: [Gateway, HTTPRoute] },
  { off: "gateway", on: ["ingress"], stays: allOf(OF_INGRESSES), free: [Gateway, HTTPRoute], held: [Ingress] },
  { off: "everything", on: [], stays: [], free: [Gateway, HTTPRoute, Ingress], held: [] },
] as const)(
  "with $off switched off, what was made for it goes and its objects go free; the rest is not touched (F9, W12)",
  async ({ on, stays, free, held }) => {
    await using shop = await open(["ingress", "gateway"]);
    const { world } = shop;
    const nameOf = (kind: Kind): string => (kind === Gateway ? "edge" : kind === Ingress ? "shop" : "web");
    for (const kind of [Gateway, HTTPRoute, Ingress] as Kind[]) await world.until(kind, nameOf(kind), isHeld);
    await world.until(CloudEndpoint, "shop.ngrok.app", isReady);
    await world.until(CloudEndpoint, `edge.${world.namespace}-gate.ngrok.app`, isReady);
    const all = async (): Promise<string[]> => Object.keys(await endpoints(shop)).toSorted();
    await expect.poll(all).toEqual(allOf(OF_GATEWAYS, OF_INGRESSES));
    const before = await endpoints(shop);

    await world.manager.stop();
    const after = world.start({ options: { features: on } });

    for (const kind of free as readonly Kind[]) {
      const { metadata } = await world.until(kind, nameOf(kind), (one) => !isHeld(one));
      expect(metadata.annotations?.[DRAIN_OWNER]).toBeUndefined();
    }
    const stay = Object.fromEntries(stays.map((name) => [name, before[name]]));
    await expect.poll(async () => await endpoints(shop)).toEqual(stay);
    for (const kind of held as readonly Kind[]) expect(isHeld((await world.get(kind, nameOf(kind)))!)).toBe(true);
    const gatewayClass = await world.read.get(GatewayClass, { name: shop.className }, signal());
    expect(isHeld(gatewayClass!)).toBe((held as readonly Kind[]).includes(Gateway));
    for (const name of ["shop-ngrok-app", "gate-ngrok-app"]) expect(await world.get(Domain, name)).toBeDefined();

    await after.stop();
    world.start();
    await world.until(CloudEndpoint, "shop.ngrok.app", isReady);
    await world.until(CloudEndpoint, `edge.${world.namespace}-gate.ngrok.app`, isReady);
    await expect.poll(all).toEqual(Object.keys(before).toSorted());
  },
);
