// Gateway API to virtual hosts: the routes of each Gateway, gathered by the hosts of its listeners.
import { isInternalHost, isTcpAddress } from "#api/names.ts";
import { Gateway, type RouteObject } from "#kube/kinds.ts";
import { type EndpointSettings, unheeded } from "../annotations.ts";
import { gatewayPrefix } from "../endpoint-names.ts";
import { guarded } from "../guarded.ts";
import { compareText } from "../manifests.ts";
import {
  type DomainWish,
  type Hosts,
  type Manifests,
  type Options,
  type Problem,
  problemOf,
  type Protocol,
  type Route,
  type VirtualHost,
} from "../model.ts";
import { attach, type Attachment } from "./attach.ts";
import { taken } from "./carried.ts";
import { classlessGateways, type GatewayFacts, ourGateways, readGateway, servingListeners } from "./gateways.ts";
import { globMatches } from "./hostnames.ts";
import { isAccepted, type ListenerFacts, type RouteKind } from "./listeners.ts";
import { modelRoutes, ROUTE_KINDS, routesOf } from "./routes.ts";
import { gatewayKey, nameOf, quoted, type Tell, type View } from "./view.ts";

/** Sorted by Gateway, then as the Gateway lists its listeners and addresses. */
export function virtualHostsOfGateways(manifests: Manifests, options: Options): Hosts {
  const view = { manifests, options };
  const gathering: Gathering = { view, drafts: new Map(), problems: classlessGateways(view) };
  const gateways = readGateways(view, gathering.problems);
  for (const kind of ROUTE_KINDS) {
    for (const route of routesOf(view, kind)) {
      const unread = guarded(kind, route, () => {
        gatherRoute(gathering, kind.kind, route, gateways);
        return [];
      });
      gathering.problems.push(...unread);
    }
  }
  const hosts = [...gateways.values()].flatMap((gateway) => hostsOf(gateway, gathering.drafts));
  return { hosts, problems: onceEach(gathering.problems) };
}

/**
 * Each host name of a listener that can be served, for the namespace of its Gateway; in the order of the Gateways. The
 * addresses that ngrok reserves for TCP are another thing there, and are refused as Domains.
 */
export function domainsOfGateways(manifests: Manifests, options: Options): DomainWish[] {
  return [...readGateways({ manifests, options }).values()].flatMap(({ namespace, listeners }) =>
    listeners
      .filter(isAccepted)
      .filter(({ protocol, listener }) => protocol !== "TCP" || !isTcpAddress(listener.hostname ?? ""))
      .map(({ listener: { hostname } }) => hostname ?? "")
      .filter((host) => host !== "" && host !== "*" && !isInternalHost(host))
      .map((host) => ({ host: host.toLowerCase(), namespace })),
  );
}

/** Ours, by `namespace/name`. */
export function readGateways(view: View, problems: Problem[] = []): ReadonlyMap<string, GatewayFacts> {
  const gateways = new Map<string, GatewayFacts>();
  for (const gateway of ourGateways(view)) {
    const told = guarded(Gateway, gateway, () => {
      const facts = readGateway(view, gateway);
      gateways.set(gatewayKey(gateway), facts);
      return facts.problems;
    });
    problems.push(...told);
  }
  return gateways;
}

/** What will be one virtual host. */
interface Draft {
  readonly routes: Route[];
  /** `Kind namespace/name`. */
  readonly owners: string[];
}

interface Gathering {
  readonly view: View;
  /** By Gateway, host, port and protocol. */
  readonly drafts: Map<string, Draft>;
  readonly problems: Problem[];
}

