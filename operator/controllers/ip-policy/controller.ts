// IPPolicy: the policy at ngrok, then its rules, phase by phase.
import { findCondition, isTrue } from "#api/conditions.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { allow } from "#api/rbac.ts";
import { mayBeMadeFor } from "#drain/made-for.ts";
import { undoIPPolicy } from "#drain/undo/ip-policy.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { mayExist } from "#ngrok/errors.ts";
import type { RemoteIPPolicy } from "#ngrok/ip-policies.ts";
import { KnownError } from "#wire/errors.ts";
import { BY_ID, unrecorded } from "../../endpoint/recorded.ts";
import { noKey } from "../../runtime/key.ts";
import { type Context, defineController, done, failed, type Outcome } from "../../runtime/define-controller.ts";
import { asShown } from "../../runtime/status.ts";
import {
  type Desired,
  desiredPolicy,
  mayBeOurs,
  planPolicy,
  planRules,
  type Reached,
  type RuleStep,
  showPolicy,
} from "./plan.ts";

export const ipPolicyController = defineController<IPPolicy>({
  name: "ip-policy",
  manager: "api-manager",
  role: "leader",
  kind: IPPolicy,
  concurrency: 8,
  indexes: { [BY_ID]: ({ status }) => (status?.id === undefined || status.id === "" ? [] : [status.id]) },
  rbac: [
    allow(IPPolicy, ["get", "list", "watch", "patch"], {
      why: "reconciles IPPolicies and holds them with a finalizer",
    }),
    allow(IPPolicy, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(IPPolicy, ["patch"], { part: "status", why: "shows what ngrok says of each IPPolicy" }),
  ],
  apply,
  cleanup: undoIPPolicy,
});

async function apply(policy: IPPolicy, context: Context): Promise<Outcome<IPPolicy>> {
  const desired = desiredPolicy(policy.spec);
  const sent = JSON.stringify(desired);
  if (context.unchanged(sent) && isTrue(policy.status?.conditions, "Ready"))
    return done({ shown: asShown(policy), sent });
  const reached = await reach(policy, desired, context);
  const shown = showPolicy(policy, reached);
  return reached.is === "there" ? done({ shown, sent }) : failed(reached.error, { shown });
}

async function reach(policy: IPPolicy, desired: Desired, context: Context): Promise<Reached> {
  const { ngrok, signal } = context;
  let id: string | undefined;
  let isAsked = false;
  try {
    if (ngrok === undefined) throw new KnownError("invalid", noKey(context.release));
    const found = await find(policy, desired, ngrok, context);
    const change = planPolicy(desired, found);
    if (change.is !== "none") await context.begin(change.is);
    isAsked = true;
    ({ id } = await ngrok.ipPolicies.change(change, signal));
    // A policy made just now has no rules: nothing has to be listed.
    const remote =
      change.is === "create" ? [] : await ngrok.ipPolicies.rules({ policyId: id, asOf: rulesAsOf(context) }, signal);
    const phases = planRules(id, desired, remote);
    if (change.is === "none" && phases.length > 0) await context.begin("update");
    for (const phase of phases) await doPhase(phase, ngrok, signal);
    return { is: "there", id };
  } catch (error) {
    if (signal.aborted) throw error;
    const mayBeThere = isAsked ? mayExist(error) : isLookedUp(policy, context);
    return id === undefined ? { is: "no policy", error, mayBeThere } : { is: "no rules", id, error };
  }
}

/** A rule that somebody adds by hand is seen after this long; a list for each policy would cost the square of them. */
const RULES_AGE_MS = 60_000;

function rulesAsOf({ asOf, clock }: Context): number {
  return Math.max(asOf, clock.now() - RULES_AGE_MS);
}

/** One after another: within a phase too, removals come before creations. */
async function doPhase(phase: readonly RuleStep[], { ipPolicies }: NgrokPort, signal: AbortSignal): Promise<void> {
  for (const step of phase) {
    if (step.is === "remove") await ipPolicies.removeRule(step.id, signal);
    else await ipPolicies.changeRule(step, signal);
  }
}

async function find(
  policy: IPPolicy,
  desired: Desired,
  ngrok: NgrokPort,
  context: Context,
): Promise<RemoteIPPolicy | undefined> {
  const { asOf, reader, release, signal } = context;
  const id = policy.status?.id;
  if (id) return await ngrok.ipPolicies.find({ id }, signal);
  if (!isLookedUp(policy, context)) return undefined;
  const left = await ngrok.ipPolicies.matching({ ...desired.policy, asOf }, signal);
  const hands = { ...context, read: reader };
  const ours: RemoteIPPolicy[] = [];
  for (const { id: policyId, ...rest } of await unrecorded(
    IPPolicy,
    left,
    policy.metadata.uid,
    hands,
    release,
    signal,
  )) {
    const rules = await ngrok.ipPolicies.rules({ policyId, asOf: rulesAsOf(context) }, signal);
    if (mayBeOurs(rules, desired)) ours.push({ id: policyId, ...rest });
  }
  const [only, ...others] = ours;
  return only !== undefined && others.length === 0 && mayBeMadeFor(policy.metadata, only) ? only : undefined;
}

/** Whether one may be there whose id got lost: nothing is left of a creation that was refused. */
function isLookedUp({ status }: IPPolicy, { claimed }: Context): boolean {
  return !status?.id && claimed !== "now" && findCondition(status?.conditions, "IPPolicyCreated")?.status !== "False";
}
