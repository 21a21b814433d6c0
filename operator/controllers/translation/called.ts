// Who asks for a name of a CloudEndpoint. Hosts that differ may come to one name, `*.example.com` and `wildcard.example.com`:
// looked at apart each would take it from the other, again and again.
import { Gateway, type GatewayObject, Ingress, type IngressObject } from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { heldBy } from "../../translate/held.ts";
import { servesGateways } from "./concerned.ts";
import { BY_NAME } from "./indexes.ts";

export interface Called {
  readonly ingresses: ReadonlySet<IngressObject>;
  readonly gateways: ReadonlySet<GatewayObject>;
}

/** @param names `namespace/name`, of CloudEndpoints */
export function calledAs(cached: Cached, names: readonly string[]): Called {
  return {
    ingresses: new Set(names.flatMap((name) => heldBy(cached, Ingress, BY_NAME, name))),
    gateways: new Set(servesGateways(cached) ? names.flatMap((name) => heldBy(cached, Gateway, BY_NAME, name)) : []),
  };
}
