// Many objects at once, as a cluster that is in use has them: a third each CloudEndpoints, Domains and IPPolicies over
// three namespaces, made as fast as the API server takes them, and waited for by one watch a kind.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import type { Connection } from "#kube/connection.ts";
import { keyOf, refOf, type Kind, type KubeObject } from "#kube/kind.ts";
import { listPath } from "#kube/paths.ts";
import { follow } from "#kube/watch.ts";
import { isClass } from "#wire/errors.ts";
import { aCloudEndpoint, aDomain, anIPPolicy } from "./builders.ts";

/** In each namespace a third of the objects. */
export const NAMESPACES = ["demo-one", "demo-two", "demo-three"] as const;
/** Connections that create at once; more make the API server no faster. */
const AT_ONCE = 32;

type Member = CloudEndpoint | Domain | IPPolicy;

export interface Population {
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly objects: readonly Member[];
}

export interface PopulationOptions {
  readonly namespaces?: readonly string[];
  /** In every name and, as metadata `{"population": name}`, at ngrok too. Small letters, digits and hyphens. */
  readonly name?: string;
}

/** `count` objects, each with exactly one counterpart at ngrok: the endpoints are internal, so that they need no Domain. */
export function aPopulation(count: number, options: PopulationOptions = {}): Population {
  const { namespaces = NAMESPACES, name = "demo" } = options;
  const width = String(count).length;
  const objects = Array.from({ length: count }, (_, at): Member => {
    const namespace = namespaces[Math.floor(at / 3) % namespaces.length] ?? "default";
    return aMember(at, `${name}-${String(at + 1).padStart(width, "0")}`, namespace, name);
  });
  return { name, namespaces, objects };
}

function aMember(at: number, name: string, namespace: string, population: string): Member {
  const metadata = JSON.stringify({ "owned-by": "ngrok-operator", population });
  if (at % 3 === 1) return aDomain({ metadata: { name, namespace }, spec: { domain: `${name}.ngrok.app`, metadata } });
  if (at % 3 === 2) {
    const rules = [{ cidr: "203.0.113.0/24", action: "allow" as const, metadata }];
    return anIPPolicy({ metadata: { name, namespace }, spec: { metadata, rules } });
  }
  const config = { status_code: 200, body: "hello" };
  const inline = { on_http_request: [{ actions: [{ type: "custom-response", config }] }] };
  const spec = { url: `https://${name}.internal`, bindings: ["internal"], metadata, trafficPolicy: { inline } };
  return aCloudEndpoint({ metadata: { name, namespace }, spec });
}

/** Makes the namespaces and the objects; what is there already stays as it is. */
export async function populate(
  connection: Connection,
  { namespaces, objects }: Population,
  signal: AbortSignal,
): Promise<void> {
  await some(namespaces, (name) => create(connection, "/api/v1/namespaces", { metadata: { name } }, signal));
  await some(objects, (object) => create(connection, collectionOf(object), object, signal));
}

/** Does the work for each item, as many at once as the API server takes. */
export async function some<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const TRIES = 5;

/** A machine that is busy with other things breaks one of 100,000 requests: that is no reason to begin again. */
export async function insistently<T>(work: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n += 1) {
    try {
      return await work();
    } catch (error) {
      if (n === TRIES || !isClass(error, "transient")) throw error;
    }
  }
}

/** Makes an object below the path of its collection; one that is there already stays as it is. */
export async function create(
  connection: Connection,
  path: string,
  body: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const asked = { method: "POST", path, body, signal, timeoutMs: 60_000 } as const;
  await insistently(async () => await connection.request(asked)).catch((error: unknown) => {
    if (!isClass(error, "conflict")) throw error;
  });
}

/** Deletes the objects themselves, without a wait: what becomes of them is the operator's. */
export async function depopulate(connection: Connection, { objects }: Population, signal: AbortSignal): Promise<void> {
  await some(objects, async (object) => {
    const path = `${collectionOf(object)}/${object.metadata.name}`;
    await connection.request({ method: "DELETE", path, signal, timeoutMs: 60_000 }).catch((error: unknown) => {
      if (!isClass(error, "gone")) throw error;
    });
  });
}

const KINDS: readonly Kind<Member>[] = [CloudEndpoint, Domain, IPPolicy];

function collectionOf(object: Member): string {
  const kind = KINDS.find((one) => one.kind === object.kind);
  if (kind === undefined) throw new Error(`a population has no ${object.kind}`);
  return listPath(kind, kind.versions[0], object.metadata.namespace);
}

export interface WaitOptions {
  /** Milliseconds after which what is not Ready is an error that names it. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
  /** Called at each change with how many are Ready. */
  readonly onProgress?: (ready: number) => void;
}

/** Resolves to the objects as they were when the last became Ready, by `namespace/name` of their kind. */
export async function allReady(
  connection: Connection,
  { objects }: Population,
  { withinMs, signal, onProgress }: WaitOptions,
): Promise<Member[]> {
  const waiting = new Map(objects.map((object) => [labelOf(object), "it was never seen"]));
  const ready = new Map<string, Member>();
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, AbortSignal.timeout(withinMs), ...(signal ? [signal] : [])]);
  const changed = (object: Member): void => {
    const label = labelOf(object);
    if (!waiting.has(label)) return;
    const condition = readyOf(object);
    if (condition?.status === "True") ready.set(label, object);
    else ready.delete(label);
    waiting.set(label, condition === undefined ? "no condition yet" : `${condition.reason}: ${condition.message}`);
    onProgress?.(ready.size);
    if (ready.size === waiting.size) over.abort();
  };
  if (objects.length === 0) return [];
  const followers = KINDS.map(async (kind) => await follow(connection, kind, {}, { changed, removed() {} }, until));
  const ends = await Promise.allSettled(followers);
  signal?.throwIfAborted();
  if (over.signal.aborted) return [...ready.values()];
  const broken = ends.find((end) => end.status === "rejected" && end.reason !== until.reason);
  if (broken?.status === "rejected") throw broken.reason;
  const named = [...waiting].filter(([label]) => !ready.has(label)).map(([label, why]) => `  ${label}: ${why}`);
  const more = named.length > 5 ? `\n  and ${named.length - 5} more` : "";
  throw new Error(
    `${named.length} of ${objects.length} objects are not Ready after ${withinMs / 1000} s:\n${named.slice(0, 5).join("\n")}${more}`,
  );
}

function labelOf(object: KubeObject): string {
  return `${object.kind?.toLowerCase() ?? ""} ${keyOf(refOf(object))}`;
}

function readyOf(object: Member): { status: string; reason: string; message: string } | undefined {
  return object.status?.conditions?.find(({ type }) => type === "Ready");
}
