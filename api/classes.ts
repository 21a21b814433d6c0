// Which objects of other people's kinds ask for ngrok. Pure; what is drained is decided by the stamp, not here.
import type { KubeObject } from "#kube/kind.ts";

export const INGRESS_CONTROLLER = "ngrok.com/ingress-controller";
/** The name that releases so far have rendered into their IngressClass. */
export const INGRESS_CONTROLLER_LEGACY = "k8s.ngrok.com/ingress-controller";
export const GATEWAY_CONTROLLER = "ngrok.com/gateway-controller";
export const LOAD_BALANCER_CLASS = "ngrok";
export const DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class";
const GATEWAY_GROUP = "gateway.networking.k8s.io";

/** The fields read here, of kinds that kube/kinds.ts describes. */
export interface IngressClassLike extends KubeObject {
  spec?: { controller?: string };
}
export interface IngressLike extends KubeObject {
  spec?: { ingressClassName?: string };
}
export interface ServiceLike extends KubeObject {
  spec?: { type?: string; loadBalancerClass?: string };
}
export interface GatewayClassLike extends KubeObject {
  spec?: { controllerName?: string };
}
export interface GatewayLike extends KubeObject {
  spec?: { gatewayClassName?: string };
}
export interface RouteLike extends KubeObject {
  spec?: { parentRefs?: readonly ParentRef[] };
}
export interface ParentRef {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
}

/** Both spellings of the default name mean the same; any other name must be met exactly. */
export function isOurIngressClass(ingressClass: IngressClassLike, controller: string = INGRESS_CONTROLLER): boolean {
  const names = [INGRESS_CONTROLLER, INGRESS_CONTROLLER_LEGACY];
  const found = ingressClass.spec?.controller;
  return found === controller || (found !== undefined && names.includes(controller) && names.includes(found));
}

/** `classes`: all IngressClasses of the cluster. An Ingress without a class is ours when a class of ours is the default. */
export function isOurIngress(
  ingress: IngressLike,
  classes: readonly IngressClassLike[],
  controller: string = INGRESS_CONTROLLER,
): boolean {
  const ours = classes.filter((one) => isOurIngressClass(one, controller));
  const wanted = ingress.spec?.ingressClassName;
  if (wanted !== undefined) return ours.some((one) => one.metadata.name === wanted);
  return ours.some(isDefaultClass);
}

/** Whether it is the class of those that name none. */
export function isDefaultClass({ metadata }: Pick<KubeObject, "metadata">): boolean {
  return metadata.annotations?.[DEFAULT_CLASS] === "true";
}

export function isOurService(service: ServiceLike): boolean {
  return service.spec?.type === "LoadBalancer" && service.spec.loadBalancerClass === LOAD_BALANCER_CLASS;
}

export function isOurGatewayClass(gatewayClass: GatewayClassLike, controller: string = GATEWAY_CONTROLLER): boolean {
  return gatewayClass.spec?.controllerName === controller;
}

/** `classes`: all GatewayClasses of the cluster. */
export function isOurGateway(
  gateway: GatewayLike,
  classes: readonly GatewayClassLike[],
  controller: string = GATEWAY_CONTROLLER,
): boolean {
  const name = gateway.spec?.gatewayClassName;
  return classes.some((one) => one.metadata.name === name && isOurGatewayClass(one, controller));
}

/** The Gateways that a route names, with the defaults of Gateway API. */
export function parentGatewaysOf(route: RouteLike): { name: string; namespace: string | undefined }[] {
  return (route.spec?.parentRefs ?? [])
    .filter((ref) => (ref.group ?? GATEWAY_GROUP) === GATEWAY_GROUP && (ref.kind ?? "Gateway") === "Gateway")
    .map((ref) => ({ name: ref.name, namespace: ref.namespace ?? route.metadata.namespace }));
}

/** `gateways`: the Gateways of ours, of all namespaces. One parent of ours suffices. */
export function isOurRoute(route: RouteLike, gateways: readonly GatewayLike[]): boolean {
  return parentGatewaysOf(route).some((parent) =>
    gateways.some(({ metadata }) => metadata.name === parent.name && metadata.namespace === parent.namespace),
  );
}
