// Which labels, annotations and finalizers of an object we wrote, and which status, and nobody else: the API server keeps account
// of it in managedFields, so that what is wanted no more can go and what other people put there can stay, after any restart.
import type { ObjectMeta } from "./kind.ts";

/**
 * As our calls name themselves, to ngrok as well, before a slash and the version. Where a call names no field manager the API
 * server takes this for it.
 */
export const USER_AGENT = "ngrok-operator";
/** The same of `ngrok-drain`. */
export const CLI_USER_AGENT = "ngrok-drain";

/** The same of a hook by its name, to the API server. */
export function hookUserAgent(hook: string): string {
  return `${USER_AGENT}-${hook}`;
}

/** Of every program of an install that writes: the api-manager, both hooks, and `ngrok-drain`. */
const OURS: ReadonlySet<string | undefined> = new Set([
  USER_AGENT,
  hookUserAgent("drain"),
  hookUserAgent("cleanup"),
  CLI_USER_AGENT,
]);

const PARTS = ["labels", "annotations"] as const;
type Part = (typeof PARTS)[number];
type Entry = NonNullable<ObjectMeta["managedFields"]>[number];

/** The keys of its labels, or annotations, that are ours alone. */
export function writtenKeys({ managedFields = [] }: Pick<ObjectMeta, "managedFields">, part: Part): string[] {
  const others = new Set(managedFields.filter((entry) => !isOurs(entry)).flatMap((entry) => keysIn(entry, part)));
  return managedFields
    .filter(isOurs)
    .flatMap((entry) => keysIn(entry, part))
    .filter((key) => !others.has(key));
}

/** Whether it is we, and nobody else, who say in its status where an Ingress or a Service is reached. */
export function wroteLoadBalancer({ managedFields = [] }: Pick<ObjectMeta, "managedFields">): boolean {
  const writers = managedFields.filter(saysWhere);
  return writers.length > 0 && writers.every(isOurStatus);
}

/** One for all objects, as there may be many. */
const OUR_LOAD_BALANCER: Entry = {
  manager: USER_AGENT,
  operation: "Apply",
  subresource: "status",
  fieldsV1: { "f:status": { "f:loadBalancer": { "f:ingress": {} } } },
};

/**
 * As much of managedFields as writtenKeys, but for these keys, and wroteLoadBalancer need to give the same; undefined when that
 * is nothing.
 */
export function leanFields(
  metadata: Pick<ObjectMeta, "managedFields">,
  except: ReadonlySet<string>,
): ObjectMeta["managedFields"] {
  const fields = PARTS.flatMap((part) => {
    const keys = writtenKeys(metadata, part).filter((key) => !except.has(key));
    return keys.length === 0 ? [] : [[`f:${part}`, Object.fromEntries(keys.map((key) => [`f:${key}`, {}]))] as const];
  });
  const kept: Entry[] = wroteLoadBalancer(metadata) ? [OUR_LOAD_BALANCER] : [];
  if (fields.length > 0)
    kept.push({ manager: USER_AGENT, operation: "Update", fieldsV1: { "f:metadata": Object.fromEntries(fields) } });
  return kept.length === 0 ? undefined : kept;
}

/** Whether it was we who put one of these finalizers on, whoever else has written it since. */
export function wroteFinalizer(
  { managedFields = [] }: Pick<ObjectMeta, "managedFields">,
  finalizers: readonly string[],
): boolean {
  const held = managedFields
    .filter(isOurs)
    .flatMap(({ fieldsV1 }) => Object.keys(metadataIn(fieldsV1)["f:finalizers"] ?? {}));
  return finalizers.some((one) => held.includes(`v:${JSON.stringify(one)}`));
}

/** Creations and patches; what is applied, statuses, has managers of its own. */
function isOurs({ manager, operation, subresource }: Entry): boolean {
  return OURS.has(manager) && operation === "Update" && subresource === undefined;
}

/** Statuses of the leader's controllers; the drain and the agents apply theirs under other names. */
function isOurStatus({ manager, operation, subresource }: Entry): boolean {
  return manager === USER_AGENT && operation === "Apply" && subresource === "status";
}

function saysWhere({ fieldsV1 }: Entry): boolean {
  const { "f:status": status } = (fieldsV1 ?? {}) as {
    readonly "f:status"?: { readonly "f:loadBalancer"?: { readonly "f:ingress"?: unknown } };
  };
  return status?.["f:loadBalancer"]?.["f:ingress"] !== undefined;
}

function keysIn({ fieldsV1 }: Entry, part: Part): string[] {
  // The map itself is there too, as a dot.
  return Object.keys(metadataIn(fieldsV1)[`f:${part}`] ?? {})
    .filter((key) => key.startsWith("f:"))
    .map((key) => key.slice("f:".length));
}

function metadataIn(fieldsV1: unknown): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const { "f:metadata": metadata } = (fieldsV1 ?? {}) as {
    readonly "f:metadata"?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return metadata ?? {};
}
