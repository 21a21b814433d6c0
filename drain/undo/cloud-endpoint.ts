// What we made for a CloudEndpoint: one endpoint at ngrok. Without an id it is looked up, since a run may have ended
// between the creation at ngrok and the write of the status; what another CloudEndpoint records is not found.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { Domain, type DomainSpec } from "#api/domain.ts";
import { metadataText } from "#api/metadata.ts";
import { distinctDomainName, domainName, parseEndpointUrl } from "#api/names.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";
import { mayBeMadeFor } from "../made-for.ts";
import { mayHaveBegun } from "../may-have-begun.ts";
import type { Release } from "#api/release.ts";

export async function undoCloudEndpoint(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  // A schema that was looser once may have stored an object without spec, or a spec without a URL.
  const endpoint: KubeObject & { spec?: Partial<CloudEndpoint["spec"]>; status?: CloudEndpoint["status"] } = object;
  const { spec, status } = endpoint;
  const { endpoints } = ngrokOf(hands);
  if (status?.id) return { remote: await endpoints.remove(status.id, signal), id: status.id };
  const created = findCondition(status?.conditions, "CloudEndpointCreated");
  const isUnmade = created?.status === "False";
  // Where ngrok refused, what has this URL is somebody else's.
  if (spec?.url === undefined || (isUnmade && created.reason === "CloudEndpointCreationFailed"))
    return { remote: "none" };
  if (status?.conditions === undefined && (await awaitsDomain(spec.url, object.metadata.namespace, hands, signal)))
    return { remote: "none" };
  const left = await endpoints.matching({ url: spec.url, metadata: metadataText(spec.metadata) }, signal);
  const [only] = left;
  if (only === undefined) return { remote: "none" };
  // Several clusters may pool one URL: which of them is ours nothing tells, so none is touched.
  if (left.length > 1) return { remote: "kept", why: `${left.length} endpoints at ${spec.url}, none recorded as ours` };
  // Its own status may have come since: then what it records is what was looked up.
  if (await hands.recordsEndpoint?.(only.id, object.metadata.uid, signal)) return { remote: "none" };
  if (!mayBeMadeFor(object.metadata, only)) return { remote: "kept", id: only.id, why: "it is older than the object" };
  // Nothing had been begun when this was said. What was begun since ended before its status: it may be ours, or another cluster's.
  if (isUnmade || !(await mayHaveBegun(CloudEndpoint, endpoint, hands.read, signal)))
    return { remote: "kept", id: only.id, why: "nothing tells whether it was made for this object" };
  return { remote: await endpoints.remove(only.id, signal), id: only.id };
}

/**
 * No endpoint is asked for before its Domain has been tried, and nothing is told of it in the meantime: what has this URL
 * then is another cluster's.
 */
async function awaitsDomain(
  url: string,
  namespace: string | undefined,
  { read }: UndoHands,
  signal: AbortSignal,
): Promise<boolean> {
  const parsed = parseEndpointUrl(url);
  if ("problem" in parsed) return false;
  const { host } = parsed.url;
  for (const name of [domainName(host), distinctDomainName(host)]) {
    const domain = await read.get(Domain, { name, namespace }, signal);
    const { spec, status }: { spec?: Partial<DomainSpec>; status?: Domain["status"] } = domain ?? {};
    if (spec?.domain?.toLowerCase() === host) return findCondition(status?.conditions, "Ready") === undefined;
  }
  return false;
}
