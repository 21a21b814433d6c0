// Everything that one ngrok account holds, in memory.
import { reservedAddresses } from "./addresses.ts";
import { Collection, type Remote } from "./collection.ts";
import { reservedDomains, type Certificates } from "./domains.ts";
import { endpoints } from "./endpoints.ts";
import { Hosts } from "./hosts.ts";
import { newId, timestamp } from "./ids.ts";
import { ipPolicies } from "./ip-policies.ts";
import { kubernetesOperators, type Issue } from "./operators.ts";
import { resourceOf, type Resource } from "./resource.ts";

export interface AccountSettings {
  readonly certificates: Certificates;
  readonly demandReservation: boolean;
  readonly ingressEndpoint: string;
  readonly issue: Issue;
}

export interface Account {
  /** By the first segment of the path. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Objects per collection. */
  counts(): Record<string, number>;
  /** What somebody pays for or would miss: all but the operator's registration and the rules inside policies. */
  remote(): number;
}

export function newAccount(settings: AccountSettings): Account {
  const hosts = new Hosts();
  const principalId = newId("usr");
  const cloud = endpoints(hosts, { principalId, demandReservation: settings.demandReservation });
  const ip = ipPolicies();
  const domains = reservedDomains(hosts, settings.certificates);
  const addresses = reservedAddresses(hosts);
  const operators = kubernetesOperators(cloud.bound, { ...settings, principalId });
  const counted = [cloud.resource, domains, ip.policies, ip.rules, addresses, operators];
  return {
    resources: new Map([...counted, apiKeys()].map((resource) => [resource.name, resource])),
    counts: () => Object.fromEntries(counted.map(({ name, size }) => [name, size])),
    remote: () => cloud.resource.size + domains.size + ip.policies.size + addresses.size,
  };
}

/** Read only: clients list it to see whether their key works. Tokens are shown at ngrok only when they are made. */
function apiKeys(): Resource {
  const keys = new Collection<Remote>();
  const id = newId("ak");
  const key = { id, uri: `/api_keys/${id}`, description: "", metadata: "", created_at: timestamp(), token: null };
  keys.add(key);
  return resourceOf({ name: "api_keys", listField: "keys", title: "API Key" }, keys);
}
