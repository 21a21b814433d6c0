// What a CloudEndpoint should be at ngrok, what has to be done for it, and how that reads in its status. Pure.
import { findCondition, type Finding, foldReady, isTrue } from "#api/conditions.ts";
import type {
  CloudEndpoint,
  CloudEndpointReason,
  CloudEndpointSpec,
  CloudEndpointStatus,
} from "#api/cloud-endpoint.ts";
import { metadataText } from "#api/metadata.ts";
import { isInternalHost, parseEndpointUrl } from "#api/names.ts";
import { mayBeMadeFor } from "#drain/made-for.ts";
import type { Change } from "#ngrok/change.ts";
import type { EndpointBody, EndpointPatch, RemoteEndpoint } from "#ngrok/endpoints.ts";
import type { DomainPart } from "../../endpoint/domain.ts";
import { creationFailed, failureText, finding, inOrder } from "../../endpoint/conditions.ts";
import { blamesPolicy, samePolicy } from "../../endpoint/traffic-policy.ts";
import type { Shown } from "../../runtime/define-controller.ts";

const { holds, fails } = finding<CloudEndpointReason>();

export type EndpointChange = Change<RemoteEndpoint, EndpointBody, EndpointPatch>;

/** @param policy JSON text, "" for none. */
export function desiredEndpoint(spec: CloudEndpointSpec, policy: string): EndpointBody {
  return {
    url: spec.url,
    description: spec.description ?? "",
    metadata: metadataText(spec.metadata),
    trafficPolicy: policy,
    bindings: spec.bindings?.length === 0 ? undefined : spec.bindings,
    poolingEnabled: spec.poolingEnabled,
  };
}

export function planEndpoint(desired: EndpointBody, remote: RemoteEndpoint | undefined): EndpointChange {
  if (remote === undefined)
    return { is: "create", body: { ...desired, trafficPolicy: desired.trafficPolicy || undefined } };
  const bindings = desired.bindings ?? bindingsOfNone(desired.url, remote);
  const patch: EndpointPatch = {
    ...(sameUrl(desired.url, remote.url) ? {} : { url: desired.url }),
    ...(desired.description === remote.description ? {} : { description: desired.description }),
    ...(desired.metadata === remote.metadata ? {} : { metadata: desired.metadata }),
    ...(samePolicy(desired.trafficPolicy ?? "", remote.trafficPolicy) ? {} : { trafficPolicy: desired.trafficPolicy }),
    ...(String(bindings) === String(remote.bindings) ? {} : { bindings }),
    ...(desired.poolingEnabled === undefined || desired.poolingEnabled === remote.poolingEnabled
      ? {}
      : { poolingEnabled: desired.poolingEnabled }),
  };
  return Object.keys(patch).length === 0 ? { is: "none", remote } : { is: "update", id: remote.id, patch };
}

/** Where the spec names none: public, unless the host is internal of itself, or ngrok does not say what it has. */
function bindingsOfNone(url: string, remote: RemoteEndpoint): readonly string[] {
  const parsed = parseEndpointUrl(url);
  const isLeft = remote.bindings.length === 0 || "problem" in parsed || isInternalHost(parsed.url.host);
  return isLeft ? remote.bindings : ["public"];
}

/** Of the endpoints that a lost creation may have left, and that no object records: the only one, else none; nor one that is older. */
export function adoptable(
  { metadata }: Pick<CloudEndpoint, "metadata">,
  unrecorded: readonly RemoteEndpoint[],
): RemoteEndpoint | undefined {
  const [only, ...others] = unrecorded;
  return only !== undefined && others.length === 0 && mayBeMadeFor(metadata, only) ? only : undefined;
}

function sameUrl(a: string, b: string): boolean {
  return a === b || normal(a) === normal(b);
}

function normal(text: string): string {
  const parsed = parseEndpointUrl(text);
  return "url" in parsed ? `${parsed.url.scheme}://${parsed.url.host}:${parsed.url.port}` : text;
}

/** What a reconcile has come to, for the status. */
export type Reached =
  | { readonly is: "there"; readonly remote: { readonly id: string; readonly url: string } }
  /** Not asked for yet, since something else has to come first. */
  | { readonly is: "pending" }
  /** `isAbsent`: ngrok has said that it has none. `mayBeThere`: one may have been made whose id nobody knows. */
  | { readonly is: "failed"; readonly error: unknown; readonly isAbsent: boolean; readonly mayBeThere: boolean };

/** The condition of the traffic policy: absent when there is none. */
export type PolicyPart =
  | { readonly is: "none" }
  | { readonly is: "wanted" }
  | { readonly is: "broken"; readonly problem: string };

export function showEndpoint(
  { status }: Pick<CloudEndpoint, "status">,
  domain: DomainPart,
  policy: PolicyPart,
  reached: Reached,
): Shown<CloudEndpoint> {
  const policed = policyFinding(policy, reached, isTrue(status?.conditions, "TrafficPolicyApplied"));
  const parts = inOrder(domain.finding, policed, createdFinding(status, reached));
  const ready = foldReady(parts, { reason: "CloudEndpointActive", message: "CloudEndpoint is active and ready" });
  return {
    fields: { ...remoteFields(status, reached), ...(domain.ref === undefined ? {} : { domainRef: domain.ref }) },
    findings: [...parts, ready],
  };
}

function remoteFields(
  status: CloudEndpoint["status"],
  reached: Reached,
): Pick<CloudEndpointStatus, "id" | "assignedURL"> {
  if (reached.is === "there") return { id: reached.remote.id, assignedURL: reached.remote.url };
  // The recorded one is gone, and another may be there that is looked up only where no id is recorded.
  if (status === undefined || (reached.is === "failed" && reached.mayBeThere)) return {};
  const { id, assignedURL } = status;
  return { ...(id === undefined ? {} : { id }), ...(assignedURL === undefined ? {} : { assignedURL }) };
}

function createdFinding(status: CloudEndpoint["status"], reached: Reached): Finding {
  const type = "CloudEndpointCreated";
  const before = findCondition(status?.conditions, type);
  switch (reached.is) {
    case "there":
      return holds(type, "CloudEndpointCreated", "CloudEndpoint successfully created");
    case "pending":
      if (status?.id !== undefined) return holds(type, "CloudEndpointCreated", "CloudEndpoint successfully created");
      // What may have been made is still to be looked up when the wait is over.
      if (before?.status === "Unknown")
        return { type, status: "Unknown", reason: before.reason, message: before.message };
      return fails(type, "Pending", "Waiting for CloudEndpoint to be ready");
    case "failed":
      return creationFailed(type, "CloudEndpointCreationFailed", reached.error, reached.mayBeThere);
  }
}

/** True only after ngrok accepted a policy together with the endpoint; that stays in force when another change fails. */
function policyFinding(policy: PolicyPart, reached: Reached, wasApplied: boolean): Finding | undefined {
  const type = "TrafficPolicyApplied";
  if (policy.is === "broken") return fails(type, "TrafficPolicyError", policy.problem);
  if (policy.is === "none") return undefined;
  const applied = holds(type, "TrafficPolicyApplied", "Traffic policy successfully applied");
  if (reached.is === "there") return applied;
  if (reached.is === "failed" && blamesPolicy(reached.error))
    return fails(type, "TrafficPolicyError", failureText(reached.error));
  if (reached.is === "failed" && !reached.isAbsent && wasApplied) return applied;
  return fails(type, "Pending", "Waiting for the endpoint");
}
