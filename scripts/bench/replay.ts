// What an operator wrote for each Ingress, as requests that a bare client can send again for another one: the ceiling of
// exactly these writes. Pure.
import type { AuditEvent } from "#test/support/audit.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { IngressObject } from "#kube/kinds.ts";
import type { BareRequest } from "./bare.ts";

/** What the operator made at ngrok. */
export interface Remote {
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
  readonly domains: readonly Readonly<Record<string, unknown>>[];
}

/**
 * A chain for each Ingress: its creation, then what was written for it in the order in which it was, and before the status
 * that tells of it what was made at ngrok. `prefix` is put before the name of every namespace, so that nothing is there yet.
 */
export function chainsOf(
  ingresses: readonly IngressObject[],
  events: readonly AuditEvent[],
  remote: Remote,
  prefix: string,
): BareRequest[][] {
  // An answer may be written down after that to a call which followed from it.
  const inOrder = events.toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1));
  const written = groups(inOrder, ({ requestURI = "", requestObject }) => {
    const { metadata } = (requestObject ?? {}) as Partial<KubeObject>;
    return [decodeURIComponent(requestURI), metadata?.name ?? ""];
  });
  const domains = groups(remote.domains, ({ domain }) => [String(domain)]);
  const endpoints = groups(remote.endpoints, ({ url }) => [String(url)]);
  const move = (text: string): string => text.replaceAll(/\bteam-(?=\d)/g, `${prefix}team-`);
  return ingresses.map((ingress) => {
    const number = numberIn(ingress.metadata.name) ?? "";
    const creation: BareRequest = {
      server: "kubernetes",
      method: "POST",
      path: move(`/apis/networking.k8s.io/v1/namespaces/${ingress.metadata.namespace}/ingresses`),
      body: move(JSON.stringify(ingress)),
    };
    const remoteOf = new Map([
      ["domains", creations("/reserved_domains", domains.get(number), DOMAIN)],
      ["cloudendpoints", creations("/endpoints", endpoints.get(number), ENDPOINT)],
    ]);
    const rest = (written.get(number) ?? []).flatMap((event) => {
      const told = event.objectRef?.subresource === "status" ? (event.objectRef.resource ?? "") : "";
      const made = remoteOf.get(told) ?? [];
      remoteOf.delete(told);
      return [...made, requestOf(event, move)];
    });
    return [creation, ...rest];
  });
}

const DOMAIN = ["domain", "metadata"];
const ENDPOINT = ["type", "url", "description", "metadata", "bindings", "traffic_policy"];

/** The number of the Ingress that a name belongs to, as the crowd counts them. */
function numberIn(text: string): string | undefined {
  return /\b(?:shop|api|static)-(\d+)\b/.exec(text)?.[1];
}

function groups<T>(items: readonly T[], names: (item: T) => readonly string[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const number = names(item)
      .map(numberIn)
      .find((one) => one !== undefined);
    if (number !== undefined) found.set(number, [...(found.get(number) ?? []), item]);
  }
  return found;
}

function creations(
  path: string,
  objects: readonly Readonly<Record<string, unknown>>[] = [],
  fields: readonly string[],
): BareRequest[] {
  return objects.map((object) => {
    const body = Object.fromEntries(fields.flatMap((field) => (object[field] == null ? [] : [[field, object[field]]])));
    return { server: "ngrok", method: "POST", path, body: JSON.stringify(body) };
  });
}

/** The same without what names the one object that it was sent for. */
function requestOf({ verb, requestURI = "", requestObject }: AuditEvent, move: (text: string) => string): BareRequest {
  const server = "kubernetes";
  const path = move(requestURI);
  if (verb === "create") return { server, method: "POST", path, body: move(JSON.stringify(requestObject)) };
  if (verb !== "patch") throw new Error(`${verb} ${requestURI} is not a write that serves a new Ingress`);
  if (Array.isArray(requestObject)) {
    const operations = (requestObject as { op: string }[]).filter(({ op }) => op !== "test");
    const body = move(JSON.stringify(operations));
    return { server, method: "PATCH", path, contentType: "application/json-patch+json", body };
  }
  const { metadata, ...object } = requestObject as KubeObject;
  const { uid: _, ...named } = metadata;
  const body = move(JSON.stringify({ ...object, metadata: named }));
  return { server, method: "PATCH", path, contentType: "application/apply-patch+yaml", body };
}