function gatherRoute(
  gathering: Gathering,
  kind: RouteKind,
  route: RouteObject,
  gateways: ReadonlyMap<string, GatewayFacts>,
): void {
  const { view, problems } = gathering;
  const tell: Tell = (field, reason, effect) => {
    problems.push(problemOf({ kind }, route, field, reason, effect));
  };
  const { attachments, missing } = attach(view, kind, route, gateways);
  for (const { field, name } of missing) tell(field, `Gateway ${name} does not exist: create it or name another`);
  // They speak for all hosts of a Gateway, and so on the Gateway alone.
  if (attachments.length > 0) problems.push(...unheeded({ kind }, route));
  for (const attachment of attachments) {
    const { gateway, refusal, field } = attachment;
    if (refusal !== undefined) tell(field, refusal.message);
    const serving = servingListeners(gateway).filter((one) => attachment.listeners.includes(one));
    if (serving.length === 0 || gateway.settings === undefined) continue;
    const routes = modelRoutes({ view, kind, route, gateway, report: (problem) => problems.push(problem) });
    for (const listener of serving) addToHosts(gathering, { kind, route, attachment, listener, routes, tell });
  }
}

interface Added {
  readonly kind: RouteKind;
  readonly route: RouteObject;
  readonly attachment: Attachment;
  readonly listener: ListenerFacts;
  readonly routes: readonly Route[];
  readonly tell: Tell;
}

function addToHosts({ drafts }: Gathering, { kind, route, attachment, listener, routes, tell }: Added): void {
  const name = nameOf({ kind }, route);
  for (const host of listener.hosts) {
    const key = keyOfHost(attachment.gateway, listener, host);
    const draft = drafts.get(key) ?? { routes: [], owners: [] };
    drafts.set(key, draft);
    if (draft.owners.includes(name)) continue;
    const [first] = draft.owners;
    if (first !== undefined && kind !== "HTTPRoute") {
      tell(attachment.field, taken(listener.listener.name, first));
      continue;
    }
    tellOfWiderHost(route, host, tell);
    draft.owners.push(name);
    draft.routes.push(...routes);
  }
}

/** An endpoint has one host: a route on it answers for all of that host's names. */
function tellOfWiderHost({ spec }: RouteObject, host: string, tell: Tell): void {
  const wanted = spec?.hostnames ?? [];
  if (wanted.length === 0 || wanted.some((name) => globMatches(name, host))) return;
  const reason = `the route answers for all of ${quoted(host)}, the host of the endpoint: give the Gateway a listener with the host name of the route`;
  tell("spec.hostnames", reason, "ignored");
}

function keyOfHost({ gateway }: GatewayFacts, { listener, protocol }: ListenerFacts, host: string): string {
  return `${gatewayKey(gateway)} ${host.toLowerCase()} ${listener.port} ${protocol}`;
}

function hostsOf(gateway: GatewayFacts, drafts: Map<string, Draft>): VirtualHost[] {
  const { settings } = gateway;
  if (settings === undefined) return [];
  return servingListeners(gateway).flatMap((listener) =>
    listener.hosts.flatMap((host) => {
      const key = keyOfHost(gateway, listener, host);
      const draft = drafts.get(key);
      // Listeners that say the same of one host make one virtual host.
      drafts.delete(key);
      if (draft === undefined || listener.protocol === undefined) return [];
      if (settings.trafficPolicy === undefined && draft.routes.length === 0) return [];
      return [hostOf(gateway, settings, { listener, protocol: listener.protocol, host, draft })];
    }),
  );
}

function hostOf(
  facts: GatewayFacts,
  settings: EndpointSettings,
  { listener, protocol, host, draft }: { listener: ListenerFacts; protocol: Protocol; host: string; draft: Draft },
): VirtualHost {
  const { gateway, namespace } = facts;
  const { port } = listener.listener;
  return {
    ...settings,
    namePrefix: gatewayPrefix({ name: gateway.metadata.name, namespace }, { protocol, port }),
    namespace,
    listener: { hostname: host, port, protocol },
    routes: draft.routes,
    ...(listener.termination !== undefined && { tlsTermination: listener.termination }),
    clientCertRefs: facts.clientCerts,
    labelsToAdd: facts.labels,
    annotationsToAdd: facts.annotations,
    owningResources: [nameOf({ kind: "Gateway" }, gateway), ...draft.owners],
  };
}

/** Sorted; a fault that several matches or parents met is told once. */
function onceEach(problems: readonly Problem[]): Problem[] {
  const byText = new Map(problems.map((problem) => [`${problem.object} ${problem.field} ${problem.reason}`, problem]));
  return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, problem]) => problem);
}
