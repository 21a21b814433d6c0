// GatewayClass: ours are accepted, and held for as long as a Gateway names them.
import { isOurGatewayClass } from "#api/classes.ts";
import { gatewayClassClaimOf } from "#api/keys.ts";
import { allow } from "#api/rbac.ts";
import type { Undone } from "#drain/hands.ts";
import { Gateway, GatewayClass, type GatewayClassObject } from "#kube/kinds.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import {
  type Context,
  defineController,
  done,
  type Outcome,
  type Surroundings,
  watching,
} from "../../runtime/define-controller.ts";
import { gatewayIndexes, gatewaysBy } from "../../translate/gateway/links.ts";
import { gatewayClassStatus } from "../../translate/gateway/status.ts";
import { isStamped } from "./look.ts";
import { statusToWrite } from "./plan.ts";
import { now } from "../../endpoint/time.ts";

export const gatewayClassController = defineController<GatewayClassObject>({
  name: "gateway-class",
  manager: "api-manager",
  role: "leader",
  kind: GatewayClass,
  when: "gateway",
  watches: [
    watching(Gateway, ({ spec }) => (spec === undefined ? [] : [{ name: spec.gatewayClassName }]), gatewayIndexes, {
      ignores: "status",
    }),
  ],
  rbac: [
    allow(GatewayClass, ["get", "list", "watch", "patch"], {
      scope: "cluster",
      why: "holds the GatewayClasses that Gateways name with a finalizer, and lets go of them with the feature off as well",
    }),
    allow(GatewayClass, ["patch"], {
      part: "status",
      scope: "cluster",
      when: "gateway",
      why: "shows that a GatewayClass is accepted",
    }),
    allow(Gateway, ["list", "watch"], { when: "gateway", why: "knows which GatewayClasses are in use" }),
  ],
  claim: gatewayClassClaimOf,
  serves(object, around) {
    const isOurs = isOfUs(object, around);
    // One that is going is let go of by its last Gateway.
    if (object.metadata.deletionTimestamp !== undefined && isOurs) return !isUsed(object, around);
    return isOurs || isStamped(object, around.release);
  },
  claims: (object, around) => isOfUs(object, around) && isUsed(object, around),
  letsGo: true,
  apply,
  cleanup: (): Promise<Undone> => Promise.resolve({ remote: "none" }),
});

function isOfUs(object: GatewayClassObject, { release, options }: Surroundings): boolean {
  return isOurGatewayClass(object, translationOptions(release, options).gatewayControllerName);
}

function isUsed({ metadata }: GatewayClassObject, { cached }: Surroundings): boolean {
  return gatewaysBy(cached, "gateway-class", metadata.name).length > 0;
}

function apply(object: GatewayClassObject, context: Context): Promise<Outcome<GatewayClassObject>> {
  if (!isOfUs(object, context)) return Promise.resolve(done());
  const status = statusToWrite(object.status, gatewayClassStatus(object, now(context)));
  return Promise.resolve(done(status === undefined ? {} : { status }));
}
