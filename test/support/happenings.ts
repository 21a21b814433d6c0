// What may happen to one of the small clusters of hosts.ts: an object comes, changes or goes.
import fc from "fast-check";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import {
  Gateway,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  ReferenceGrant,
  Service,
  TLSRoute,
} from "#kube/kinds.ts";
import {
  ABROAD,
  abroad,
  brokenPolicy,
  classes,
  gatewayOf,
  gatewaySketch,
  grants,
  ingressOf,
  policies,
  routeOf,
  routeSketch,
  services,
  STAGING,
  type Sketch,
  sketch,
} from "./hosts.ts";

/** Something that happens to one object. */
export interface Happening {
  readonly kind: Kind;
  /** undefined: it goes. */
  readonly object: KubeObject | undefined;
  readonly at: Ref;
}

const at = fc.nat(3);
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(sketch, at).map(([one, n]) => ingressHappens(one, n)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(at, fc.constantFrom("shop", "shop", STAGING))
      .map(([n, namespace]) => goes(Ingress, `ingress-${n}`, namespace)),
  },
  { weight: 2, arbitrary: fc.tuple(gatewaySketch, fc.nat(2)).map(([one, n]) => happens(Gateway, gatewayOf(one, n))) },
  { weight: 1, arbitrary: fc.nat(2).map((n) => goes(Gateway, `gateway-${n}`)) },
  {
    weight: 2,
    arbitrary: fc.tuple(routeSketch, at).map(([one, n]) => {
      const route = routeOf(one, n);
      return happens(route.kind === "TLSRoute" ? TLSRoute : HTTPRoute, route);
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(HTTPRoute, TLSRoute), at, fc.constantFrom("shop", ABROAD))
      .map(([kind, n, namespace]) => goes(kind, `route-${n}`, namespace)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...services).map((one) => goes(Service, one.metadata.name)) },
  { weight: 1, arbitrary: fc.constantFrom(...services).map((one) => happens(Service, one)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...policies.map((one) => happens(NgrokTrafficPolicy, one)),
      goes(NgrokTrafficPolicy, "office"),
      happens(NgrokTrafficPolicy, brokenPolicy),
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom(...grants).map((one) => happens(ReferenceGrant, one)) },
  { weight: 1, arbitrary: fc.constantFrom(...grants).map((one) => goes(ReferenceGrant, one.metadata.name)) },
  { weight: 1, arbitrary: fc.constantFrom(abroad.open, abroad.closed).map((one) => happens(Namespace, one)) },
  { weight: 1, arbitrary: fc.constant(goes(IngressClass, "ngrok")) },
  { weight: 1, arbitrary: fc.constantFrom(...classes).map((one) => happens(IngressClass, one)) },
);

/** Half of them are held, and stay so: that nobody lets go of one while its class is missing is the Ingress controller's part. */
function ingressHappens(sketched: Sketch, n: number): Happening {
  return happens(Ingress, ingressOf({ ...sketched, held: n % 2 === 0 }, n));
}

export function happens(kind: Kind, object: KubeObject): Happening {
  return { kind, object, at: refOf(object) };
}

export function goes(kind: Kind, name: string, namespace = "shop"): Happening {
  return { kind, object: undefined, at: kind.namespaced ? { name, namespace } : { name } };
}
