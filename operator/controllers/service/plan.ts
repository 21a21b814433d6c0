// A LoadBalancer Service of class ngrok: what is written down on it, which endpoints are its own, what its status says. Pure;
// what it asks for is read in translate/service.ts.
import { parseEndpointUrl } from "#api/names.ts";
import { reservedFor } from "#drain/undo/service.ts";
import type { ObjectMeta, Ref } from "#kube/kind.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { annotation } from "../../translate/annotations.ts";
import { addressIn } from "../../translate/service.ts";

export const COMPUTED_URL = "ngrok.com/computed-url";
export const COMPUTED_URL_LEGACY = "k8s.ngrok.com/computed-url";

/** What was reserved for a Service at ngrok says so by this text, to the letter. */
export function reservationOf({ metadata: { namespace, name } }: ServiceObject): {
  readonly description: string;
  readonly metadata: string;
} {
  return { description: `Reserved for ${namespace}/${name}`, metadata: JSON.stringify({ namespace, name }) };
}

/**
 * The Service for which ngrok keeps the address that is written down on this one, where it is another that listens there as
 * well: whoever copies a Service copies the annotation. Who is gone needs it no more. `metadata`: of the reservation.
 */
export function reservedForAnother(
  service: ServiceObject,
  metadata: string,
  at: (ref: Ref) => ServiceObject | undefined,
): Ref | undefined {
  const owner = reservedFor(metadata);
  const { namespace, name } = service.metadata;
  if (owner === undefined || (owner.namespace === namespace && owner.name === name)) return undefined;
  const other = at(owner);
  return other !== undefined && recordedOn(other) === recordedOn(service) ? owner : undefined;
}

function recordedOn(service: ServiceObject): string | undefined {
  return addressIn(annotation(service, "computed-url")?.value ?? "");
}

/** Whether who listened at the computed URL, and now listens at this one, leaves a TCP address that may be reserved for it. */
export function leavesAddress(computed: string, url: string): boolean {
  const address = addressIn(computed);
  return address !== undefined && address !== addressIn(url);
}

/** The patch that writes the URL down under both prefixes, or takes it away; empty when that is so already. */
export function recordUrl({ metadata: { annotations } }: ServiceObject, url: string | undefined): JsonPatchOperation[] {
  const keys = [COMPUTED_URL, COMPUTED_URL_LEGACY].filter((key) => annotations?.[key] !== url);
  if (keys.length === 0) return [];
  if (url === undefined)
    return keys.map((key) => ({ op: "remove", path: `/metadata/annotations/${pointerStep(key)}` }));
  if (annotations === undefined)
    return [{ op: "add", path: "/metadata/annotations", value: Object.fromEntries(keys.map((key) => [key, url])) }];
  return keys.map((key) => ({ op: "add", path: `/metadata/annotations/${pointerStep(key)}`, value: url }));
}

/** The uid of the Service that controls the object. */
export function ownerUids({ metadata }: { metadata: ObjectMeta }): string[] {
  return (metadata.ownerReferences ?? [])
    .filter(({ controller, kind, apiVersion }) => controller === true && kind === "Service" && apiVersion === "v1")
    .map(({ uid }) => uid);
}

/** Of several objects for one purpose the oldest stays: the others are copies of a creation whose answer was lost. */
export function keepOne<T extends { metadata: ObjectMeta }>(
  owned: readonly T[],
): { kept: T | undefined; surplus: T[] } {
  const standing = owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const [kept, ...surplus] = standing.toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  return { kept, surplus };
}

function ageOf({ metadata }: { metadata: ObjectMeta }): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.name}`;
}

interface LoadBalancer {
  readonly ingress: { hostname: string; ports: { port: number; protocol: string }[] }[];
}

export const NOWHERE: LoadBalancer = { ingress: [] };

/** `target`: where the host's DNS record leads, when the host needs one. */
export function loadBalancerAt(url: string, target: string | undefined): LoadBalancer {
  const parsed = parseEndpointUrl(url);
  if ("problem" in parsed) return NOWHERE;
  const { host } = parsed.url;
  const [, port = "443"] = /:(\d+)$/.exec(url) ?? [];
  return { ingress: [{ hostname: target ?? host, ports: [{ port: Number(port), protocol: "TCP" }] }] };
}
