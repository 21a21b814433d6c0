// Whatever users write that cannot be served as it is written, is told on the object that says it: what, where, and what to
// do about it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Event, Gateway, type GatewayObject, HTTPRoute, Ingress, IngressClass, Secret, Service } from "#kube/kinds.ts";
import { ingressController } from "#operator/controllers/ingress/controller.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { anIngress, anIngressClass, aService } from "#test/support/builders.ts";
import { aTlsSecret } from "#test/support/gateway-ground.ts";
import {
  type GatewayShop,
  gatewayControllers,
  installGatewayApi,
  startGatewayShop,
} from "#test/support/gateway-shop.ts";
import { takenName } from "#test/support/shop.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function open(): Promise<GatewayShop> {
  const controllers = [...gatewayControllers, ingressController];
  const options = { features: ["ingress", "gateway"] as const };
  const shop = await startGatewayShop({ kubeconfig: plane.kubeconfig, controllers, options });
  await shop.makeClass(shop.className, shop.controllerName);
  const ours = { metadata: { name: shop.className }, spec: { controller: shop.ingressController } };
  await shop.world.write.create(IngressClass, anIngressClass(ours), signal());
  return shop;
}

/** `Kind name reason note` of each event. */
async function told({ world }: GatewayShop): Promise<string[]> {
  await world.quiet();
  const found: string[] = [];
  for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal()))
    found.push(
      ...items.map(({ regarding, reason, note }) => `${regarding.kind} ${regarding.name ?? ""} ${reason}: ${note}`),
    );
  return found;
}

function ingressOf({ className }: GatewayShop, host: string, annotations: Record<string, string> = {}) {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const rules = [{ host, http: { paths: [{ path: "/", pathType: "Prefix" as const, backend }] } }];
  return anIngress({ metadata: { annotations }, spec: { ingressClassName: className, rules } });
}

