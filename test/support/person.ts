// A person's own hand on the API server: what kubectl has written is not ours, and the API server keeps account of it.
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { writer } from "#kube/writer.ts";
import { afterUninstall } from "#wire/fence.ts";
import type { World } from "./world.ts";

interface Person {
  /** Creates in the world's namespace, whatever the object says. */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  /** Puts a value at a JSON pointer; undefined takes it away. */
  edit(kind: Kind, name: string, path: string, value: unknown): Promise<void>;
}

/** Whoever has kubectl and the rights, in the world's namespace. */
export function aPerson({ connection, namespace, read }: Pick<World, "connection" | "namespace" | "read">): Person {
  const { signal } = new AbortController();
  const byHand: Connection = {
    server: connection.server,
    watch: (request) => connection.watch(request),
    async request(request) {
      const isWrite = request.method !== "GET" && request.method !== "DELETE";
      const query = isWrite ? { ...request.query, fieldManager: "kubectl-edit" } : request.query;
      return await connection.request({ ...request, ...(query === undefined ? {} : { query }) });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const write = writer(byHand, afterUninstall(signal));
  return {
    create: async (kind, object) =>
      await write.create(kind, { ...object, metadata: { ...object.metadata, namespace } }, signal),
    async edit(kind, name, path, value) {
      const { uid = "" } = (await read.get(kind, { name, namespace }, signal))?.metadata ?? {};
      const operation = value === undefined ? ({ op: "remove", path } as const) : ({ op: "add", path, value } as const);
      await write.patch(kind, { name, namespace }, uid, [operation], signal);
    },
  };
}
