// Whose a Gateway and a route are, and what a deletion or a change of hands makes of our claim.
import { expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, type GatewayObject, HTTPRoute, type RouteObject } from "#kube/kinds.ts";
import { Cache } from "#operator/runtime/cache.ts";
import type { LeaderController, Surroundings } from "#operator/runtime/define-controller.ts";
import { gatewayIndexes, gatewaysGranted, routeIndexes, routesGranted } from "#operator/translate/gateway/links.ts";
import { aGateway, aGatewayClass, anHTTPRoute } from "#test/support/builders.ts";
import { aGrant } from "#test/support/gateway-ground.ts";
import { gatewayClassController } from "./class.ts";
import { gatewayController } from "./gateway.ts";
import { isServed } from "./look.ts";
import { routeControllers } from "./routes.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const stamped = { annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
const deletionTimestamp = "2026-01-01T00:00:00Z";

/** The cluster with these objects; the flags are the defaults but for the controller's name. */
function around(objects: readonly (readonly [Kind, KubeObject])[], gatewayControllerName?: string): Surroundings {
  const cached = new Cache();
  cached.add(GatewayClass);
  cached.add(Gateway, gatewayIndexes);
  cached.add(HTTPRoute, routeIndexes);
  for (const [kind, object] of objects) cached.store(kind).put(object);
  const routing = { ingressControllerName: "", referenceGrants: true };
  const options = {
    metadata: {},
    routing: { ...routing, ...(gatewayControllerName === undefined ? {} : { gatewayControllerName }) },
  } as unknown as Surroundings["options"];
  return { release, clusterWide: true, options, cached };
}

const ours = [GatewayClass, aGatewayClass()] as const;
const theirs = [GatewayClass, aGatewayClass({ spec: { controllerName: "example.com/other" } })] as const;

function saysOf<T extends KubeObject>(
  controller: LeaderController<T>,
  object: T,
  given: Surroundings,
): { serves: boolean | undefined; claims: boolean | undefined } {
  return { serves: controller.serves?.(object, given), claims: controller.claims?.(object, given) };
}

const left = { serves: false, claims: false };
const held = { serves: true, claims: true };
const freed = { serves: true, claims: false };

test.for<{ what: string; objects: (typeof ours)[]; gateway: GatewayObject; says: object }>([
  { what: "of our class", objects: [ours], gateway: aGateway(), says: held },
  { what: "of another's class", objects: [theirs], gateway: aGateway(), says: left },
  { what: "of a class that is not there", objects: [], gateway: aGateway(), says: left },
  {
    what: "of another's class with another install's finalizer",
    objects: [theirs],
    gateway: aGateway({ metadata: { finalizers: [FINALIZER] } }),
    says: left,
  },
  { what: "that was ours", objects: [theirs], gateway: aGateway({ metadata: stamped }), says: freed },
  {
    what: "that is deleted with our finalizer, whatever its class",
    objects: [theirs],
    gateway: aGateway({ metadata: { finalizers: [FINALIZER], deletionTimestamp } }),
    says: freed,
  },
])("a Gateway $what", ({ objects, gateway, says }) => {
  expect(saysOf(gatewayController, gateway, around(objects))).toEqual(says);
});

test("two installs with controller names of their own have each its own Gateways", () => {
  expect(isServed(aGateway(), around([ours], "example.com/mine"))).toBe(false);
  expect(isServed(aGateway(), around([theirs], "example.com/other"))).toBe(true);
});

const spoken = (namespace?: string): Partial<RouteObject> => ({
  status: {
    parents: [
      {
        controllerName: "ngrok.com/gateway-controller",
        parentRef: { name: "gone", ...(namespace === undefined ? {} : { namespace }) },
      },
    ],
  },
});

test.for<{ what: string; objects: (readonly [Kind, KubeObject])[]; route: RouteObject; says: object }>([
  { what: "at a Gateway of ours", objects: [ours, [Gateway, aGateway()]], route: anHTTPRoute(), says: held },
  { what: "at another's Gateway", objects: [theirs, [Gateway, aGateway()]], route: anHTTPRoute(), says: left },
  { what: "at a Gateway that is not there", objects: [ours], route: anHTTPRoute(), says: left },
  { what: "that was ours", objects: [ours], route: anHTTPRoute({ metadata: stamped }), says: freed },
  { what: "that still says something of ours", objects: [ours], route: anHTTPRoute(spoken()), says: freed },
  {
    what: "that is deleted with our finalizer",
    objects: [],
    route: anHTTPRoute({ metadata: { finalizers: [FINALIZER], deletionTimestamp } }),
    says: freed,
  },
])("a route $what", ({ objects, route, says }) => {
  expect(saysOf(routeControllers[0]!, route, around(objects))).toEqual(says);
});

