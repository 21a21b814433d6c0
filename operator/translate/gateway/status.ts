// What a GatewayClass and a Gateway of ours say about themselves, in the conditions of Gateway API: our own part of the
// status, for server-side apply. The time comes from the caller; what is right already comes back as it is.
import { fails, type Finding, holds, setConditions } from "#api/conditions.ts";
import type { Condition } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { isTcpAddress } from "#api/names.ts";
import type { GatewayClassObject } from "#kube/kinds.ts";
import type { GatewayAddress, GatewayStatus, ListenerStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { publicUrl } from "../endpoint-names.ts";
import { compareText } from "../manifests.ts";
import { attach } from "./attach.ts";
import { carriedBy } from "./carried.ts";
import type { Fault } from "./faults.ts";
import { isBlocked, type GatewayFacts } from "./gateways.ts";
import { isAccepted, type ListenerFacts, overlapOf, serves } from "./listeners.ts";
import { ROUTE_KINDS, routesOf } from "./routes.ts";
import { GATEWAY_GROUP, gatewayKey, nameOf, type View } from "./view.ts";

const UNREAD = "spec.parametersRef: is not read, as no kind of parameters is: remove it";

/** The condition of a class of ours. */
export function gatewayClassStatus(
  { metadata, spec, status }: GatewayClassObject,
  at: string,
): NonNullable<GatewayClassObject["status"]> {
  const unread = spec?.parametersRef === undefined ? "" : `, but for ${UNREAD}`;
  const accepted = holds("Accepted", "Accepted", `gatewayclass accepted by the ngrok controller${unread}`);
  return { conditions: conditionsAfter(status?.conditions, [accepted], { at, generation: metadata.generation }) };
}

export interface GatewaySeen {
  /** RFC 3339, for conditions that turn. */
  readonly at: string;
  /** Whether the endpoints of the Gateway's hosts have been written. */
  readonly applied: boolean;
  /** By the URL of a host that others have an endpoint for as well: what is wrong with that. */
  readonly shared?: ReadonlyMap<string, string>;
}

/** `facts`: of readGateways. */
export function gatewayStatus(view: View, facts: GatewayFacts, seen: GatewaySeen): GatewayStatus {
  const { gateway, listeners } = facts;
  const { status } = gateway;
  const attached = attachedRoutes(view, facts);
  const observed = { at: seen.at, generation: gateway.metadata.generation };
  return {
    addresses: addressesOf(view, facts),
    conditions: conditionsAfter(status?.conditions, gatewayFindings(facts, seen), observed),
    listeners: listeners.map((one): ListenerStatus => {
      const { name } = one.listener;
      const before = status?.listeners?.find((other) => other.name === name)?.conditions;
      return {
        name,
        supportedKinds: one.kinds.map((kind) => ({ group: GATEWAY_GROUP, kind })),
        attachedRoutes: attached.get(name) ?? 0,
        conditions: conditionsAfter(before, listenerFindings(facts, one, before, seen), observed),
      };
    }),
  };
}

function gatewayFindings(facts: GatewayFacts, seen: GatewaySeen): Finding[] {
  const shared = facts.listeners.flatMap((one) => sharedBy(one, seen));
  return [acceptedFinding(facts), programmedFinding(facts, seen.applied, shared), resolvedFinding(facts)];
}

/** A Gateway is accepted with one good listener, and names those that are not good all the same. */
function acceptedFinding({ listeners }: GatewayFacts): Finding {
  const refused = listeners.filter((one) => !isAccepted(one));
  const why = refused.flatMap(({ faults }) => faults.filter(isRefusal)).map(said);
  if (refused.length === listeners.length)
    return fails("Accepted", "ListenersNotValid", `no listener is valid: ${why[0] ?? "write one"}`);
  return refused.length === 0
    ? holds("Accepted", "Accepted", "gateway accepted by the ngrok operator")
    : holds(
        "Accepted",
        "ListenersNotValid",
        `gateway accepted by the ngrok operator, but not ${named(refused)}: ${joined(why)}`,
      );
}

function programmedFinding(
  { gateway, listeners, faults, asides }: GatewayFacts,
  applied: boolean,
  shared: readonly string[],
): Finding {
  const blocking = faults.find((fault) => fault.blocks);
  if (blocking !== undefined) {
    const reason = blocking.reason === "AddressNotUsable" ? "AddressNotUsable" : "Invalid";
    return fails("Programmed", reason, said(blocking));
  }
  const why = listeners.flatMap((one) => one.faults.filter((fault) => fault.blocks)).map(said);
  if (!listeners.some(serves)) {
    const what = listeners.some(isAccepted) ? "no listener can be served" : "no listener is valid";
    return fails("Programmed", "Invalid", `${what}: ${why[0] ?? "write one"}`);
  }
  // An address that was asked for and cannot be had must not pass for one that was given; the others are served.
  const addresses = faults.filter(({ type, reason }) => type === "Programmed" && reason.startsWith("Address"));
  const [first] = addresses;
  if (first !== undefined) return fails("Programmed", first.reason, joined(addresses.map(said)));
  const leftOut = [...faults.filter(({ type }) => type === "Programmed").map(said), ...asides, ...shared];
  return programmed("gateway", gateway.status?.conditions, applied, leftOut);
}

/** Of the Gateway's own references, and over those of its listeners. */
function resolvedFinding({ listeners, faults }: GatewayFacts): Finding {
  const own = faults.find(({ type }) => type === "ResolvedRefs");
  if (own !== undefined) return fails("ResolvedRefs", own.reason, said(own));
  const unresolved = listeners.flatMap((one) => one.faults.filter(({ type }) => type === "ResolvedRefs"));
  return unresolved.length === 0
    ? holds("ResolvedRefs", "ResolvedRefs", "all references are resolved")
    : fails("ResolvedRefs", "ListenersNotResolved", joined(unresolved.map(said)));
}

function isRefusal({ type }: Fault): boolean {
  return type === "Accepted" || type === "Conflicted";
}

function named(listeners: readonly ListenerFacts[]): string {
  return `listener ${listeners.map(({ listener }) => listener.name).join(", ")}`;
}

function joined(texts: readonly string[]): string {
  return [...new Set(texts)].join("; ");
}

function listenerFindings(
  gateway: GatewayFacts,
  one: ListenerFacts,
  before: readonly StrangerCondition[] | undefined,
  seen: GatewaySeen,
): Finding[] {
  const { faults } = one;
  const conflict = faults.find(({ type }) => type === "Conflicted");
  const refused = faults.find(({ type }) => type === "Accepted") ?? conflict;
  const unresolved = faults.find(({ type }) => type === "ResolvedRefs");
  const blocking = faults.find((fault) => fault.blocks) ?? gateway.faults.find((fault) => fault.blocks);
  const leftOut = [...faults.filter(({ type }) => type === "Programmed").map(said), ...sharedBy(one, seen)];
  return [
    refused === undefined
      ? holds("Accepted", "Accepted", "listener accepted by the ngrok operator")
      : fails("Accepted", refused.reason, refused.message),
    conflict === undefined
      ? fails("Conflicted", "NoConflicts", "")
      : holds("Conflicted", conflict.reason, conflict.message),
    unresolved === undefined
      ? holds("ResolvedRefs", "ResolvedRefs", "all references are resolved")
      : fails("ResolvedRefs", unresolved.reason, unresolved.message),
    blocking === undefined
      ? programmed("listener", before, seen.applied, leftOut)
      : fails("Programmed", "Invalid", said(blocking)),
    ...overlap(one, gateway.listeners),
  ];
}

/** It stays programmed, since its endpoint is made: whether ngrok takes it is for the endpoint to say. */
function sharedBy({ hosts, protocol, listener: { port } }: ListenerFacts, { shared }: GatewaySeen): string[] {
  if (protocol === undefined) return [];
  return hosts.flatMap((hostname) => shared?.get(publicUrl({ hostname, port, protocol })) ?? []);
}

/** There only where it is so, as Gateway API has it. */
function overlap(one: ListenerFacts, all: readonly ListenerFacts[]): Finding[] {
  const other = overlapOf(one, all);
  if (other === undefined) return [];
  const message = `listener ${other.listener.name} has host names of this one on the same port: a client that keeps one connection for both may meet the other's certificate; give them host names that do not overlap, or one certificate`;
  return [holds("OverlappingTLSConfig", "OverlappingHostnames", message)];
}

/** What is programmed stays so while a change of it is on its way. */
function programmed(
  what: string,
  before: readonly StrangerCondition[] | undefined,
  applied: boolean,
  leftOut: readonly string[],
): Finding {
  const already = before?.some(({ type, status }) => type === "Programmed" && status === "True") === true;
  const but = leftOut.length === 0 ? "" : `, but for ${joined(leftOut)}`;
  return applied || already
    ? holds("Programmed", "Programmed", `${what} programmed by the ngrok operator${but}`)
    : fails("Programmed", "Pending", "the endpoints have not been written yet");
}

function said({ field, message }: { readonly field: string; readonly message: string }): string {
  return field === "" ? message : `${field}: ${message}`;
}

/** How many routes are on each listener, by its name; whether it is served does not matter. */
function attachedRoutes(view: View, facts: GatewayFacts): ReadonlyMap<string, number> {
  const only = new Map([[gatewayKey(facts.gateway), facts]]);
  const carried = carriedBy(view, facts);
  const counts = new Map<string, number>();
  for (const kind of ROUTE_KINDS)
    for (const route of routesOf(view, kind)) {
      const { attachments } = attach(view, kind.kind, route, only);
      for (const one of new Set(attachments.flatMap(({ listeners }) => listeners))) {
        // Of several routes of bytes the first is accepted alone.
        if (kind.kind !== "HTTPRoute" && carried.get(one) !== nameOf(kind, route)) continue;
        counts.set(one.listener.name, (counts.get(one.listener.name) ?? 0) + 1);
      }
    }
  return counts;
}

/** The limit of the schema. */
const MOST_ADDRESSES = 16;

/** Where DNS is to point for the hosts that are served; a host whose Domain is not ready yet has none. */
function addressesOf(view: View, facts: GatewayFacts): GatewayAddress[] {
  if (isBlocked(facts)) return [];
  const domains = view.manifests.list(Domain);
  const serving = facts.listeners.filter(serves);
  const hosts = new Set(serving.flatMap((one) => one.hosts));
  const ofTcp = new Set(serving.filter(({ protocol }) => protocol === "TCP").flatMap((one) => one.hosts));
  const values = [...hosts].flatMap((host) => {
    const reserving = domains.filter(({ spec }) => spec.domain === host);
    const domain = reserving.find(({ metadata }) => metadata.namespace === facts.namespace) ?? reserving[0];
    // A reserved TCP address is a name of ngrok's own, which leads there by itself; so does what a Gateway has as its address.
    if (ofTcp.has(host) && (domain === undefined || isTcpAddress(host))) return [host];
    const { cnameTarget, domain: name } = domain?.status ?? {};
    return [cnameTarget, name].find((one) => one !== undefined && one !== "")?.replace(/^\*\./, "") ?? [];
  });
  return [...new Set(values)]
    .toSorted(compareText)
    .slice(0, MOST_ADDRESSES)
    .map((value) => ({ type: "Hostname", value }));
}

/** The conditions of `findings` and no others: what somebody else says is theirs to keep. */
export function conditionsAfter(
  before: readonly StrangerCondition[] | undefined,
  findings: readonly Finding[],
  observed: { readonly at: string; readonly generation: number | undefined },
): Condition[] {
  const kept = (before ?? [])
    .filter(({ type }) => findings.some((finding) => finding.type === type))
    .map((one): Condition => ({ reason: "", message: "", lastTransitionTime: observed.at, ...one }));
  return [...setConditions(kept, findings, observed)];
}
