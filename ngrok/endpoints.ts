// Cloud endpoints at ngrok: find, change, remove. Endpoints of agents are not of this port.
import { maybe, text, texts } from "./answer.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { collection, type Ground, type Shape } from "./collection.ts";

export interface RemoteEndpoint {
  readonly id: string;
  readonly uri: string;
  /** "cloud", or "agent" for one that an agent opened. */
  readonly type: string;
  readonly url: string;
  readonly description: string;
  readonly metadata: string;
  /** JSON text as it was sent, "" for none. */
  readonly trafficPolicy: string;
  readonly bindings: readonly string[];
  readonly poolingEnabled: boolean;
  /** RFC 3339; undefined when ngrok does not say it. */
  readonly createdAt?: string | undefined;
}

export interface EndpointPatch {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
  /** JSON text; "" takes the policy off. */
  readonly trafficPolicy?: string | undefined;
  readonly bindings?: readonly string[] | undefined;
  /** Undefined leaves the account's default on creation, and what is set on an update. */
  readonly poolingEnabled?: boolean | undefined;
}

export interface EndpointBody extends EndpointPatch {
  readonly url: string;
}

export interface EndpointsPort {
  /** By id alone: a URL may be shared by the pooled endpoints of several clusters. */
  find(by: { readonly id: string }, signal: AbortSignal): Promise<RemoteEndpoint | undefined>;
  /**
   * All cloud endpoints with this URL and exactly this metadata: what a creation whose id was lost may have left. Only a
   * single one may be taken for ours. URLs are compared without default port and letter case of the host.
   */
  matching(
    by: { readonly url: string; readonly metadata: string } & Freshness,
    signal: AbortSignal,
  ): Promise<readonly RemoteEndpoint[]>;
  change(change: Change<RemoteEndpoint, EndpointBody, EndpointPatch>, signal: AbortSignal): Promise<RemoteEndpoint>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
}

/** The port over a client's calls. */
export function endpoints(ground: Ground): EndpointsPort {
  const at = collection(ground, shape);
  return {
    find: async ({ id }, signal) => await at.find(id, signal),
    matching: async ({ url, metadata, asOf }, signal) => await at.matching(keyOf(url, metadata), { asOf }, signal),
    change: at.change,
    remove: at.remove,
  };
}

const shape: Shape<RemoteEndpoint, EndpointBody, EndpointPatch> = {
  path: "/endpoints",
  field: "endpoints",
  keys: ({ type, url, metadata }) => (type === "cloud" ? [keyOf(url, metadata)] : []),
  create: (body) => ({ type: "cloud", ...patch(body) }),
  update: patch,
  read: (of, id) => ({
    id,
    uri: text(of, "uri"),
    type: text(of, "type"),
    url: text(of, "url"),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
    trafficPolicy: text(of, "traffic_policy"),
    bindings: texts(of, "bindings"),
    poolingEnabled: of["pooling_enabled"] === true,
    createdAt: maybe(of, "created_at"),
  }),
};

function patch({ url, description, metadata, trafficPolicy, bindings, poolingEnabled }: EndpointPatch): object {
  return { url, description, metadata, traffic_policy: trafficPolicy, bindings, pooling_enabled: poolingEnabled };
}

const defaultPorts: Readonly<Record<string, string>> = { http: "80", https: "443", tls: "443" };

function keyOf(url: string, metadata: string): string {
  const [, scheme = "", host = "", port] = /^([a-z]+):\/\/([^/:]+)(?::(\d+))?\/?$/i.exec(url) ?? [];
  if (host === "") return `${url} ${metadata}`;
  const protocol = scheme.toLowerCase();
  return `${protocol}://${host.toLowerCase()}:${port ?? defaultPorts[protocol] ?? ""} ${metadata}`;
}
