// Which listeners of which Gateways a route attaches to, and what keeps it away from the others.
import { parentGatewaysOf } from "#api/classes.ts";
import { Gateway, Namespace, type RouteObject } from "#kube/kinds.ts";
import type { LabelExpression, ParentReference } from "#kube/routing-objects.ts";
import type { GatewayFacts } from "./gateways.ts";
import { hostsMeet } from "./hostnames.ts";
import type { ListenerFacts, RouteKind } from "./listeners.ts";
import { namespaceOf, type View } from "./view.ts";

export interface Refusal {
  /** In the words of Gateway API. */
  readonly reason: "NoMatchingListenerHostname" | "NoMatchingParent" | "NotAllowedByListeners";
  readonly message: string;
}

export interface Attachment {
  readonly ref: ParentReference;
  /** Path in the route. */
  readonly field: string;
  readonly gateway: GatewayFacts;
  /** Whether they serve or not: attaching depends on neither their certificates nor their ports. */
  readonly listeners: readonly ListenerFacts[];
  /** Why there is none. */
  readonly refusal?: Refusal;
}

export interface Attached {
  readonly attachments: readonly Attachment[];
  /** Fields of parents that are nowhere, and their `namespace/name`; a stranger's Gateway is not among them. */
  readonly missing: readonly { readonly field: string; readonly name: string }[];
}

/** `gateways`: those of ours, by `namespace/name`. */
export function attach(
  view: View,
  kind: RouteKind,
  route: RouteObject,
  gateways: ReadonlyMap<string, GatewayFacts>,
): Attached {
  const attachments: Attachment[] = [];
  const missing: { field: string; name: string }[] = [];
  for (const [at, ref] of (route.spec?.parentRefs ?? []).entries()) {
    const [parent] = parentGatewaysOf({ ...route, spec: { parentRefs: [ref] } });
    if (parent === undefined) continue;
    const field = `spec.parentRefs[${at}]`;
    const namespace = parent.namespace ?? namespaceOf(route);
    const gateway = gateways.get(`${namespace}/${parent.name}`);
    if (gateway !== undefined)
      attachments.push({ ref, field, gateway, ...listenersFor(view, kind, route, ref, gateway) });
    else if (view.manifests.get(Gateway, { name: parent.name, namespace }) === undefined)
      missing.push({ field, name: `${namespace}/${parent.name}` });
  }
  return { attachments, missing };
}

function listenersFor(
  view: View,
  kind: RouteKind,
  route: RouteObject,
  ref: ParentReference,
  gateway: GatewayFacts,
): Pick<Attachment, "listeners" | "refusal"> {
  const named = gateway.listeners.filter(
    ({ listener }) =>
      (ref.sectionName === undefined || ref.sectionName === "" || ref.sectionName === listener.name) &&
      (ref.port === undefined || ref.port === listener.port),
  );
  if (named.length === 0) {
    const message = "no listener of the Gateway has this sectionName and port: name one that it has";
    return { listeners: [], refusal: { reason: "NoMatchingParent", message } };
  }
  const open = named.filter((one) => one.kinds.includes(kind) && isAdmitted(view, route, gateway, one));
  if (open.length === 0) {
    const message = `no listener allows ${kind}s of namespace ${namespaceOf(route)}: change the listener's allowedRoutes or its protocol, or name another listener`;
    return { listeners: [], refusal: { reason: "NotAllowedByListeners", message } };
  }
  const listeners = open.filter(({ listener }) => meets(route, kind, listener.hostname));
  if (listeners.length > 0) return { listeners };
  const message = "no host name of the route is one of the listener: change spec.hostnames or the listener's hostname";
  return { listeners, refusal: { reason: "NoMatchingListenerHostname", message } };
}

function meets(route: RouteObject, kind: RouteKind, hostname: string | undefined): boolean {
  const wanted = kind === "TCPRoute" ? [] : (route.spec?.hostnames ?? []);
  const listens = hostname === undefined || hostname === "" ? "*" : hostname;
  return wanted.length === 0 || wanted.some((host) => hostsMeet(listens, host));
}

function isAdmitted(view: View, route: RouteObject, gateway: GatewayFacts, { listener }: ListenerFacts): boolean {
  const { from = "Same", selector } = listener.allowedRoutes?.namespaces ?? {};
  const namespace = namespaceOf(route);
  switch (from) {
    case "All":
      return true;
    case "Same":
      return namespace === gateway.namespace;
    case "Selector": {
      const found = view.manifests.get(Namespace, { name: namespace });
      if (found === undefined || selector === undefined) return false;
      const labels = { "kubernetes.io/metadata.name": namespace, ...found.metadata.labels };
      return (
        Object.entries(selector.matchLabels ?? {}).every(([key, value]) => valueOf(labels, key) === value) &&
        (selector.matchExpressions ?? []).every((expression) => holds(labels, expression))
      );
    }
    default:
      return false;
  }
}

function holds(labels: Readonly<Record<string, string>>, { key, operator, values = [] }: LabelExpression): boolean {
  const value = valueOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}

function valueOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
