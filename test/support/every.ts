// Every controller with an object that it would work on: what a contract over all of them runs through. A controller that
// is missing here fails the contract.
import { randomUUID } from "node:crypto";
import type { KubeObject } from "#kube/kind.ts";
import type { RouteObject } from "#kube/kinds.ts";
import { agentEndpointController } from "#operator/controllers/agent-endpoint/controller.ts";
import { bindingPollerController } from "#operator/controllers/binding-poller/controller.ts";
import { boundEndpointController } from "#operator/controllers/bound-endpoint/controller.ts";
import { cloudEndpointController } from "#operator/controllers/cloud-endpoint/controller.ts";
import { domainController } from "#operator/controllers/domain/controller.ts";
import { gatewayClassController } from "#operator/controllers/gateway-api/class.ts";
import { gatewayController } from "#operator/controllers/gateway-api/gateway.ts";
import { routeControllers } from "#operator/controllers/gateway-api/routes.ts";
import { ingressController } from "#operator/controllers/ingress/controller.ts";
import { ipPolicyController } from "#operator/controllers/ip-policy/controller.ts";
import { kubernetesOperatorController } from "#operator/controllers/kubernetes-operator/controller.ts";
import { serviceController } from "#operator/controllers/service/controller.ts";
import { trafficPolicyController } from "#operator/controllers/traffic-policy/controller.ts";
import { translationController } from "#operator/controllers/translation/controller.ts";
import type { KeyedController } from "#operator/runtime/define-keyed.ts";
import type { LeaderController } from "#operator/runtime/define-controller.ts";
import { says } from "./agent-words.ts";
import {
  aBoundEndpoint,
  aCloudEndpoint,
  aDomain,
  aGateway,
  aGatewayClass,
  aKubernetesOperator,
  anAgentEndpoint,
  anHTTPRoute,
  anIngress,
  anIPPolicy,
  anNgrokTrafficPolicy,
  aService,
  aTCPRoute,
  aTLSRoute,
} from "./builders.ts";
import { anAgent } from "./replica-pods.ts";
import type { World } from "./world.ts";

export interface Sampled {
  readonly name: string;
  readonly controller: LeaderController;
  /** An object that it works on; one of ours becomes Ready. */
  readonly sample: () => KubeObject;
  /** What others do for the object before it can be Ready. */
  readonly others?: (world: World) => Promise<void>;
}

const ROUTES: Readonly<Record<string, () => RouteObject>> = { TCPRoute: aTCPRoute, TLSRoute: aTLSRoute };

export const everyController: readonly Sampled[] = [
  sampled(kubernetesOperatorController, () => aKubernetesOperator({ metadata: { name: "ngrok" } })),
  sampled(domainController, () => aDomain({ spec: { domain: "web.ngrok.app" } })),
  sampled(ipPolicyController, () => anIPPolicy()),
  sampled(trafficPolicyController, () => anNgrokTrafficPolicy()),
  sampled(cloudEndpointController, () => aCloudEndpoint({ spec: { url: "https://web.internal" } })),
  {
    ...sampled(agentEndpointController, () => anAgentEndpoint({ spec: { url: "https://shop.internal" } })),
    async others(world) {
      await anAgent(world, "agent");
      await says(world, "agent");
    },
  },
  // A Service of its own for each: those of the namespace `default` are everybody's.
  sampled(boundEndpointController, () => aBoundEndpoint({ spec: { target: { service: `b-${randomUUID()}` } } })),
  sampled(ingressController, () => anIngress()),
  sampled(serviceController, () => aService()),
  sampled(gatewayClassController, () => aGatewayClass()),
  sampled(gatewayController, () => aGateway()),
  ...routeControllers.map((one) => sampled(one, ROUTES[one.kind.kind] ?? anHTTPRoute)),
];

/** Those that work on keys and hold no object. */
export const everyKeyed: readonly KeyedController[] = [translationController, bindingPollerController];

function sampled<T extends KubeObject>(controller: LeaderController<T>, sample: () => T): Sampled {
  return { name: controller.name, controller, sample };
}
