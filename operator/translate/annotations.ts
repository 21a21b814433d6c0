// What users write into annotations of Ingresses, Gateways and Services, under either prefix.
import { OWN_KEYS } from "#api/keys.ts";
import { isTooDeep, TOO_DEEP } from "#api/nesting.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { compareText } from "./manifests.ts";
import { type Manifests, type MappingStrategy, type Options, type Problem, problemOf } from "./model.ts";
import { nearest } from "./nearest.ts";
import { parsePolicy, type Policy } from "./policy.ts";

export const PREFIX = "ngrok.com/";
export const LEGACY_PREFIX = "k8s.ngrok.com/";

export type Suffix =
  | "app-protocols"
  | "bindings"
  | "computed-url"
  | "description"
  | "mapping-strategy"
  | "metadata"
  | "pooling-enabled"
  | "traffic-policy"
  | "url";

/** Those of which endpointSettings are made. */
const SETTINGS: readonly Suffix[] = [
  "bindings",
  "description",
  "mapping-strategy",
  "metadata",
  "pooling-enabled",
  "traffic-policy",
];

interface Place {
  readonly called: string;
  readonly reads: readonly Suffix[];
}

/** By kind, what is read on it. */
const PLACES: Readonly<Record<string, Place>> = {
  Ingress: { called: "an Ingress", reads: SETTINGS },
  Gateway: { called: "a Gateway", reads: SETTINGS },
  Service: {
    called: "a Service",
    reads: [
      "app-protocols",
      "bindings",
      "computed-url",
      "mapping-strategy",
      "pooling-enabled",
      "traffic-policy",
      "url",
    ],
  },
};

const ROUTE: Place = { called: "a route", reads: [] };

/** The annotations that are read on a kind, without their prefix. */
export function readOn({ kind }: Pick<Kind, "kind">): readonly Suffix[] {
  return (PLACES[kind] ?? ROUTE).reads;
}

export interface Annotation {
  /** With its prefix. */
  readonly key: string;
  /** Each line trimmed. */
  readonly value: string;
}

/** The canonical prefix wins as soon as it is there, whatever it holds. */
export function annotation(object: KubeObject, suffix: Suffix): Annotation | undefined {
  const all = object.metadata.annotations;
  for (const key of [`${PREFIX}${suffix}`, `${LEGACY_PREFIX}${suffix}`]) {
    const value = all?.[key];
    if (value !== undefined) return { key, value: trimmed(value) };
  }
  return undefined;
}

function trimmed(text: string): string {
  return String(text)
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}

/** Path of an annotation in its object, as problems name it. */
export function fieldOf({ key }: Pick<Annotation, "key">): string {
  return `metadata.annotations["${key}"]`;
}

/**
 * What it says under either prefix that is not heeded, each `ignored`: a key that nobody reads on its kind, which is mistyped
 * most often, and may have been to guard an endpoint that is open without it; a value that is not understood and counts as
 * none. `kind`: Ingress, Gateway, Service, or that of a route.
 */
export function unheeded(kind: Pick<Kind, "kind">, object: KubeObject): Problem[] {
  const place = PLACES[kind.kind] ?? ROUTE;
  const unread = Object.keys(object.metadata.annotations ?? {}).flatMap((key) => {
    const prefix = [PREFIX, LEGACY_PREFIX].find((one) => key.startsWith(one));
    const suffix = prefix === undefined || OWN_KEYS.has(key) ? undefined : key.slice(prefix.length);
    if (suffix === undefined || place.reads.some((one) => one === suffix)) return [];
    const reason = `nobody reads it on ${place.called}: ${remedyFor(suffix, place)}`;
    return [problemOf(kind, object, fieldOf({ key }), reason, "ignored")];
  });
  const pooling = place.reads.includes("pooling-enabled") ? annotation(object, "pooling-enabled") : undefined;
  if (pooling === undefined || ["true", "false"].includes(pooling.value.toLowerCase())) return unread;
  const reason = `${said(pooling)} is neither true nor false: write one of the two; false is used`;
  return [...unread, problemOf(kind, object, fieldOf(pooling), reason, "ignored")];
}

/** What users may write: the operator writes `computed-url` itself. */
function writable({ reads }: Place): readonly Suffix[] {
  return reads.filter((one) => one !== "computed-url");
}

function remedyFor(suffix: string, place: Place): string {
  const near = nearest(suffix, place === ROUTE ? SETTINGS : writable(place));
  if (place === ROUTE && near !== undefined)
    return `write ${near === suffix ? "it" : `${PREFIX}${near}`} on the Gateway, or name an NgrokTrafficPolicy by a filter of type ExtensionRef in an HTTPRoute`;
  if (near !== undefined) return `write ${PREFIX}${near}`;
  const readers = Object.values(PLACES).filter((one) => writable(one).some((name) => name === suffix));
  if (readers.length > 0) return `remove it, or write it on ${readers.map(({ called }) => called).join(" or ")}`;
  return `remove it; what it was to do may be said in an NgrokTrafficPolicy, which ${PREFIX}traffic-policy names`;
}

/** What an Ingress or a Gateway says by annotations about all of its endpoints. */
export interface EndpointSettings {
  readonly mappingStrategy: MappingStrategy;
  readonly trafficPolicyRef?: string;
  readonly trafficPolicy?: Policy;
  readonly poolingEnabled?: boolean;
  /** One at most. */
  readonly bindings: readonly string[];
  /** JSON text, the operator's own and the annotation's; "" when there is none. */
  readonly metadata: string;
  readonly description: string;
}

