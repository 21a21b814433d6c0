// The hosts of a Gateway for which others have an endpoint as well. ngrok takes several on one address only where all of them
// pool, and who is refused is not settled here: so each of those who ask says it.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import { ENDPOINTS_BY_HOST } from "../../endpoint/host.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { publicUrl } from "../../translate/endpoint-names.ts";
import type { VirtualHost } from "../../translate/model.ts";

/** The endpoints of a host, whoever has made them. */
export function endpointsAt(cached: Cached, hostname: string): readonly (CloudEndpoint | AgentEndpoint)[] {
  const host = hostname.toLowerCase();
  return [...cached.by(CloudEndpoint, ENDPOINTS_BY_HOST, host), ...cached.by(AgentEndpoint, ENDPOINTS_BY_HOST, host)];
}

/** What is wrong, by the URL. `hosts`: those of one Gateway. */
export function sharedHosts(hosts: readonly VirtualHost[], cached: Cached): ReadonlyMap<string, string> {
  const shared = new Map<string, string>();
  for (const { listener } of hosts) {
    const url = publicUrl(listener);
    const there = endpointsAt(cached, listener.hostname).filter(
      ({ spec, metadata }) => spec.url === url && metadata.deletionTimestamp === undefined,
    );
    if (there.length < 2 || !there.some(isAlone)) continue;
    const names = there.map(nameOf).toSorted().join(" and ");
    const why = "ngrok takes several endpoints on one address only where all pool";
    shared.set(
      url,
      `${names} serve ${url}, and ${why}: annotate all who ask with pooling-enabled, or choose another host`,
    );
  }
  return shared;
}

/** An AgentEndpoint always pools. */
function isAlone(endpoint: CloudEndpoint | AgentEndpoint): boolean {
  return !("upstream" in endpoint.spec) && (endpoint as CloudEndpoint).spec.poolingEnabled !== true;
}

function nameOf(endpoint: CloudEndpoint | AgentEndpoint): string {
  const { kind } = "upstream" in endpoint.spec ? AgentEndpoint : CloudEndpoint;
  return `${kind} ${keyOf(refOf(endpoint))}`;
}
