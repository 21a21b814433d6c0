// What a route says about each Gateway of ours that it names. Entries of other controllers are theirs and stay.
import { fails, type Finding, holds } from "#api/conditions.ts";
import type { RouteObject } from "#kube/kinds.ts";
import type { ParentReference, RouteParentStatus } from "#kube/routing-objects.ts";
import type { Problem } from "../model.ts";
import { attach, type Attachment } from "./attach.ts";
import { backendOf } from "./backends.ts";
import type { GatewayFacts } from "./gateways.ts";
import type { RouteKind } from "./listeners.ts";
import { modelRoutes } from "./routes.ts";
import { conditionsAfter } from "./status.ts";
import { GATEWAY_GROUP, nameOf, namespaceOf, type View } from "./view.ts";

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
  const resolved = resolvedRefs(view, kind, route);
  const ours = attach(view, kind, route, gateways).attachments.map((attachment): RouteParentStatus => {
    const findings = findingsOf(view, kind, route, attachment, resolved);
    const earlier = before.find((one) => one.controllerName === controllerName && isSame(route, one, attachment));
    const conditions = conditionsAfter(earlier?.conditions, findings, observed);
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

interface Resolved {
  readonly finding: Finding;
  /** Fields of the references that lead nowhere. */
  readonly fields: readonly string[];
}

function resolvedRefs(view: View, kind: RouteKind, route: RouteObject): Resolved {
  const at = { kind, namespace: namespaceOf(route) };
  const wrong = (route.spec?.rules ?? []).flatMap(({ backendRefs = [] }, rule) =>
    backendRefs.flatMap((ref, number) => {
      const backend = backendOf(view, at, ref);
      const place = `spec.rules[${rule}].backendRefs[${number}]`;
      return backend.is === "wrong" ? [{ ...backend, field: `${place}${backend.field}` }] : [];
    }),
  );
  const [first] = wrong;
  const finding =
    first === undefined
      ? holds("ResolvedRefs", "ResolvedRefs", "all references are resolved")
      : fails("ResolvedRefs", first.reason, `${first.field}: ${first.message}`);
  return { finding, fields: wrong.map(({ field }) => field) };
}

function findingsOf(
  view: View,
  kind: RouteKind,
  route: RouteObject,
  { gateway, refusal }: Attachment,
  { finding, fields }: Resolved,
): Finding[] {
  const accepted =
    refusal === undefined
      ? holds("Accepted", "Accepted", "route accepted by the ngrok operator")
      : fails("Accepted", refusal.reason, refusal.message);
  const problems: Problem[] = [];
  modelRoutes({ view, kind, route, gateway, report: (problem) => problems.push(problem) });
  const object = nameOf({ kind }, route);
  const partly = problems.find(
    (one) => one.object === object && one.effect === "refused" && !fields.includes(one.field),
  );
  if (partly === undefined) return [accepted, finding];
  return [accepted, finding, holds("PartiallyInvalid", "UnsupportedValue", `${partly.field}: ${partly.reason}`)];
}