/** `owned-by` of the operator's metadata, where the user gave some. */
export type OwnedBy = "ngrok-operator" | "kubernetes-gateway-api";

/**
 * Reads them all. Without `settings` the object is to be left out, since a policy or a binding that it asks for would be
 * missing: better no endpoint than an open one.
 */
export function endpointSettings(
  kind: Kind,
  object: KubeObject,
  { manifests, options, ownedBy }: { manifests: Manifests; options: Options; ownedBy: OwnedBy },
): { readonly settings?: EndpointSettings; readonly problems: readonly Problem[] } {
  const strategy = mappingStrategyOf(kind, object);
  const policy = trafficPolicyOf(kind, object, manifests);
  const bindings = bindingsOf(kind, object);
  const metadata = metadataOf(kind, object, operatorMetadata(options, ownedBy));
  const problems = [
    ...[strategy, policy, bindings, metadata].flatMap(({ problem }) => problem ?? []),
    ...unheeded(kind, object),
  ];
  if (policy.problem !== undefined || bindings.problem !== undefined) return { problems };
  const pooling = poolingEnabledOf(object);
  const settings: EndpointSettings = {
    mappingStrategy: strategy.value,
    bindings: bindings.value,
    metadata: metadata.value,
    description: annotation(object, "description")?.value ?? "",
    ...(pooling !== undefined && { poolingEnabled: pooling }),
    ...(policy.value !== undefined && { trafficPolicyRef: policy.value.name, trafficPolicy: policy.value.policy }),
  };
  return { settings, problems };
}

interface Read<T> {
  readonly value: T;
  readonly problem?: Problem;
}

export function mappingStrategyOf(kind: Kind, object: KubeObject): Read<MappingStrategy> {
  const given = annotation(object, "mapping-strategy");
  if (given === undefined) return { value: "endpoints" };
  switch (given.value) {
    case "endpoints":
    case "endpoints-collapsed":
      return { value: "endpoints" };
    case "endpoints-verbose":
      return { value: "endpoints-verbose" };
    default: {
      const reason = `${said(given)} is not a mapping strategy: write endpoints, endpoints-collapsed or endpoints-verbose; endpoints is used`;
      return { value: "endpoints", problem: problemOf(kind, object, fieldOf(given), reason, "ignored") };
    }
  }
}

export function poolingEnabledOf(object: KubeObject): boolean | undefined {
  const given = annotation(object, "pooling-enabled");
  return given && given.value.toLowerCase() === "true";
}

const BINDINGS = ["public", "internal", "kubernetes"];

export function bindingsOf(kind: Kind, object: KubeObject): Read<readonly string[]> {
  const given = annotation(object, "bindings");
  if (given === undefined) return { value: [] };
  if (BINDINGS.includes(given.value)) return { value: [given.value] };
  const reason = `${said(given)} is not exactly one binding: write public, internal or kubernetes`;
  return { value: [], problem: problemOf(kind, object, fieldOf(given), reason) };
}

export function trafficPolicyOf(
  kind: Kind,
  object: KubeObject,
  manifests: Manifests,
): Read<{ readonly name: string; readonly policy: Policy } | undefined> {
  const given = annotation(object, "traffic-policy");
  if (given === undefined) return { value: undefined };
  const refused = (reason: string): Read<undefined> => ({
    value: undefined,
    problem: problemOf(kind, object, fieldOf(given), reason),
  });
  const name = given.value;
  if (name === "" || name.includes(","))
    return refused(`${said(given)} is not exactly one name: write that of one NgrokTrafficPolicy`);
  const namespace = object.metadata.namespace;
  const found = manifests.get(NgrokTrafficPolicy, { name, namespace });
  if (found === undefined)
    return refused(`NgrokTrafficPolicy ${name} is not in namespace ${namespace}: create it or name another`);
  const read = parsePolicy((found as { spec?: { policy?: unknown } }).spec?.policy);
  if ("policy" in read) return { value: { name, policy: read.policy } };
  return refused(`NgrokTrafficPolicy ${namespace}/${name} cannot be used, since its ${read.field} ${read.reason}`);
}

function operatorMetadata(options: Options, ownedBy: OwnedBy): Readonly<Record<string, unknown>> {
  const given = options.ngrokMetadata ?? {};
  return Object.keys(given).length === 0 ? {} : { "owned-by": ownedBy, ...given };
}

function metadataOf(kind: Kind, object: KubeObject, own: Readonly<Record<string, unknown>>): Read<string> {
  const given = annotation(object, "metadata");
  if (given === undefined) return { value: metadataJson(own) };
  const added = jsonObject(given.value);
  if (added !== undefined && !isTooDeep(added)) return { value: metadataJson({ ...own, ...added }) };
  const wrong = added === undefined ? `is not a JSON object: write one like {"team":"shop"}` : TOO_DEEP;
  const problem = problemOf(kind, object, fieldOf(given), `${wrong}; it is left out`, "ignored");
  return { value: metadataJson(own), problem };
}

/** Sorted keys, so that equal metadata are equal texts. */
function metadataJson(metadata: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(metadata).toSorted(([a], [b]) => compareText(a, b));
  return entries.length === 0 ? "" : JSON.stringify(Object.fromEntries(entries));
}

/** The JSON object that `text` is, or undefined. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Long values are cut: a problem has to fit into an event. */
function said({ value }: Annotation): string {
  return JSON.stringify(value.length <= 100 ? value : `${value.slice(0, 100)}...`);
}
