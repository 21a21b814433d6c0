// A world in which users ask for endpoints by Gateway API: an API server of one's own with its CRDs, a GatewayClass, and
// all controllers that turn Gateways and routes into endpoints. Each world's class is nobody else's.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { connect } from "#kube/connection.ts";
import {
  Gateway,
  GatewayClass,
  type GatewayClassObject,
  type GatewayObject,
  HTTPRoute,
  ReferenceGrant,
  type RouteObject,
  Service,
  type ServiceObject,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import { cloudEndpointController } from "#operator/controllers/cloud-endpoint/controller.ts";
import { domainController } from "#operator/controllers/domain/controller.ts";
import { gatewayClassController } from "#operator/controllers/gateway-api/class.ts";
import { gatewayController } from "#operator/controllers/gateway-api/gateway.ts";
import { routeControllers } from "#operator/controllers/gateway-api/routes.ts";
import { translationController } from "#operator/controllers/translation/controller.ts";
import type { Controller } from "#operator/runtime/define-controller.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { aGateway, aGatewayClass, anHTTPRoute, aService } from "./builders.ts";
import { discoverable } from "./crds.ts";
import { isProgrammed } from "./gateway-seen.ts";
import { built, type Overrides } from "./overrides.ts";
import { patient } from "./patient.ts";
import { startWorld, type World, type WorldOptions } from "./world.ts";

export const gatewayControllers: readonly Controller[] = [
  gatewayClassController,
  gatewayController,
  ...routeControllers,
  translationController,
  domainController,
  cloudEndpointController,
];

/** Resolves when all kinds of the channel are served; the experimental one has those of the standard one too. */
export async function installGatewayApi(
  kubeconfig: string,
  channel: "standard" | "experimental" = "experimental",
): Promise<void> {
  const program = join(await binaries(console.log), "kubectl");
  const kubectl = async (args: readonly string[]): Promise<string> =>
    await command(program, ["--kubeconfig", kubeconfig, ...args]);
  const files = (await gatewayApiCrds(channel, console.log)).flatMap((file) => ["-f", file]);
  const crds = await kubectl(["create", "-o", "name", ...files]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...crds.trim().split("\n")]);
  await using connection = patient(await connect({ kubeconfig }));
  const ofBoth = [GatewayClass, Gateway, HTTPRoute];
  await discoverable(connection, channel === "standard" ? ofBoth : [...ofBoth, ReferenceGrant, TCPRoute, TLSRoute]);
}

export interface GatewayShop {
  readonly world: World;
  /** The name of the GatewayClass. */
  readonly className: string;
  readonly controllerName: string;
  /** Of the IngressClasses that would be served. */
  readonly ingressController: string;
  makeClass(name: string, controllerName: string): Promise<GatewayClassObject>;
  /** A Service without a load balancer, with port 80. */
  plainService(name: string): ServiceObject;
  /** Creates one. */
  service(name: string): Promise<ServiceObject>;
  /** Gateway `edge` of the class with an HTTPS listener for the host. */
  gateway(host: string, overrides?: Overrides<GatewayObject>): GatewayObject;
  /** An HTTPRoute at `edge` that leads to the Service. */
  route(name: string, service: string, overrides?: Overrides<RouteObject>): RouteObject;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startGatewayShop(options: Partial<WorldOptions> = {}): Promise<GatewayShop> {
  const id = randomUUID().slice(0, 8);
  const className = `gateways-${id}`;
  const controllerName = `ngrok.com/gateways-${id}`;
  const ingressController = `ngrok.com/ingresses-${id}`;
  const routing = {
    ingressControllerName: ingressController,
    gatewayControllerName: controllerName,
    referenceGrants: true,
  };
  const world = await startWorld({
    controllers: gatewayControllers,
    ...options,
    start: false,
    options: { features: ["gateway"], ...options.options, routing },
  });
  const signal = AbortSignal.timeout(600_000);
  if (options.start !== false) world.start();
  return {
    world,
    className,
    controllerName,
    ingressController,
    makeClass: async (name, by) =>
      await world.write.create(
        GatewayClass,
        aGatewayClass({ metadata: { name }, spec: { controllerName: by } }),
        signal,
      ),
    plainService,
    service: async (name) => await world.create(Service, plainService(name)),
    gateway: (host, overrides = {}) =>
      built<GatewayObject>(
        aGateway({
          spec: {
            gatewayClassName: className,
            listeners: [{ name: "https", hostname: host, port: 443, protocol: "HTTPS" }],
          },
        }),
        overrides,
      ),
    route: (name, service, overrides = {}) =>
      built<RouteObject>(
        anHTTPRoute({
          metadata: { name },
          spec: { parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: service, port: 80 }] }] },
        }),
        overrides,
      ),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
    },
  };
}

/** With its GatewayClass. */
export async function openGatewayShop(options: Partial<WorldOptions>): Promise<GatewayShop> {
  const shop = await startGatewayShop(options);
  await shop.makeClass(shop.className, shop.controllerName);
  return shop;
}

/** A Gateway for https://shop.ngrok.app and an HTTPRoute that leads to a Service, as soon as they are programmed. */
export async function populateGatewayShop(shop: GatewayShop): Promise<void> {
  const { world } = shop;
  await shop.service("web");
  await world.create(Gateway, shop.gateway("shop.ngrok.app"));
  await world.create(HTTPRoute, shop.route("web", "web"));
  await world.until(Gateway, "edge", isProgrammed);
  await world.quiet();
}

function plainService(name: string): ServiceObject {
  const { spec, ...rest } = aService({ metadata: { name } });
  const { loadBalancerClass: _, ...plain } = { ...spec, type: "ClusterIP", ports: [{ name: "web", port: 80 }] };
  return { ...rest, spec: plain };
}
