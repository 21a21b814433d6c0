// The index over endpoints by the host of their URL. All who look for one by its host declare this one, so that a host is
// held once however many they are.
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { parseEndpointUrl } from "#api/names.ts";

export const ENDPOINTS_BY_HOST = "endpoint-host";

export function hostsOfEndpoint({ spec }: CloudEndpoint | AgentEndpoint): readonly string[] {
  return hostOfUrl(spec.url);
}

/** The host of an endpoint's URL, in lower case; none of what is no URL of an endpoint. */
export function hostOfUrl(url: string): string[] {
  const parsed = parseEndpointUrl(url);
  return "problem" in parsed ? [] : [parsed.url.host];
}
