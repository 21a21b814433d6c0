// The rules of a route as routes of the model: one for each match of an HTTPRoute, one for the whole of the others.
import { HTTPRoute, type RouteObject, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import type { Kind } from "#kube/kind.ts";
import type { BackendReference, RouteRule } from "#kube/routing-objects.ts";
import { compareText } from "../manifests.ts";
import type { Destination, Problem, Route } from "../model.ts";
import { problemOf } from "../model.ts";
import { type DestinationContext, destinationOf } from "./backends.ts";
import { filterPolicies } from "./filters.ts";
import type { GatewayFacts } from "./gateways.ts";
import type { RouteKind } from "./listeners.ts";
import { matchOf } from "./matches.ts";
import { nameOf, namespaceOf, type Tell, type View } from "./view.ts";

/** Where several routes want one listener of which only one can have it, TLSRoutes come before TCPRoutes. */
export const ROUTE_KINDS: readonly (Kind<RouteObject> & { readonly kind: RouteKind })[] = [
  { ...HTTPRoute, kind: "HTTPRoute" },
  { ...TLSRoute, kind: "TLSRoute" },
  { ...TCPRoute, kind: "TCPRoute" },
];

/** The kinds of which a listener carries one route alone; any number of HTTPRoutes share one. */
export const BYTE_KINDS = ROUTE_KINDS.filter(({ kind }) => kind !== "HTTPRoute");

/** Routes that are not on their way out, in the order in which Gateway API lets them win: the oldest, then by name. */
export function routesOf({ manifests }: View, kind: Kind<RouteObject>): RouteObject[] {
  return manifests
    .list(kind)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => compareText(ageOf(a), ageOf(b)) || compareText(nameOf(kind, a), nameOf(kind, b)));
}

/** What no server has seen yet is the youngest. */
export function ageOf({ metadata }: RouteObject): string {
  return metadata.creationTimestamp ?? "~";
}

export interface RouteContext {
  readonly view: View;
  readonly kind: RouteKind;
  readonly route: RouteObject;
  readonly gateway: GatewayFacts;
  readonly report: (problem: Problem) => void;
}

export function modelRoutes(context: RouteContext): Route[] {
  const { view, kind, route, gateway, report } = context;
  const tell: Tell = (field, reason, effect) => report(problemOf({ kind }, route, field, reason, effect));
  const destinations: DestinationContext = {
    view,
    route: { kind, namespace: namespaceOf(route) },
    gatewayNamespace: gateway.namespace,
    clientCerts: gateway.clientCerts,
    tell,
    report,
  };
  const rules = (route.spec?.rules ?? []).map((rule, at) => ({ rule, field: `spec.rules[${at}]` }));
  if (kind === "HTTPRoute") {
    const object = nameOf({ kind }, route);
    return rules.flatMap(({ rule, field }) =>
      httpRoutes(rule, field, destinations).map((one) => ({ ...one, writtenIn: { object, field } })),
    );
  }
  const backends = rules.flatMap(({ rule, field }) => backendsOf(rule, field));
  const leading = backends.map(({ ref, at }) => destinationOf(ref, at, [], destinations));
  // Where nobody listens every connection is refused.
  return leading.every(({ isLost }) => isLost) ? [] : [{ trafficPolicies: [], destinations: leading }];
}

function httpRoutes(rule: RouteRule, field: string, context: DestinationContext): Route[] {
  const { view, route, tell } = context;
  if (rule.matches === undefined || rule.matches.length === 0) {
    const reason =
      "is empty, and a rule without matches makes no route: write one such as {path: {type: PathPrefix, value: /}}, which the API server fills in where the field is left out";
    tell(`${field}.matches`, reason);
    return [];
  }
  for (const unsupported of ["timeouts", "retry", "sessionPersistence"] as const)
    if (rule[unsupported] !== undefined)
      tell(`${field}.${unsupported}`, "is not supported: the route works without it", "ignored");
  return rule.matches.flatMap((given, at): Route[] => {
    const matched = matchOf(given, `${field}.matches[${at}]`, tell);
    if (matched === undefined) return [];
    const filters = { view, namespace: route.namespace, path: matched.path, tell };
    const destinations = backendsOf(rule, field).map(({ ref, at: place }): Destination => {
      const policies = filterPolicies(ref.filters, `${place}.filters`, filters);
      return destinationOf(ref, place, policies, context);
    });
    const trafficPolicies = filterPolicies(rule.filters, `${field}.filters`, filters);
    return [{ httpMatch: matched.match, trafficPolicies, destinations }];
  });
}

function backendsOf(rule: RouteRule, field: string): { readonly ref: BackendReference; readonly at: string }[] {
  return (rule.backendRefs ?? []).map((ref, at) => ({ ref, at: `${field}.backendRefs[${at}]` }));
}