test.for([
  ["mapping-strategy", "edges", /ConfigError: .*mapping-strategy"\]: .*write endpoints, endpoints-collapsed or/],
  ["traffic-policy", "a,b", /InvalidIngressSpec: .*traffic-policy"\]: .*: /],
  ["traffic-policy", "", /InvalidIngressSpec: .*traffic-policy"\]: .*: /],
  ["traffic-policy", "missing", /InvalidIngressSpec: .*traffic-policy"\]: .*missing.*: /],
  ["bindings", "public,internal", /InvalidIngressSpec: .*bindings"\]: .*: /],
  ["bindings", "privat", /InvalidIngressSpec: .*bindings"\]: .*: /],
  ["metadata", "{", /ConfigError: .*metadata"\]: is not a JSON object: write one like/],
  ["traffic-polcy", "office", /ConfigError: .*traffic-polcy"\]: nobody reads it .*: write ngrok.com\/traffic-policy/],
  ["pooling-enabled", "yes", /ConfigError: .*pooling-enabled"\]: "yes" is neither true nor false: write one of/],
] as const)("an Ingress's annotation %s of %j is told, with the remedy", async ([suffix, value, expected]) => {
  await using shop = await open();
  await shop.service("web");
  await shop.world.create(Ingress, ingressOf(shop, "shop.ngrok.app", { [`ngrok.com/${suffix}`]: value }));
  await expect.poll(() => told(shop)).toContainEqual(expect.stringMatching(expected));
});

test("a Gateway that may not be served for an annotation shows it in its condition and in an event", async () => {
  await using shop = await open();
  const annotations = { "ngrok.com/bindings": "privat" };
  await shop.world.create(Gateway, shop.gateway("shop.ngrok.app", { metadata: { annotations } }));
  const why = /metadata\.annotations\["ngrok\.com\/bindings"\]:? .*public, internal or kubernetes/;
  await shop.world.until(
    Gateway,
    "edge",
    ({ status }) =>
      status?.conditions?.some(
        ({ type, status: is, message = "" }) => type === "Programmed" && is === "False" && why.test(message),
      ) === true,
  );
  await expect.poll(() => told(shop)).toContainEqual(expect.stringMatching(why));
});

test("who mends one mistake and makes the next hears of that one too", async () => {
  await using shop = await open();
  const { world } = shop;
  await shop.service("web");
  await world.create(Ingress, ingressOf(shop, "shop.ngrok.app", { "ngrok.com/bindings": "privat" }));
  await expect.poll(() => told(shop)).toContainEqual(expect.stringContaining("bindings"));
  const { uid = "" } = (await world.get(Ingress, "shop"))?.metadata ?? {};
  const next = [{ op: "add" as const, path: "/metadata/annotations", value: { "ngrok.com/traffic-policy": "a,b" } }];
  await world.write.patch(Ingress, { name: "shop", namespace: world.namespace }, uid, next, signal());
  await expect.poll(() => told(shop)).toContainEqual(expect.stringContaining("traffic-policy"));
});

test("a Service that says what cannot be followed is told itself, for an Ingress and for a route", async () => {
  await using shop = await open();
  const annotations = { "ngrok.com/app-protocols": "{" };
  const { spec } = shop.plainService("web");
  for (const name of ["web", "api"]) {
    const { spec: _, ...bare } = aService({ metadata: { name, annotations } });
    await shop.world.create(Service, { ...bare, ...(spec && { spec }) });
  }
  await shop.world.create(Ingress, ingressOf(shop, "shop.ngrok.app"));
  await shop.world.create(Gateway, shop.gateway("gate.ngrok.app"));
  await shop.world.create(HTTPRoute, shop.route("api", "api"));
  const line = (name: string): RegExp =>
    new RegExp(`^Service ${name} ConfigError: metadata.annotations.*app-protocols.*: is not a JSON object: write one`);
  for (const name of ["web", "api"])
    await expect.poll(() => told(shop)).toContainEqual(expect.stringMatching(line(name)));
});

test("a host that an Ingress has is told to the Gateway that asks for it as well, and in its condition while that is so", async () => {
  await using shop = await open();
  await shop.service("web");
  await shop.world.create(Ingress, ingressOf(shop, "shop.ngrok.app"));
  await shop.world.create(Gateway, shop.gateway("shop.ngrok.app"));
  await shop.world.create(HTTPRoute, shop.route("web", "web"));
  const expected =
    /^Gateway edge ConfigError: spec.listeners: Ingress .*\/shop serves https:\/\/shop.ngrok.app too, .*: annotate both/;
  await expect.poll(() => told(shop)).toContainEqual(expect.stringMatching(expected));

  const but =
    /^True listener programmed by the ngrok operator, but for CloudEndpoint .* and CloudEndpoint .* serve https:\/\/shop.ngrok.app, /;
  const programmed = ({ status }: GatewayObject): string => {
    const found = status?.listeners?.[0]?.conditions.find(({ type }) => type === "Programmed");
    return `${found?.status} ${found?.message}`;
  };
  await shop.world.until(Gateway, "edge", (gateway) => but.test(programmed(gateway)));
  await shop.world.remove(Ingress, "shop");
  await shop.world.until(
    Gateway,
    "edge",
    (gateway) => programmed(gateway) === "True listener programmed by the ngrok operator",
  );
});

test("a route whose rules for responses never act is told on its own, and where its annotations belong", async () => {
  await using shop = await open();
  await shop.service("web");
  await shop.world.create(Gateway, shop.gateway("shop.ngrok.app"));
  const { metadata, spec } = shop.route("web", "web");
  const filter = { type: "ResponseHeaderModifier", responseHeaderModifier: { remove: ["server"] } };
  const rules = spec?.rules?.map((rule) => ({ ...rule, filters: [filter] })) ?? [];
  const annotations = { "k8s.ngrok.com/bindings": "internal" };
  await shop.world.create(HTTPRoute, { metadata: { ...metadata, annotations }, spec: { ...spec, rules } });
  const line = (field: string): unknown => expect.stringMatching(new RegExp(`^HTTPRoute web ConfigError: ${field}: `));
  await expect
    .poll(() => told(shop))
    .toEqual(expect.arrayContaining([line(String.raw`spec\.rules\[0\]`), line(String.raw`metadata\.annotations.*`)]));
  expect((await told(shop)).filter((one) => one.includes("LegacyAnnotation"))).toEqual([]);
});

test("an endpoint whose name somebody else's has is an event on the Gateway whose route leads to its Service", async () => {
  await using shop = await open();
  const { world } = shop;
  const name = await takenName(shop);
  const annotations = { "ngrok.com/mapping-strategy": "endpoints-verbose" };
  await world.create(Gateway, shop.gateway("shop.ngrok.app", { metadata: { annotations } }));
  await world.create(HTTPRoute, shop.route("web", "web"));
  const expected = `Gateway edge CreateError: AgentEndpoint ${world.namespace}/${name} was not made by the operator, which needs this name: rename or delete it`;
  await expect.poll(() => told(shop)).toContain(expected);
});

test("a Secret that is not there as a certificate is in an event and in the listener's condition, until it is there", async () => {
  await using shop = await open();
  const { world } = shop;
  await shop.service("web");
  const tls = { mode: "Terminate" as const, certificateRefs: [{ name: "cert" }] };
  const listeners = [{ name: "https", hostname: "shop.ngrok.app", port: 443, protocol: "HTTPS", tls }];
  // Of another type: those are not watched.
  await world.create(Secret, { metadata: { name: "cert" }, type: "Opaque" });
  await world.create(Gateway, shop.gateway("", { spec: { listeners } }));
  await world.create(HTTPRoute, shop.route("web", "web"));
  const remedy = `Secret ${world.namespace}/cert does not exist, or is not of type kubernetes.io/tls: make it with kubectl -n ${world.namespace} create secret tls cert`;
  const condition = ({ status }: GatewayObject): string => {
    const found = status?.listeners?.[0]?.conditions.find(({ type }) => type === "ResolvedRefs");
    return `${found?.status} ${found?.reason} ${found?.message}`;
  };
  const shown = await world.until(Gateway, "edge", (gateway) => condition(gateway).startsWith("False"));
  expect(condition(shown)).toContain(`False InvalidCertificateRef`);
  expect(condition(shown)).toContain(remedy);
  const event = `Gateway edge ConfigError: spec.listeners[0].tls.certificateRefs[0]: ${remedy}`;
  await expect.poll(() => told(shop)).toContainEqual(expect.stringContaining(event));
  await world.remove(Secret, "cert");
  await world.create(Secret, aTlsSecret("cert"));
  await world.until(Gateway, "edge", (gateway) => condition(gateway).startsWith("True ResolvedRefs"));
});
