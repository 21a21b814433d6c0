// What a Gateway's listeners are for us: which hosts they serve, for which kinds of route, and what keeps them from it.
import { isHost } from "#api/names.ts";
import type { GatewayObject } from "#kube/kinds.ts";
import type { GatewayListener } from "#kube/routing-objects.ts";
import type { Protocol, TlsTermination } from "../model.ts";
import { blocks, type Fault, lacks } from "./faults.ts";
import { hostsMeet } from "./hostnames.ts";
import { terminationOf } from "./tls.ts";
import { GATEWAY_GROUP, quoted, type View } from "./view.ts";

export type RouteKind = "HTTPRoute" | "TCPRoute" | "TLSRoute";

export interface ListenerFacts {
  readonly listener: GatewayListener;
  /** Path in the Gateway. */
  readonly field: string;
  /** undefined for a protocol that ngrok does not have. */
  readonly protocol: Protocol | undefined;
  /** The endpoint hosts: the Gateway's addresses, else the listener's host name. */
  readonly hosts: readonly string[];
  /** Kinds that may attach. */
  readonly kinds: readonly RouteKind[];
  readonly termination?: TlsTermination;
  readonly faults: readonly Fault[];
}

/** Whether anything is served here. */
export function serves({ faults }: ListenerFacts): boolean {
  return !faults.some((fault) => fault.blocks);
}

/** Whether the listener says something that can be served at all, whatever may be missing today. */
export function isAccepted({ faults }: ListenerFacts): boolean {
  return !faults.some(({ type }) => type === "Accepted" || type === "Conflicted");
}

/** In the order of the Gateway. `addresses`: host names that the Gateway asks for. */
export function listenersOf(view: View, gateway: GatewayObject, addresses: readonly string[]): ListenerFacts[] {
  const all = (gateway.spec?.listeners ?? []).map((listener, at) =>
    listenerOf(view, gateway, addresses, listener, `spec.listeners[${at}]`),
  );
  const asking = all.filter(asksForHosts);
  return all.map((one): ListenerFacts => {
    const conflict = asking.includes(one) ? conflictOf(one, asking) : undefined;
    return conflict === undefined ? one : { ...one, faults: [...one.faults, conflict] };
  });
}

/**
 * By what is written in the Gateway: a certificate or an authority that is missing today may come, and whether listeners
 * conflict must not turn with it. What ngrok cannot serve as it is written asks for nothing.
 */
export function asksForHosts({ hosts, faults }: ListenerFacts): boolean {
  return (
    hosts.length > 0 && !faults.some(({ type, reason }) => type === "Accepted" && reason !== "NoValidCACertificate")
  );
}

/** The other listener whose TLS a client may take for this one's, since it has the name of both on one port. */
export function overlapOf(one: ListenerFacts, all: readonly ListenerFacts[]): ListenerFacts | undefined {
  if (!terminatesTls(one)) return undefined;
  return all.find(
    (other) =>
      other !== one &&
      terminatesTls(other) &&
      other.listener.port === one.listener.port &&
      hostsOverlap(other.listener.hostname || "*", one.listener.hostname || "*"),
  );
}

/** Of two patterns the wider one covers the narrower, whichever of them is asked. */
function hostsOverlap(a: string, b: string): boolean {
  return hostsMeet(a, b) || hostsMeet(b, a);
}

function terminatesTls({ protocol, listener }: ListenerFacts): boolean {
  return (
    protocol === "HTTPS" || (protocol === "TLS" && listener.tls !== undefined && listener.tls.mode !== "Passthrough")
  );
}

const PORTS: Readonly<Record<string, number>> = { HTTP: 80, HTTPS: 443 };

function listenerOf(
  view: View,
  gateway: GatewayObject,
  addresses: readonly string[],
  listener: GatewayListener,
  field: string,
): ListenerFacts {
  const protocol = protocolOf(listener);
  const hostname = listener.hostname?.toLowerCase() ?? "";
  const own = isHost(hostname) ? [hostname] : [];
  const hosts = addresses.length > 0 ? addresses : own;
  const base = { listener, field, protocol, hosts };
  if (protocol === undefined) {
    const message = `${quoted(listener.protocol)} is not a protocol that ngrok serves: use HTTP, HTTPS, TLS or TCP`;
    return { ...base, kinds: [], faults: [blocks("Accepted", "UnsupportedProtocol", `${field}.protocol`, message)] };
  }
  const { kinds, faults: kindFaults } = kindsOf(listener, protocol, field);
  const basic = [...portFaults(listener, field), ...hostFaults(listener, hosts, field), ...tlsFaults(listener, field)];
  const faults = [...basic, ...kindFaults];
  const terminates = listener.tls !== undefined && listener.tls.mode !== "Passthrough";
  if (basic.length > 0 || !terminates)
    return { ...base, kinds, faults: [...faults, ...unvalidated(gateway, listener)] };
  const terminated = terminationOf(view, gateway, listener, field);
  return {
    ...base,
    kinds,
    faults: [...faults, ...terminated.faults],
    ...(terminated.termination !== undefined && { termination: terminated.termination }),
  };
}

function protocolOf({ protocol }: GatewayListener): Protocol | undefined {
  return protocol === "HTTP" || protocol === "HTTPS" || protocol === "TCP" || protocol === "TLS" ? protocol : undefined;
}

