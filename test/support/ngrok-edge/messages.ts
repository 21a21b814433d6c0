// What agents say when they authenticate and bind, read from the wire into the words of the edge.
import type { Fields } from "./calls.ts";

export interface Auth {
  /** Empty at the first connection; later what the edge gave. */
  readonly clientId: string;
  readonly authtoken: string;
  readonly metadata: string;
  readonly userAgent: string;
  readonly version: string;
  readonly clientType: string;
  /** Between two heartbeats, ms. */
  readonly heartbeatInterval: number;
  /** How much later than that one may come, ms. */
  readonly heartbeatTolerance: number;
  /** Which commands of the edge the agent has an ear for. */
  readonly handles: { readonly stop: boolean; readonly restart: boolean; readonly update: boolean };
}

export type Proto = "http" | "https" | "tcp" | "tls";

export interface BindRequest {
  /** Empty for a new endpoint; after a reconnection what the edge gave. */
  readonly id: string;
  readonly proto: Proto;
  /** The host or `host:port` that is wished; empty for any. */
  readonly place: string;
  readonly forwardsTo: string;
  /** What the edge speaks to the upstream: empty and `http1` are the same. */
  readonly forwardsProto: string;
  readonly metadata: string;
  /** Lower case; empty is `public`. */
  readonly binding: string;
  readonly pooling: boolean;
  /** Version of the PROXY header that the edge has to write; 0 for none. */
  readonly proxyProto: number;
  /** As the caller gave it, or empty. */
  readonly trafficPolicy: string;
  /** All of it, as it came: the agent wants it back. */
  readonly opts: Fields;
}

export function readAuth(call: Fields): Auth {
  const extra = object(call["Extra"]);
  return {
    clientId: text(call["ClientId"]),
    authtoken: text(extra["AuthToken"]) || text(extra["Authtoken"]),
    metadata: text(extra["Metadata"]),
    userAgent: text(extra["UserAgent"]),
    version: text(extra["Version"]),
    clientType: text(extra["ClientType"]),
    heartbeatInterval: number(extra["HeartbeatInterval"]) / nanosecondsPerMs,
    heartbeatTolerance: number(extra["HeartbeatTolerance"]) / nanosecondsPerMs,
    handles: {
      stop: text(extra["StopUnsupportedError"]) === "",
      restart: text(extra["RestartUnsupportedError"]) === "",
      update: text(extra["UpdateUnsupportedError"]) === "",
    },
  };
}

/** Undefined when the protocol is none that there is. */
export function readBind(call: Fields): BindRequest | undefined {
  const proto = text(call["Proto"]);
  if (proto !== "http" && proto !== "https" && proto !== "tcp" && proto !== "tls") return undefined;
  const opts = object(call["Opts"]);
  const extra = object(call["Extra"]);
  const bindings = Array.isArray(extra["Bindings"]) ? (extra["Bindings"] as unknown[]) : [];
  return {
    id: text(call["Id"]),
    proto,
    place: proto === "tcp" ? text(opts["Addr"]) : text(opts["Domain"]) || text(opts["Hostname"]),
    forwardsTo: text(call["ForwardsTo"]),
    forwardsProto: text(call["ForwardsProto"]),
    metadata: text(extra["Metadata"]),
    binding: text(bindings[0]).toLowerCase() || "public",
    pooling: extra["PoolingEnabled"] === true,
    proxyProto: number(opts["ProxyProto"]),
    trafficPolicy: text(opts["TrafficPolicy"]),
    opts,
  };
}

const nanosecondsPerMs = 1_000_000;

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function object(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
