// From the endpoints that ngrok serves into this cluster to the addresses under which workloads reach them. One that
// cannot be served is a problem of its own. Pure.
import type { BoundEndpointScheme } from "#api/bound-endpoint.ts";
import { parseEndpointUrl } from "#api/names.ts";
import type { RemoteBoundEndpoint } from "#ngrok/operators.ts";

/** An address, and all endpoints that share it. */
export interface Address {
  /** `<scheme>://<service>.<namespace>:<port>` */
  readonly endpointURL: string;
  readonly scheme: BoundEndpointScheme;
  readonly service: string;
  readonly namespace: string;
  readonly port: number;
  /** In the order of their ids. */
  readonly endpoints: readonly { readonly id: string; readonly uri: string }[];
}

export interface Aggregated {
  /** In the order of their URLs. */
  readonly addresses: readonly Address[];
  /** A sentence for each endpoint that is not served. */
  readonly problems: readonly string[];
  /** Whether each entry says which endpoint it is and where. Else an address that is missing may be that of one that does not. */
  readonly isWhole: boolean;
}

export function aggregate(remote: readonly RemoteBoundEndpoint[]): Aggregated {
  const byUrl = new Map<string, Address>();
  const problems: string[] = [];
  for (const { id, uri, ...endpoint } of remote.toSorted((a, b) => compare(a.id, b.id))) {
    const parsed = addressOf(endpoint);
    if ("problem" in parsed) {
      problems.push(`endpoint ${id || "without id"}: ${parsed.problem}`);
      continue;
    }
    if (id === "") {
      problems.push(`endpoint without id: ngrok lists ${parsed.endpointURL} without saying which endpoint that is`);
      continue;
    }
    const { endpointURL } = parsed;
    const others = byUrl.get(endpointURL)?.endpoints ?? [];
    // A page that moved while the list was read may show one twice.
    if (others.some((one) => one.id === id)) continue;
    byUrl.set(endpointURL, { ...parsed, endpoints: [...others, { id, uri }] });
  }
  return {
    addresses: [...byUrl.values()].toSorted((a, b) => compare(a.endpointURL, b.endpointURL)),
    problems,
    isWhole: remote.every(({ id, publicUrl }) => id !== "" && publicUrl !== ""),
  };
}

/** What can be the name of a Service, and what the CRD takes for a namespace's. */
const HOST = /^([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)\.([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;

function addressOf({
  proto,
  publicUrl,
}: Pick<RemoteBoundEndpoint, "proto" | "publicUrl">): Omit<Address, "endpoints"> | { readonly problem: string } {
  const given = publicUrl.trim();
  const parsed = parseEndpointUrl(given === "" || given.includes("://") ? given : `${proto || "https"}://${given}`);
  if ("problem" in parsed) return parsed;
  const { scheme, host, port } = parsed.url;
  if (proto !== "" && proto.toLowerCase() !== scheme)
    return { problem: `its URL is of ${scheme}, its protocol is ${proto}: give it a URL that begins with ${proto}://` };
  const [, service, namespace] = HOST.exec(host) ?? [];
  if (service === undefined || namespace === undefined)
    return {
      problem: `the host ${host} is not <service>.<namespace>: name a Service and its namespace in the endpoint's URL`,
    };
  return { endpointURL: `${scheme}://${service}.${namespace}:${port}`, scheme, service, namespace, port };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
