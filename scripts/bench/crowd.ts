// Many Ingresses of as many hosts, made as fast as the API server takes them, and the moment at which all their endpoints are there.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import type { Connection } from "#kube/connection.ts";
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import { Ingress, IngressClass, type IngressObject, Namespace, Service } from "#kube/kinds.ts";
import { listPath, objectPath } from "#kube/paths.ts";
import { reader } from "#kube/reader.ts";
import { follow } from "#kube/watch.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { create } from "#test/support/population.ts";
import type { Ground } from "./ground.ts";
import { each } from "./herd.ts";
import { type OperatorOptions, withOperators } from "./operator.ts";
import { verboseIngresses } from "./translation/world.ts";

export interface Crowd {
  readonly count: number;
  /** Of each Ingress, which becomes a CloudEndpoint and an AgentEndpoint a path. */
  readonly paths: number;
  readonly namespaces: readonly string[];
  readonly ingresses: readonly IngressObject[];
  /** What has to be there before: class and Services. */
  readonly standing: readonly KubeObject[];
}

export function aCrowd(count: number, paths: number): Crowd {
  const objects = verboseIngresses(count, paths);
  const isIngress = (object: KubeObject): object is IngressObject => object.kind === Ingress.kind;
  const standing = objects.filter((object) => !isIngress(object));
  return {
    count,
    paths,
    ingresses: objects.filter(isIngress),
    // Nobody calls them: an address of its own would only cost time.
    standing: standing.map((one) =>
      one.kind === Service.kind ? { ...one, spec: { ...(one as { spec?: object }).spec, clusterIP: "None" } } : one,
    ),
    namespaces: [...new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))],
  };
}

/** Makes what has to stand before the first Ingress comes. */
export async function prepare(connection: Connection, crowd: Crowd, signal: AbortSignal): Promise<void> {
  const namespaces = crowd.namespaces.map((name): KubeObject => ({ metadata: { name } }));
  await each(namespaces, async (one) => await make(connection, Namespace, one, signal));
  await each(crowd.standing, async (one) => await make(connection, kindOf(one), one, signal));
}

export async function createIngresses(connection: Connection, crowd: Crowd, signal: AbortSignal): Promise<void> {
  await each(crowd.ingresses, async (one) => await make(connection, Ingress, one, signal));
}

function kindOf({ kind }: KubeObject): Kind {
  return kind === IngressClass.kind ? IngressClass : Service;
}

async function make(connection: Connection, kind: Kind, body: KubeObject, signal: AbortSignal): Promise<void> {
  await create(connection, listPath(kind, kind.versions[0], body.metadata.namespace), body, signal);
}

/** Monotonic milliseconds. */
export interface Served {
  /** The last endpoint's object was seen. */
  readonly madeAt: number;
  /** The last CloudEndpoint was seen Ready: it answers at ngrok. */
  readonly readyAt: number;
}

/** Resolves when all endpoints of the crowd are there, and rejects with how many are when that takes too long. */
export async function allServed(
  connection: Connection,
  { count, paths }: Crowd,
  withinMs: number,
  signal: AbortSignal,
): Promise<Served> {
  const made = new Set<string>();
  const ready = new Set<string>();
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, signal, AbortSignal.timeout(withinMs)]);
  let madeAt = 0;
  const seen = (object: OwnObject): void => {
    const name = `${object.kind} ${keyOf(refOf(object))}`;
    if (!made.has(name)) madeAt = performance.now();
    made.add(name);
    if (object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) ready.add(name);
    if (made.size >= count * (1 + paths) && ready.size >= count) over.abort();
  };
  const followers = [CloudEndpoint, AgentEndpoint].map(async (kind: OwnKind) => {
    await follow(connection, kind, {}, { changed: seen, removed() {} }, until);
  });
  await Promise.allSettled(followers);
  signal.throwIfAborted();
  if (over.signal.aborted) return { madeAt, readyAt: performance.now() };
  const wanted = count * (1 + paths);
  throw new Error(
    `after ${withinMs / 1000} s ${made.size} of ${wanted} endpoints are made, ${ready.size} of ${count} CloudEndpoints are Ready`,
  );
}

/** Makes the crowd and has it served by operators that are gone again: what was still to be told of it is left out. */
export async function served(
  ground: Ground,
  connection: Connection,
  ngrok: NgrokApi,
  options: OperatorOptions,
  crowd: Crowd,
): Promise<void> {
  await withOperators(ground, connection, ngrok, options, async ({ signal }) => {
    await prepare(connection, crowd, signal);
    const all = allServed(connection, crowd, 120_000 + crowd.count * 100, signal);
    await Promise.all([createIngresses(connection, crowd, signal), all]);
  });
}

/** Takes away all that was made in the namespaces, whatever holds it; on a plane, which goes as a whole, nothing. */
export async function clear(ground: Ground, connection: Connection, crowd: Crowd, signal: AbortSignal): Promise<void> {
  if (ground.what === "plane") return;
  const isTheirs = ({ metadata }: KubeObject): boolean => crowd.namespaces.includes(metadata.namespace ?? "");
  for (const kind of [Ingress, CloudEndpoint, AgentEndpoint, Domain] as readonly Kind[]) {
    for await (const { items } of reader(connection).pages<KubeObject>(kind, {}, signal)) {
      const held = items.filter((one) => isTheirs(one) && (one.metadata.finalizers?.length ?? 0) > 0);
      await each(held, async (one) => {
        const path = objectPath(kind, kind.versions[0], refOf(one));
        const body = { metadata: { finalizers: null } };
        await connection.request({ method: "PATCH", path, contentType: "application/merge-patch+json", body, signal });
      });
    }
  }
  await ground.kubectl.run(["delete", "namespace", "--wait=false", "--ignore-not-found", ...crowd.namespaces]);
}