test("what a route says of a Gateway out of sight is another install's to take back", () => {
  const here = around([ours]);
  const limited = { ...here, release: { ...release, watchNamespace: "default" } };
  expect(routeControllers[0]?.serves?.(anHTTPRoute(spoken("data")), limited)).toBe(false);
  expect(routeControllers[0]?.serves?.(anHTTPRoute(spoken("data")), here)).toBe(true);
});

const deletedClass = aGatewayClass({ metadata: { finalizers: [GATEWAY_CLASS_FINALIZER], deletionTimestamp } });

test.for<{ what: string; objects: (readonly [Kind, KubeObject])[]; object: typeof deletedClass; says: object }>([
  { what: "that a Gateway names", objects: [[Gateway, aGateway()]], object: aGatewayClass(), says: held },
  { what: "that no Gateway names", objects: [], object: aGatewayClass(), says: freed },
  { what: "of another's", objects: [[Gateway, aGateway()]], object: theirs[1], says: left },
  {
    what: "that is deleted while a Gateway names it waits",
    objects: [[Gateway, aGateway()]],
    object: deletedClass,
    says: { serves: false, claims: true },
  },
  { what: "that is deleted and named by nobody", objects: [], object: deletedClass, says: freed },
])("a GatewayClass $what (W12)", ({ objects, object, says }) => {
  expect(saysOf(gatewayClassController, object, around(objects))).toEqual(says);
});

const listenerWith = (name: string, namespace: string) => {
  const tls = { certificateRefs: [{ name, namespace }] };
  return { name: "https", hostname: "shop.example.com", port: 443, protocol: "HTTPS", tls };
};
const routeTo = (name: string, namespace: string, edge = "edge"): RouteObject =>
  anHTTPRoute({
    metadata: { name: `to-${namespace}-${name}-by-${edge}` },
    spec: { parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name, namespace, port: 80 }] }] },
  });
const client = { backend: { clientCertificateRef: { name: "client" } } };
const leaning: readonly (readonly [Kind, KubeObject])[] = [
  [Gateway, aGateway({ metadata: { name: "named" }, spec: { listeners: [listenerWith("cert", "vault")] } })],
  [Gateway, aGateway({ metadata: { name: "other" }, spec: { listeners: [listenerWith("x", "vault")] } })],
  [Gateway, aGateway({ metadata: { name: "home" }, spec: { listeners: [listenerWith("cert", "default")] } })],
  [Gateway, aGateway({ metadata: { name: "showing" }, spec: { tls: client } })],
  [HTTPRoute, routeTo("shop", "vault")],
  [HTTPRoute, routeTo("depot", "vault")],
  [HTTPRoute, routeTo("shop", "default")],
  [HTTPRoute, routeTo("shop", "default", "showing")],
];

test.for<{ what: string; grant: Parameters<typeof aGrant>[0]; gateways: string[]; routes: string[] }>([
  {
    what: "one Secret",
    grant: { in: "vault", from: { kind: "Gateway", namespace: "default" }, to: { kind: "Secret", name: "cert" } },
    gateways: ["named"],
    routes: [],
  },
  {
    what: "all Secrets",
    grant: { in: "vault", from: { kind: "Gateway", namespace: "default" }, to: { kind: "Secret" } },
    gateways: ["named", "other"],
    routes: [],
  },
  {
    what: "one Service",
    grant: { in: "vault", from: { kind: "HTTPRoute", namespace: "default" }, to: { kind: "Service", name: "shop" } },
    gateways: [],
    routes: ["to-vault-shop-by-edge"],
  },
  {
    what: "a certificate shown to Services here",
    grant: { in: "default", from: { kind: "Gateway", namespace: "default" }, to: { kind: "Secret", name: "client" } },
    gateways: [],
    routes: ["to-default-shop-by-showing"],
  },
  {
    what: "another namespace's objects",
    grant: { in: "vault", from: { kind: "HTTPRoute", namespace: "else" }, to: { kind: "Service" } },
    gateways: [],
    routes: [],
  },
])("a grant for $what concerns those whose references it is about, and nobody else", ({ grant, gateways, routes }) => {
  const { cached } = around(leaning);
  const named = (found: readonly KubeObject[]): string[] => found.map(({ metadata }) => metadata.name).toSorted();
  expect(named(gatewaysGranted(cached, aGrant(grant)))).toEqual(gateways);
  expect(named(routesGranted(cached, HTTPRoute, aGrant(grant)))).toEqual(routes);
});
