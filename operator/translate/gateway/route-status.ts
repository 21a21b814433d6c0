// What a route says about each Gateway of ours that it names. Entries of other controllers are theirs and stay.
import { fails, type Finding, holds } from "#api/conditions.ts";
import type { RouteObject } from "#kube/kinds.ts";
import type { HttpRouteFilter, ParentReference, RouteParentStatus } from "#kube/routing-objects.ts";
import type { Problem } from "../model.ts";
import { attach, type Attachment } from "./attach.ts";
import { backendOf } from "./backends.ts";
import { extensionOf } from "./filters.ts";
import type { GatewayFacts } from "./gateways.ts";
import { carriedBy, taken } from "./carried.ts";
import type { ListenerFacts, RouteKind } from "./listeners.ts";
import { modelRoutes } from "./routes.ts";
import { conditionsAfter } from "./status.ts";
import { GATEWAY_GROUP, nameOf, namespaceOf, type View } from "./view.ts";

/** The conditions that we write. */
const OURS = ["Accepted", "ResolvedRefs", "PartiallyInvalid"];

/**
 * `gateways`: those of ours, by `namespace/name`. `at`: RFC 3339, for conditions that turn. The parents are one list for all
 * controllers: it has to be written whole, over the very resourceVersion of `route`.
 */
export function routeStatus(
  view: View,
  kind: RouteKind,
  route: RouteObject,
  gateways: ReadonlyMap<string, GatewayFacts>,
  at: string,
): NonNullable<RouteObject["status"]> {
  const before = route.status?.parents ?? [];
  const controllerName = view.options.gatewayControllerName;
  const observed = { at, generation: route.metadata.generation };
  const unresolved = unresolvedOf(view, kind, route);
  const ours = attach(view, kind, route, gateways).attachments.map((attachment): RouteParentStatus => {
    const findings = findingsOf(view, kind, route, attachment, unresolved);
    const earlier = before.find((one) => one.controllerName === controllerName && isSame(route, one, attachment));
    // The list is written whole, and what others have added to it is not ours to take away.
    const theirs = (earlier?.conditions ?? []).filter(({ type }) => !OURS.includes(type));
    const conditions = [...conditionsAfter(earlier?.conditions, findings, observed), ...theirs];
    return { parentRef: earlier?.parentRef ?? attachment.ref, controllerName, conditions };
  });
  const kept = before.flatMap((one) => {
    if (one.controllerName !== controllerName) return [one];
    return ours.filter(({ parentRef }) => parentRef === one.parentRef);
  });
  return { parents: [...kept, ...ours.filter((one) => !kept.includes(one))] };
}

function isSame(route: RouteObject, { parentRef }: RouteParentStatus, { ref }: Attachment): boolean {
  return textOf(route, parentRef) === textOf(route, ref);
}

/** The API server fills in defaults. */
function textOf(route: RouteObject, ref: ParentReference): string {
  const { group = GATEWAY_GROUP, kind = "Gateway", namespace = namespaceOf(route), name, sectionName, port } = ref;
  return JSON.stringify([group, kind, namespace, name, sectionName ?? "", port ?? 0]);
}

/** A reference of the route that leads nowhere. */
interface Unresolved {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

function unresolvedOf(view: View, kind: RouteKind, route: RouteObject): Unresolved[] {
  const at = { kind, namespace: namespaceOf(route) };
  return (route.spec?.rules ?? []).flatMap(({ backendRefs = [], filters }, number) => {
    const rule = `spec.rules[${number}]`;
    const backends = backendRefs.flatMap((ref, place): Unresolved[] => {
      const field = `${rule}.backendRefs[${place}]`;
      const backend = backendOf(view, at, ref);
      const own = backend.is === "wrong" ? [{ ...backend, field: `${field}${backend.field}` }] : [];
      return [...own, ...lostExtensions(view, at.namespace, ref.filters, field)];
    });
    return [...backends, ...lostExtensions(view, at.namespace, filters, rule)];
  });
}

function lostExtensions(
  view: View,
  namespace: string,
  filters: readonly HttpRouteFilter[] | undefined,
  field: string,
): Unresolved[] {
  return (filters ?? []).flatMap(({ type, extensionRef }, at) => {
    if (type !== "ExtensionRef" || extensionRef === undefined) return [];
    const extension = extensionOf(view, namespace, extensionRef);
    return extension.is === "wrong" ? [{ ...extension, field: `${field}.filters[${at}].extensionRef` }] : [];
  });
}

function findingsOf(
  view: View,
  kind: RouteKind,
  route: RouteObject,
  { gateway, listeners, refusal }: Attachment,
  unresolved: readonly Unresolved[],
): Finding[] {
  const [lost] = unresolved;
  const resolved =
    lost === undefined
      ? holds("ResolvedRefs", "ResolvedRefs", "all references are resolved")
      : fails("ResolvedRefs", lost.reason, `${lost.field}: ${lost.message}`);
  if (refusal !== undefined) return [fails("Accepted", refusal.reason, refusal.message), resolved];
  const inUse = kind === "HTTPRoute" ? undefined : useOf(view, nameOf({ kind }, route), gateway, listeners);
  if (inUse !== undefined) return [fails("Accepted", "ListenerInUse", inUse), resolved];
  const problems: Problem[] = [];
  const routes = modelRoutes({ view, kind, route, gateway, report: (problem) => problems.push(problem) });
  const object = nameOf({ kind }, route);
  const invalid = problems
    .filter((one) => one.object === object && one.effect === "refused")
    .filter(({ field }) => !unresolved.some((one) => one.field === field))
    .map(({ field, reason }) => `${field}: ${reason}`);
  const parts = [...new Set(invalid)].join("; ");
  // What is there but leads nowhere is another matter: that may come by itself.
  if (parts !== "" && routes.length === 0 && lost === undefined)
    return [fails("Accepted", "UnsupportedValue", parts), resolved];
  const accepted = holds("Accepted", "Accepted", "route accepted by the ngrok operator");
  // Gateway API wants the message to begin with these two words.
  const partly = holds("PartiallyInvalid", "UnsupportedValue", `Dropped Rule parts: ${parts}`);
  return parts === "" ? [accepted, resolved] : [accepted, resolved, partly];
}

/** Why none of the listeners carries the route, when others came first. */
function useOf(
  view: View,
  name: string,
  gateway: GatewayFacts,
  listeners: readonly ListenerFacts[],
): string | undefined {
  const carried = carriedBy(view, gateway);
  const [first] = listeners;
  if (first === undefined || listeners.some((one) => carried.get(one) === name)) return undefined;
  return taken(first.listener.name, carried.get(first) ?? "");
}