function portFaults({ protocol, port }: GatewayListener, field: string): Fault[] {
  const only = PORTS[protocol];
  if (only === undefined || port === only) return [];
  return [blocks("Accepted", "PortUnavailable", `${field}.port`, `ngrok only supports ${protocol} on port ${only}`)];
}

function hostFaults({ protocol, hostname = "" }: GatewayListener, hosts: readonly string[], field: string): Fault[] {
  if (hostname !== "" && hostname !== "*" && !isHost(hostname.toLowerCase())) {
    const message = `${quoted(hostname)} is not a host name: use letters, digits, - and dots, such as app.example.com or *.example.com`;
    return [blocks("Accepted", "UnsupportedValue", `${field}.hostname`, message)];
  }
  if (hosts.length > 0) return [];
  const said = hostname === "" ? "" : `${quoted(hostname)} is no host of its own: `;
  const message = `${said}write the host name that ngrok is to serve, or give the Gateway an address of type Hostname`;
  // A TCP or TLS listener without a host is a good one of Gateway API, of which ngrok cannot make an endpoint.
  const http = protocol === "HTTP" || protocol === "HTTPS";
  const [type, reason] = http ? (["Accepted", "HostnameRequired"] as const) : (["Programmed", "Invalid"] as const);
  return [blocks(type, reason, `${field}.hostname`, message)];
}

function tlsFaults({ protocol, tls }: GatewayListener, field: string): Fault[] {
  if (tls === undefined) return [];
  if (protocol === "HTTP" || protocol === "TCP")
    return [
      blocks("Accepted", "UnsupportedValue", `${field}.tls`, `${protocol} has no TLS: remove tls, or use HTTPS or TLS`),
    ];
  if (protocol === "HTTPS" && tls.mode === "Passthrough") {
    const message = "ngrok ends the TLS of HTTPS itself: write Terminate, or use protocol TLS with a TLSRoute";
    return [blocks("Accepted", "UnsupportedValue", `${field}.tls.mode`, message)];
  }
  return [];
}

/** Client certificates that nobody will ask for are not passed over in silence. */
function unvalidated(gateway: GatewayObject, { protocol, tls }: GatewayListener): Fault[] {
  const asked = gateway.spec?.tls?.frontend?.default?.validation !== undefined;
  if (!asked || protocol !== "HTTPS" || tls !== undefined) return [];
  const message =
    "clients of a listener without a tls block are not validated: give the listener tls with mode Terminate";
  return [lacks("Programmed", "Invalid", "spec.tls.frontend.default.validation", message)];
}

const BY_PROTOCOL: Readonly<Record<Protocol, readonly RouteKind[]>> = {
  HTTP: ["HTTPRoute"],
  HTTPS: ["HTTPRoute"],
  TCP: ["TCPRoute"],
  TLS: ["TLSRoute", "TCPRoute"],
};

/** What the protocol can carry of what the listener allows. */
function kindsOf(
  listener: GatewayListener,
  protocol: Protocol,
  field: string,
): { readonly kinds: readonly RouteKind[]; readonly faults: readonly Fault[] } {
  const passthrough = listener.tls?.mode === "Passthrough";
  const possible = BY_PROTOCOL[protocol].filter((kind) => !(passthrough && kind === "TCPRoute"));
  const wanted = listener.allowedRoutes?.kinds ?? [];
  if (wanted.length === 0) return { kinds: possible, faults: [] };
  const allows = (kind: RouteKind, one: { group?: string; kind: string }): boolean =>
    (one.group ?? GATEWAY_GROUP) === GATEWAY_GROUP && one.kind.toLowerCase() === kind.toLowerCase();
  const wrong = wanted.findIndex((one) => !possible.some((kind) => allows(kind, one)));
  const message = `a listener of protocol ${protocol} cannot carry it: allow ${possible.join(" or ")}`;
  return {
    kinds: possible.filter((kind) => wanted.some((one) => allows(kind, one))),
    faults:
      wrong < 0 ? [] : [lacks("ResolvedRefs", "InvalidRouteKinds", `${field}.allowedRoutes.kinds[${wrong}]`, message)],
  };
}

/** Two listeners cannot both have one host and port, unless they say the same. Gateway API forbids to let one of them win. */
function conflictOf(one: ListenerFacts, all: readonly ListenerFacts[]): Fault | undefined {
  const other = all.find(
    (another) =>
      another !== one &&
      another.listener.port === one.listener.port &&
      another.hosts.some((host) => one.hosts.includes(host)) &&
      !(another.protocol === one.protocol && endTlsAlike(another, one)),
  );
  if (other === undefined) return undefined;
  const reason = other.protocol === one.protocol ? "HostnameConflict" : "ProtocolConflict";
  const message = `listener ${other.listener.name} wants this host and port too, so neither is served: remove one, or give it another host name or port`;
  return blocks("Conflicted", reason, one.field, message);
}

/** By what they say, or by what comes of it: one certificate may go by two names. */
function endTlsAlike(a: ListenerFacts, b: ListenerFacts): boolean {
  const isKnown = a.termination !== undefined && b.termination !== undefined;
  return same(tlsEnded(a), tlsEnded(b)) || (isKnown && same(a.termination, b.termination));
}

function tlsEnded({ listener: { tls } }: ListenerFacts): GatewayListener["tls"] {
  return tls?.mode === "Passthrough" ? undefined : tls;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
