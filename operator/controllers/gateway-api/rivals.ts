// Of TCPRoutes and TLSRoutes a listener carries the first alone. Each is found by the listeners to which it attaches, first
// come first: so neither what becomes of one, nor whom a change of it concerns, takes a look at the thousands behind the first.
import { keyOf, type Kind, type Ref, refOf, refOfKey } from "#kube/kind.ts";
import { Gateway, type GatewayObject, Namespace, type RouteObject } from "#kube/kinds.ts";
import { sameJson } from "../../endpoint/difference.ts";
import type { Change } from "../../runtime/cache.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { Derivation } from "../../runtime/derived-index.ts";
import { attach } from "../../translate/gateway/attach.ts";
import { placeOf } from "../../translate/gateway/carried.ts";
import { readGateway } from "../../translate/gateway/gateways.ts";
import type { ListenerFacts } from "../../translate/gateway/listeners.ts";
import { routeIndexes, routesBy, routesChosen } from "../../translate/gateway/links.ts";
import { ageOf, BYTE_KINDS } from "../../translate/gateway/routes.ts";
import { gatewayKey, type View } from "../../translate/gateway/view.ts";
import { NOBODYS } from "../../translate/model.ts";
import { isNews, isNewsOfLabels, nameOf } from "../../translate/news.ts";

type ByteKind = (typeof BYTE_KINDS)[number];

/** The kinds whose routes may have a listener that one of this kind would have: TLSRoutes come first, HTTPRoutes share. */
export function rivalKinds(kind: ByteKind): readonly ByteKind[] {
  return BYTE_KINDS.slice(0, BYTE_KINDS.findIndex((one) => one.kind === kind.kind) + 1);
}

const AT_PLACE = "route-at-place";

const INDEXES = new Map(BYTE_KINDS.map((kind) => [kind.kind, { ...routeIndexes, [AT_PLACE]: atPlace(kind) }] as const));

/** Over routes of the kind. */
export function rivalIndexes(kind: ByteKind): typeof routeIndexes & { readonly [AT_PLACE]: Derivation<RouteObject> } {
  const found = INDEXES.get(kind.kind);
  if (found === undefined) throw new Error(`any number of ${kind.kind}s share a listener`);
  return found;
}

function atPlace(kind: ByteKind): Derivation<RouteObject> {
  const keys = (routes: readonly RouteObject[]): string[] => routes.map((route) => keyOf(refOf(route)));
  return {
    derives(route, cached) {
      const groups = placesOf(kind, route, cached).map((group) => ({ group, part: "" }));
      return groups.length === 0 ? [] : [{ name: keyOf(refOf(route)), groups }];
    },
    rank: rankOf,
    isNews: (before, after) => before === undefined || after === undefined || attachesAnew(before, after),
    leansOn: [
      {
        kind: Gateway,
        keys: (change: Change, cached) =>
          isNews(change.before, change.after) ? keys(routesBy(cached, kind, "route-gateway", nameOf(change))) : [],
      },
      {
        kind: Namespace,
        keys: (change: Change, cached) =>
          isNewsOfLabels(change.before, change.after) ? keys(routesChosen(cached, kind, nameOf(change))) : [],
      },
    ],
  };
}

/** Whether it may attach to other listeners than before, or come before others: the rest of a route is its own business. */
export function attachesAnew(before: RouteObject, after: RouteObject): boolean {
  const said = ({ metadata, spec }: RouteObject): unknown => [
    rankOf({ metadata }),
    metadata.uid ?? "",
    metadata.deletionTimestamp !== undefined,
    spec?.parentRefs ?? [],
    spec?.hostnames ?? [],
  ];
  return !sameJson(said(before), said(after));
}

/**
 * The routes of kind `of` for which something else may come out by the coming or going of this one: those at its places, if
 * it is or was the first there; else nobody, since it never was in anybody's way.
 */
export function rivalsOf(of: ByteKind, kind: ByteKind, route: RouteObject, cached: Cached): Ref[] {
  const places = placesOf(kind, route, cached).filter((place) => isFirst(kind, route, place, cached));
  const names = places.flatMap((place) => cached.inOrder(of, AT_PLACE, place)).flatMap((one) => [...one.names]);
  return [...new Set(names.map(({ name }) => name))].map(refOfKey);
}

/** The route, and the first routes at these Gateways: to say what becomes of it, that is enough. */
export function besideOf(
  kind: ByteKind,
  route: RouteObject,
  gateways: Iterable<GatewayObject>,
  cached: Cached,
): (readonly [Kind, readonly RouteObject[]])[] {
  const places = [...gateways].flatMap((gateway) => {
    const { listeners } = readGateway(asWritten(cached), gateway);
    return listeners.map((one) => nameOfPlace(gateway, one));
  });
  return rivalKinds(kind).map((each) => {
    const isOwn = each.kind === kind.kind;
    const names = new Set(places.flatMap((place) => firstAt(each, place, cached)?.name ?? []));
    if (isOwn) names.delete(keyOf(refOf(route)));
    const firsts = [...names].flatMap((name) => cached.get<RouteObject>(each, refOfKey(name)) ?? []);
    return [each, isOwn ? [...firsts, route] : firsts] as const;
  });
}

function isFirst(kind: ByteKind, route: RouteObject, place: string, cached: Cached): boolean {
  return rivalKinds(kind).every((each) => {
    const first = firstAt(each, place, cached);
    return first === undefined || (each.kind === kind.kind && rankOf(route) <= first.by);
  });
}

function firstAt(
  kind: ByteKind,
  place: string,
  cached: Cached,
): { readonly name: string; readonly by: string } | undefined {
  for (const { names } of cached.inOrder(kind, AT_PLACE, place)) for (const first of names) return first;
  return undefined;
}

/** As Gateway API lets them win: the oldest, then by name. */
function rankOf(route: RouteObject): string {
  return `${ageOf(route)} ${keyOf(refOf(route))}`;
}

function nameOfPlace(gateway: GatewayObject, listener: ListenerFacts): string {
  return `${gatewayKey(gateway)} ${placeOf(listener)}`;
}

/** The places to which it attaches, each once. */
function placesOf(kind: ByteKind, route: RouteObject, cached: Cached): string[] {
  if (route.metadata.deletionTimestamp !== undefined) return [];
  const view = asWritten(cached);
  const gateways = routeIndexes["route-gateway"](route).flatMap((name) => {
    const gateway = cached.get(Gateway, refOfKey(name));
    return gateway?.spec === undefined ? [] : [[name, readGateway(view, gateway)] as const];
  });
  const { attachments } = attach(view, kind.kind, route, new Map(gateways));
  return [
    ...new Set(
      attachments.flatMap(({ gateway, listeners }) => listeners.map((one) => nameOfPlace(gateway.gateway, one))),
    ),
  ];
}

/** Of the places of a Gateway and who attaches there nothing else says anything but its own words and the Namespaces. */
function asWritten(cached: Cached): View {
  return {
    manifests: {
      get: (of, at) => (of.plural === Namespace.plural && cached.has(of) ? cached.get(of, at) : undefined),
      list: () => [],
    },
    options: NOBODYS,
  };
}
