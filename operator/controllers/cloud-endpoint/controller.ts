// CloudEndpoint: its Domain, its traffic policy, then the endpoint at ngrok.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { domainNeed } from "#api/domain-need.ts";
import { Domain } from "#api/domain.ts";
import { CONTROLLER_NAME } from "#api/keys.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { undoCloudEndpoint } from "#drain/undo/cloud-endpoint.ts";
import { keyOf } from "#kube/kind.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { EndpointBody, RemoteEndpoint } from "#ngrok/endpoints.ts";
import { mayExist } from "#ngrok/errors.ts";
import { KnownError } from "#wire/errors.ts";
import { isGeneratedElsewhere } from "../../endpoint/claimed.ts";
import {
  BY_HOST,
  domainNames,
  endpointsOn,
  ensureDomain,
  hostsOfDomain,
  hostsOfGenerated,
  momentLeft,
} from "../../endpoint/domain.ts";
import { BY_ID, unrecorded } from "../../endpoint/recorded.ts";
import { noKey } from "../../runtime/key.ts";
import { policyName, type PolicySource, policySource, policyText } from "../../endpoint/traffic-policy.ts";
import {
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  stop,
  wait,
  watching,
} from "../../runtime/define-controller.ts";
import { adoptable, desiredEndpoint, planEndpoint, type PolicyPart, type Reached, showEndpoint } from "./plan.ts";

