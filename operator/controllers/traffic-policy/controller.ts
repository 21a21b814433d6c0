// NgrokTrafficPolicy: says whether the policy can be read. It holds no finalizer, since nothing of it exists at ngrok;
// the endpoints that name it watch it by themselves.
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { type Context, defineController, done, type Outcome, stop } from "../../runtime/define-controller.ts";
import { judge, showVerdict } from "./plan.ts";

export const trafficPolicyController = defineController<NgrokTrafficPolicy>({
  name: "traffic-policy",
  manager: "api-manager",
  role: "leader",
  kind: NgrokTrafficPolicy,
  concurrency: 4,
  rbac: [
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads traffic policies" }),
    allow(NgrokTrafficPolicy, ["patch"], { part: "status", why: "says whether a traffic policy can be read" }),
  ],
  claims: () => false,
  apply,
});

function apply(policy: NgrokTrafficPolicy, context: Context): Promise<Outcome<NgrokTrafficPolicy>> {
  const verdict = judge(policy.spec.policy);
  const told = { shown: showVerdict(verdict), sent: JSON.stringify(verdict) };
  const isNew = !context.unchanged(told.sent);
  if (!verdict.valid) {
    if (isNew) context.event({ type: "Warning", reason: verdict.reason, note: verdict.message, action: "Reconcile" });
    return Promise.resolve(stop(verdict.reason, verdict.message, told));
  }
  if (isNew && verdict.reason !== "TrafficPolicyValid") {
    context.event({ type: "Warning", reason: "PolicyDeprecation", note: verdict.message, action: "Reconcile" });
  }
  return Promise.resolve(done(told));
}
