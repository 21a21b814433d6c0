// A world in which users ask for endpoints: an IngressClass of its own, Services, and all controllers that turn Ingresses
// and Services into endpoints. Its class is nobody else's, so worlds beside each other do not meet.
import { randomUUID } from "node:crypto";
import type { KubeObject } from "#kube/kind.ts";
import { IngressClass, type IngressClassObject, type IngressObject, Service, type ServiceObject } from "#kube/kinds.ts";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { shortHash } from "#api/names.ts";
import { agentEndpointController } from "#operator/controllers/agent-endpoint/controller.ts";
import { cloudEndpointController } from "#operator/controllers/cloud-endpoint/controller.ts";
import { domainController } from "#operator/controllers/domain/controller.ts";
import { ingressController } from "#operator/controllers/ingress/controller.ts";
import { serviceController } from "#operator/controllers/service/controller.ts";
import { trafficPolicyController } from "#operator/controllers/traffic-policy/controller.ts";
import { translationController } from "#operator/controllers/translation/controller.ts";
import type { Controller } from "#operator/runtime/define-controller.ts";
import { anIngress, anIngressClass, aService } from "./builders.ts";
import { built, type Overrides } from "./overrides.ts";
import { startWorld, type World, type WorldOptions } from "./world.ts";

export const shopControllers: readonly Controller[] = [
  ingressController,
  serviceController,
  translationController,
  domainController,
  cloudEndpointController,
  agentEndpointController,
  trafficPolicyController,
];

export interface Shop {
  readonly world: World;
  /** The name of the IngressClass. */
  readonly className: string;
  /** A Service without a load balancer, with port 80 called web. */
  service(name: string, overrides?: Overrides<ServiceObject>): Promise<ServiceObject>;
  /** An Ingress of the class: each host leads to a Service. */
  ingress(name: string, hosts: Readonly<Record<string, string>>, overrides?: Overrides<IngressObject>): IngressObject;
  /** A class of the cluster that is not the shop's own. */
  otherClass(name: string, controller: string): Promise<IngressClassObject>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startShop(options: Partial<WorldOptions> = {}): Promise<Shop> {
  const id = randomUUID().slice(0, 8);
  const className = `shop-${id}`;
  const controller = `ngrok.com/shop-${id}`;
  const routing = { ingressControllerName: controller, referenceGrants: true };
  const world = await startWorld({
    controllers: shopControllers,
    ...options,
    start: false,
    options: { ...options.options, routing },
  });
  const signal = AbortSignal.timeout(600_000);
  const classes: KubeObject[] = [];
  const make = async (name: string, by: string): Promise<IngressClassObject> => {
    const made = await world.write.create(
      IngressClass,
      anIngressClass({ metadata: { name }, spec: { controller: by } }),
      signal,
    );
    classes.push(made);
    return made;
  };
  await make(className, controller);
  if (options.start !== false) world.start();
  return {
    world,
    className,
    service: async (name, overrides = {}) => {
      const { spec, ...rest } = aService({ metadata: { name } });
      const { loadBalancerClass: _, ...plain } = { ...spec, type: "ClusterIP", ports: [{ name: "web", port: 80 }] };
      return await world.create(Service, built<ServiceObject>({ ...rest, spec: plain }, overrides));
    },
    ingress: (name, hosts, overrides = {}) => {
      const rules = Object.entries(hosts).map(([host, service]) => ({
        host,
        http: {
          paths: [
            { path: "/", pathType: "Prefix" as const, backend: { service: { name: service, port: { number: 80 } } } },
          ],
        },
      }));
      return built<IngressObject>(
        anIngress({ metadata: { name }, spec: { ingressClassName: className, rules } }),
        overrides,
      );
    },
    otherClass: make,
    async [Symbol.asyncDispose]() {
      for (const { metadata } of classes)
        await world.write
          .remove({ kind: IngressClass, ref: { name: metadata.name }, uid: metadata.uid ?? "" }, signal)
          .catch(() => undefined);
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Makes the Service `web`, and somebody else's AgentEndpoint under the name that its own wants; returns that name. */
export async function takenName({ world, service }: Pick<Shop, "world" | "service">): Promise<string> {
  const { metadata } = await service("web");
  const name = `${shortHash(metadata.uid ?? "", 5)}-web-${world.namespace}-80`;
  const spec = { url: "https://mine.internal", upstream: { url: "http://mine:80" } };
  await world.create(AgentEndpoint, { metadata: { name }, spec });
  return name;
}