export const cloudEndpointController = defineController<CloudEndpoint>({
  name: "cloud-endpoint",
  manager: "api-manager",
  role: "leader",
  kind: CloudEndpoint,
  concurrency: 16,
  indexes: {
    [BY_ID]: ({ status }) => (status?.id === undefined || status.id === "" ? [] : [status.id]),
    policy: ({ spec, metadata }) => policyName(spec).map((name) => keyOf({ name, namespace: metadata.namespace })),
    // From the spec: the status names the Domain only after the write, and the Domain may be ready before that.
    domain: ({ spec, metadata: { namespace } }) =>
      domainNames(spec.url, spec.bindings).map((name) => keyOf({ name, namespace })),
    [BY_HOST]: hostsOfGenerated,
  },
  watches: [
    watching(Domain, (domain, cached) => endpointsOn(CloudEndpoint, domain, cached), { [BY_HOST]: hostsOfDomain }),
    watching(NgrokTrafficPolicy, (policy, cached) => refsOf(cached.by(CloudEndpoint, "policy", keyOfObject(policy)))),
  ],
  rbac: [
    allow(CloudEndpoint, ["get", "list", "watch", "patch"], {
      why: "reconciles CloudEndpoints and holds them with a finalizer",
    }),
    allow(CloudEndpoint, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(CloudEndpoint, ["patch"], { part: "status", why: "shows what ngrok says of each CloudEndpoint" }),
    allow(Domain, ["get", "list", "watch", "create"], { why: "reserves the host of an endpoint" }),
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads the traffic policies that endpoints name" }),
  ],
  serves: (endpoint, around) => !isGeneratedElsewhere(endpoint, around),
  apply,
  async cleanup(object, hands, release, signal) {
    const recordsEndpoint = async (id: string, but: string | undefined) =>
      (await unrecorded(CloudEndpoint, [{ id }], but, hands, release, signal)).length === 0;
    return await undoCloudEndpoint(object, { ...hands, recordsEndpoint }, release, signal);
  },
});

async function apply(endpoint: CloudEndpoint, context: Context): Promise<Outcome<CloudEndpoint>> {
  const { spec, metadata } = endpoint;
  const namespace = metadata.namespace ?? "";
  const need = domainNeed(spec.url, spec.bindings);
  const domain = await ensureDomain(need, endpoint, context);
  const source = policySource(spec);
  const policy = policyText(source, namespace, context.cached);
  const show = (part: PolicyPart, reached: Reached) => ({ shown: showEndpoint(endpoint, domain, part, reached) });

  if (need.is === "invalid") return stop("NgrokAPIError", need.problem, show(wanted(source), { is: "pending" }));
  if (policy.is !== "text") {
    const reason = policy.is === "missing" ? "TrafficPolicyNotFound" : "ConfigError";
    context.event({ type: "Warning", reason, note: policy.problem, action: "Reconcile" });
    return stop(reason, policy.problem, show({ is: "broken", problem: policy.problem }, { is: "pending" }));
  }
  const desired = desiredEndpoint(spec, policy.text);
  const sent = JSON.stringify(desired);
  const id = endpoint.status?.id;
  if (id !== undefined && id !== "" && context.unchanged(sent)) {
    const remote = { id, url: endpoint.status?.assignedURL ?? spec.url };
    return done({ ...show(wanted(source), { is: "there", remote }), sent });
  }
  if (domain.untried && !id) {
    const left = momentLeft(endpoint, context);
    if (left > 0) return wait(left, "its Domain is being reserved");
    return done(show(wanted(source), { is: "pending" }));
  }
  warnOfDeprecated(endpoint, source, context);
  let isAbsent = false;
  let isAsked = false;
  try {
    if (context.ngrok === undefined) throw new KnownError("invalid", noKey(context.release));
    const found = await find(endpoint, desired, context.ngrok, context);
    isAbsent = found === undefined;
    const change = planEndpoint(desired, found);
    if (change.is !== "none") await context.begin(change.is);
    isAsked = true;
    const remote = await context.ngrok.endpoints.change(change, context.signal);
    return done({ ...show(wanted(source), { is: "there", remote }), sent });
  } catch (error) {
    if (context.signal.aborted) throw error;
    const mayBeThere = isAsked ? mayExist(error) : isLookedUp(endpoint, context);
    return failed(error, show(wanted(source), { is: "failed", error, isAbsent, mayBeThere }));
  }
}

/** What there is of it at ngrok. */
async function find(
  endpoint: CloudEndpoint,
  desired: EndpointBody,
  ngrok: NgrokPort,
  context: Context,
): Promise<RemoteEndpoint | undefined> {
  const { asOf, reader, release, signal } = context;
  const id = endpoint.status?.id;
  if (id !== undefined && id !== "") {
    const found = await ngrok.endpoints.find({ id }, signal);
    if (found === undefined) {
      context.event({
        type: "Warning",
        reason: "EndpointNotFound",
        note: `Endpoint ${id} is not at ngrok any more, creating it anew`,
        action: "Update",
      });
    }
    return found;
  }
  if (!isLookedUp(endpoint, context)) return undefined;
  const left = await ngrok.endpoints.matching({ url: desired.url, metadata: desired.metadata ?? "", asOf }, signal);
  const hands = { ...context, read: reader };
  return adoptable(endpoint, await unrecorded(CloudEndpoint, left, endpoint.metadata.uid, hands, release, signal));
}

/** Whether something may be there whose id got lost. Where the last creation was refused, what is there is somebody else's. */
function isLookedUp({ status }: CloudEndpoint, { claimed }: Context): boolean {
  const created = findCondition(status?.conditions, "CloudEndpointCreated");
  const wasRefused = created?.status === "False" && created.reason === "CloudEndpointCreationFailed";
  return !status?.id && claimed !== "now" && !wasRefused;
}

function wanted(source: PolicySource): PolicyPart {
  return source.is === "none" ? { is: "none" } : { is: "wanted" };
}

/** Objects that an operator generated are not written by hand: their author cannot do anything about it. */
function warnOfDeprecated({ metadata }: CloudEndpoint, source: PolicySource, context: Context): void {
  const generated =
    metadata.labels?.[CONTROLLER_NAME] !== undefined ||
    metadata.ownerReferences?.some((one) => one.controller === true) === true;
  if (generated || !("deprecated" in source) || source.deprecated === undefined) return;
  context.event({ type: "Warning", reason: "DeprecatedField", note: source.deprecated, action: "Reconcile" });
}

function refsOf(endpoints: readonly CloudEndpoint[]): { name: string; namespace: string | undefined }[] {
  return endpoints.map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace }));
}

function keyOfObject({ metadata }: { metadata: { name: string; namespace?: string } }): string {
  return keyOf({ name: metadata.name, namespace: metadata.namespace });
}
