// An API server of a test's own, in memory: what a test puts is listed and watched, what is written to it is noted and not
// done. For what has to be shown of many controllers, states and events in a moment; how a real one behaves it does not tell.
import type { Connection, KubeRequest, WatchEvent, WatchRequest } from "#kube/connection.ts";
import { keyOf, type Kind, type KubeObject, refOf, resourceName } from "#kube/kind.ts";
import { groupPath } from "#kube/paths.ts";
import { KnownError } from "#wire/errors.ts";

export interface MemoryServer {
  readonly connection: Connection;
  /** `PATCH /apis/...`, as they came; none of them was answered, as by a server that is not reached. */
  readonly writes: string[];
  /** The object comes, or changes. */
  put(kind: Kind, object: KubeObject): void;
  remove(kind: Kind, object: KubeObject): void;
  /** From now on writes stay without an answer, until the end of that is called for. */
  hold(): () => void;
  /** Pending as long as that lasts. */
  readonly held: Promise<void> | undefined;
  /** All watches end: what they had seen is too old to go on from (410), so that all is listed anew. */
  expire(): void;
}

interface Watching {
  readonly request: WatchRequest;
  readonly waiting: WatchEvent[];
  broken?: KnownError;
  wake(): void;
}

/** What is asked of the API server itself, and changes nothing there. */
const REVIEWS = /\/(selfsubjectaccessreviews|selfsubjectrulesreviews)$/;

/** @param kinds all that it serves, each in its best version. */
export function memoryServer(kinds: readonly Kind[]): MemoryServer {
  const served = new Map(kinds.map((kind) => [resourceName(kind), kind]));
  const objects = new Map<string, Map<string, KubeObject>>();
  const watchings = new Set<Watching>();
  const writes: string[] = [];
  let held: Promise<void> | undefined;
  let version = 1;

  const stored = (kind: Kind): Map<string, KubeObject> => {
    const name = resourceName(kind);
    const found = objects.get(name) ?? new Map<string, KubeObject>();
    objects.set(name, found);
    return found;
  };
  const tell = (type: WatchEvent["type"], kind: Kind, object: KubeObject): void => {
    for (const watching of watchings) {
      const at = placeOf(watching.request.path, served.values());
      if (at?.kind !== kind || !isSelected(object, at.namespace, watching.request.query)) continue;
      watching.waiting.push({ type, object });
      watching.wake();
    }
  };
  const list = ({ path, query }: KubeRequest, kind: Kind, namespace: string | undefined): unknown => ({
    items: [...stored(kind).values()].filter((one) => isSelected(one, namespace, query)),
    metadata: { resourceVersion: String(version), path },
  });
  const connection: Connection = {
    server: "memory",
    async request(request) {
      await Promise.resolve();
      const { method, path } = request;
      if (REVIEWS.test(path)) return { status: { allowed: true } };
      if (method !== "GET") {
        writes.push(`${method} ${path}`);
        await held;
        throw new KnownError("transient", "the API server is not reached", { code: "ECONNREFUSED" });
      }
      const group = discovered(path, [...served.values()]);
      if (group !== undefined) return group;
      const at = placeOf(path, served.values());
      if (at === undefined) return { items: [], metadata: { resourceVersion: String(version) } };
      if (at.name === undefined) return list(request, at.kind, at.namespace);
      const found = stored(at.kind).get(keyOf({ name: at.name, namespace: at.namespace }));
      if (found === undefined) throw new KnownError("gone", `${path} is not there`, { status: 404, code: "NotFound" });
      return found;
    },
    async *watch(request): AsyncGenerator<WatchEvent> {
      const watching: Watching = { request, waiting: [], wake: () => {} };
      const abort = (): void => watching.wake();
      watchings.add(watching);
      request.signal.addEventListener("abort", abort);
      try {
        for (;;) {
          request.signal.throwIfAborted();
          yield* watching.waiting.splice(0);
          if (watching.broken !== undefined) throw watching.broken;
          if (watching.waiting.length > 0 || request.signal.aborted) continue;
          await new Promise<void>((resolve) => (watching.wake = resolve));
        }
      } finally {
        request.signal.removeEventListener("abort", abort);
        watchings.delete(watching);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    connection,
    writes,
    put(kind, object) {
      version += 1;
      const key = keyOf(refOf(object));
      const before = stored(kind).get(key);
      const { uid = before?.metadata.uid ?? `uid-${version}` } = object.metadata;
      const after = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
      stored(kind).set(key, after);
      tell(before === undefined ? "ADDED" : "MODIFIED", kind, after);
    },
    remove(kind, object) {
      version += 1;
      const found = stored(kind).get(keyOf(refOf(object)));
      if (found === undefined) return;
      stored(kind).delete(keyOf(refOf(object)));
      tell("DELETED", kind, { ...found, metadata: { ...found.metadata, resourceVersion: String(version) } });
    },
    get held() {
      return held;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    expire() {
      for (const watching of watchings) {
        watching.broken = new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
        watching.wake();
      }
    },
  };
}

interface Place {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

function placeOf(path: string, kinds: Iterable<Kind>): Place | undefined {
  for (const kind of kinds) {
    const base = groupPath(kind.group, kind.versions[0]);
    if (!path.startsWith(`${base}/`)) continue;
    const [, namespace, plural, name] =
      /^\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?/.exec(path.slice(base.length)) ?? [];
    if (plural === kind.plural && (kind.namespaced || namespace === undefined)) return { kind, namespace, name };
  }
  return undefined;
}

function discovered(path: string, kinds: readonly Kind[]): unknown {
  const versions = kinds.filter(({ group }) => path === `/apis/${group}`).map(({ versions: [best] }) => best);
  if (versions.length > 0) return { versions: [...new Set(versions)].map((version) => ({ version })) };
  const resources = kinds.filter((kind) => path === groupPath(kind.group, kind.versions[0]));
  return resources.length === 0 ? undefined : { resources: resources.map(({ plural }) => ({ name: plural })) };
}

/** Selectors of fields as watches here use them, on the name and the type. */
function isSelected(object: KubeObject, namespace: string | undefined, query: KubeRequest["query"]): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  const { type } = object as { type?: string };
  const fields: Readonly<Record<string, string | undefined>> = { "metadata.name": object.metadata.name, type };
  return String(query?.["fieldSelector"] ?? "")
    .split(",")
    .filter((one) => one !== "")
    .every((one) => {
      const [, field = "", sign, value] = /^([^!=]+)(!=|=)(.*)$/.exec(one) ?? [];
      return (fields[field] === value) === (sign === "=");
    });
}
