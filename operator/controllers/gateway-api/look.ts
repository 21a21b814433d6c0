// What the controllers of Gateway API share: whose Gateways and routes are, and the part of the cluster that the translator
// is shown.
import { isOurGateway, parentGatewaysOf } from "#api/classes.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import { ownerOf, type Release } from "#api/release.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import { Gateway, GatewayClass, type GatewayObject, type RouteObject } from "#kube/kinds.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import type { Surroundings } from "../../runtime/define-controller.ts";
import type { View } from "../../translate/gateway/view.ts";
import { withLists } from "../../translate/held.ts";

/** The Gateways that the route names, ours and others'. */
export function parentsOf(route: RouteObject): Ref[] {
  return parentGatewaysOf(route).map(({ name, namespace }) => ({ name, namespace }));
}

/** Whether its class is there and of our controller. */
export function isServed(gateway: GatewayObject, { cached, release, options }: Surroundings): boolean {
  const found = cached.get(GatewayClass, { name: gateway.spec?.gatewayClassName ?? "" });
  const { gatewayControllerName } = translationOptions(release, options);
  return found !== undefined && isOurGateway(gateway, [found], gatewayControllerName);
}

/** Whether one of the Gateways that it names is there and served. */
export function isRouteServed(route: RouteObject, around: Surroundings): boolean {
  return parentsOf(route).some((at) => {
    const gateway = around.cached.get(Gateway, at);
    return gateway !== undefined && isServed(gateway, around);
  });
}

/** Whether we have put our name on it: without it a finalizer may be that of another install. */
export function isStamped({ metadata }: KubeObject, release: Release): boolean {
  return metadata.annotations?.[DRAIN_OWNER] === ownerOf(release);
}

/** The cluster as it would be with these Gateways alone. `lists`: what there is in lists; the rest is there by name alone. */
export function viewOf(
  { cached, release, options }: Surroundings,
  gateways: Iterable<GatewayObject>,
  lists: readonly (readonly [Kind, Iterable<KubeObject>])[],
): View {
  return {
    manifests: withLists(cached, [[Gateway, gateways], [GatewayClass, cached.all(GatewayClass)], ...lists]),
    options: translationOptions(release, options),
  };
}
