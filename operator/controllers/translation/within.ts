// Of what comes out of a slice, the part that is right: the rest is made of hosts that were looked at for their Services.
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { Domain } from "#api/domain.ts";
import type { Translation } from "../../translate/model.ts";
import { hostOfUrl } from "../../endpoint/host.ts";
import { serviceOfEndpoint } from "./keys.ts";
import type { Endpoint } from "./plan.ts";
import type { Slice } from "./slice.ts";

export function within(
  { hosts, services }: Slice,
  { endpoints, domains }: Pick<Translation, "endpoints" | "domains">,
): { readonly endpoints: readonly Endpoint[]; readonly domains: readonly Domain[] } {
  const isRight = (endpoint: Endpoint): boolean =>
    isAgent(endpoint)
      ? serviceOfEndpoint(endpoint).some((service) => services.has(service))
      : hostOfUrl(endpoint.spec.url).some((host) => hosts.has(host));
  return { endpoints: endpoints.filter(isRight), domains: domains.filter(({ spec }) => hosts.has(spec.domain)) };
}

function isAgent(endpoint: Endpoint): endpoint is AgentEndpoint {
  return "upstream" in endpoint.spec;
}
