// What a GatewayClass and a Gateway of ours say about themselves, in the conditions of Gateway API: our own part of the
// status, for server-side apply. The time comes from the caller; what is right already comes back as it is.
import { fails, type Finding, holds, setConditions } from "#api/conditions.ts";
import type { Condition } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import type { GatewayClassObject } from "#kube/kinds.ts";
import type { GatewayAddress, GatewayStatus, ListenerStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { compareText } from "../manifests.ts";
import { attach } from "./attach.ts";
import { isBlocked, type GatewayFacts } from "./gateways.ts";
import { isAccepted, type ListenerFacts, serves } from "./listeners.ts";
import { ROUTE_KINDS, routesOf } from "./routes.ts";
import { GATEWAY_GROUP, gatewayKey, type View } from "./view.ts";

/** The condition of a class of ours. */
export function gatewayClassStatus(
  { metadata, status }: GatewayClassObject,
  at: string,
): NonNullable<GatewayClassObject["status"]> {
  const accepted = holds("Accepted", "Accepted", "gatewayclass accepted by the ngrok controller");
  return {
    ...status,
    conditions: conditionsAfter(status?.conditions, [accepted], { at, generation: metadata.generation }),
  };
}

export interface GatewaySeen {
  /** RFC 3339, for conditions that turn. */
  readonly at: string;
  /** Whether the endpoints of the Gateway's hosts have been written. */
  readonly applied: boolean;
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

function gatewayFindings(facts: GatewayFacts, { applied }: GatewaySeen): Finding[] {
  const { gateway, listeners, faults } = facts;
  const findings: Finding[] = [];
  const valid = listeners.some(isAccepted);
  const why = listeners.flatMap((one) => one.faults).map(({ field, message }) => `${field}: ${message}`);
  const none = `no listener is valid: ${why[0] ?? "write one"}`;
  findings.push(
    valid
      ? holds("Accepted", "Accepted", "gateway accepted by the ngrok operator")
      : fails("Accepted", "ListenersNotValid", none),
  );
  const blocking = faults.find((fault) => fault.blocks);
  if (blocking !== undefined) {
    const reason = blocking.reason === "AddressNotUsable" ? "AddressNotUsable" : "Invalid";
    findings.push(fails("Programmed", reason, said(blocking)));
  } else if (!listeners.some(serves)) {
    findings.push(fails("Programmed", "Invalid", valid ? `no listener can be served: ${why[0] ?? ""}` : none));
  } else findings.push(programmed("gateway", gateway.status?.conditions, applied));
  if (gateway.spec?.tls?.backend?.clientCertificateRef !== undefined) {
    const unresolved = faults.find(({ type }) => type === "ResolvedRefs");
    findings.push(
      unresolved === undefined
        ? holds("ResolvedRefs", "ResolvedRefs", "the client certificate is there")
        : fails("ResolvedRefs", unresolved.reason, said(unresolved)),
    );
  }
  return findings;
}

function listenerFindings(
  gateway: GatewayFacts,
  { faults }: ListenerFacts,
  before: readonly StrangerCondition[] | undefined,
  { applied }: GatewaySeen,
): Finding[] {
  const conflict = faults.find(({ type }) => type === "Conflicted");
  const refused = faults.find(({ type }) => type === "Accepted") ?? conflict;
  const unresolved = faults.find(({ type }) => type === "ResolvedRefs");
  const blocking = faults.find((fault) => fault.blocks) ?? gateway.faults.find((fault) => fault.blocks);
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
    blocking === undefined ? programmed("listener", before, applied) : fails("Programmed", "Invalid", said(blocking)),
  ];
}

/** What is programmed stays so while a change of it is on its way. */
function programmed(what: string, before: readonly StrangerCondition[] | undefined, applied: boolean): Finding {
  const already = before?.some(({ type, status }) => type === "Programmed" && status === "True") === true;
  return applied || already
    ? holds("Programmed", "Programmed", `${what} programmed by the ngrok operator`)
    : fails("Programmed", "Pending", "the endpoints have not been written yet");
}

function said({ field, message }: { readonly field: string; readonly message: string }): string {
  return field === "" ? message : `${field}: ${message}`;
}

/** How many routes are on each listener, by its name; whether it is served does not matter. */
function attachedRoutes(view: View, facts: GatewayFacts): ReadonlyMap<string, number> {
  const only = new Map([[gatewayKey(facts.gateway), facts]]);
  const counts = new Map<string, number>();
  for (const kind of ROUTE_KINDS)
    for (const route of routesOf(view, kind)) {
      const { attachments } = attach(view, kind.kind, route, only);
      const names = new Set(attachments.flatMap((one) => one.listeners.map(({ listener }) => listener.name)));
      for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  return counts;
}

/** The limit of the schema. */
const MOST_ADDRESSES = 16;

/** Where DNS is to point for the hosts that are served; a host whose Domain is not ready yet has none. */
function addressesOf(view: View, facts: GatewayFacts): GatewayAddress[] {
  if (isBlocked(facts)) return [];
  const domains = view.manifests.list(Domain);
  const hosts = new Set(facts.listeners.filter(serves).flatMap((one) => one.hosts));
  const values = [...hosts].flatMap((host) => {
    const reserving = domains.filter(({ spec }) => spec.domain === host);
    const domain = reserving.find(({ metadata }) => metadata.namespace === facts.namespace) ?? reserving[0];
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
