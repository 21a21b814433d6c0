// A small world for one test: a release namespace of its own on the run's API server, ngrok's wire, a drain state, and
// managers of ours in it, as many replicas as the test starts.
import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type { OwnObject } from "#api/define-kind.ts";
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import { stateRef } from "#drain/state.ts";
import { connect, type Connection } from "#kube/connection.ts";
import { type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { follow } from "#kube/watch.ts";
import type { LeaseTiming } from "#kube/write-token.ts";
import { type Writer, writer } from "#kube/writer.ts";
import type { Controller } from "#operator/runtime/define-controller.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import type { Options } from "#operator/runtime/options.ts";
import { systemClock } from "#wire/clock.ts";
import type { Dial } from "#wire/dial.ts";
import { afterUninstall } from "#wire/fence.ts";
import { installCrds } from "./crds.ts";
import { type ManagerOptions, startManager, type TestManager } from "./world-manager.ts";
import { patient } from "./patient.ts";
import { type NgrokApi, type NgrokApiOptions, startNgrokApi } from "./ngrok-api/server.ts";

export type Phase = "Open" | "Draining" | "Drained";

export interface WorldOptions {
  readonly controllers: readonly Controller[];
  /** The drain state at the start: as Helm renders it (the default), a phase, or none at all. */
  readonly drain?: "rendered" | Phase | "absent";
  readonly ngrok?: NgrokApiOptions;
  readonly options?: Partial<Options>;
  /** Whether there are rights outside the namespace; default true. */
  readonly clusterWide?: boolean;
  /** Whether all namespaces are watched, not the world's alone; default false. */
  readonly everywhere?: boolean;
  /** Of another API server than the run's. */
  readonly kubeconfig?: string;
  /** Without an API key. */
  readonly keyless?: boolean;
  /** The first replica is started with the world; default true. */
  readonly start?: boolean;
  readonly timing?: LeaseTiming;
  /** Into the cluster, which has no network here; default: somebody listens everywhere. */
  readonly dial?: Dial;
}

export interface World extends AsyncDisposable {
  readonly release: Release;
  readonly namespace: string;
  readonly api: NgrokApi;
  readonly connection: Connection;
  readonly read: Reader;
  readonly write: Writer;
  /** The replica that was started with the world. */
  readonly manager: TestManager;
  start(options?: ManagerOptions): TestManager;
  /** What all replicas have written so far. */
  written(): readonly string[];
  /** Creates in the world's namespace, whatever the object says. */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  get<T extends KubeObject>(kind: Kind<T>, name: string): Promise<T | undefined>;
  remove(kind: Kind, name: string): Promise<void>;
  /** The object as soon as it is as wanted, seen by a watch; rejects with what it was last after `withinMs` (a minute). */
  until<T extends KubeObject>(
    kind: Kind<T>,
    name: string,
    wanted: (object: T) => boolean,
    withinMs?: number,
  ): Promise<T>;
  gone(kind: Kind, name: string, withinMs?: number): Promise<void>;
  /** Puts a value at a JSON pointer, as a person would who edits the object. */
  touch(kind: Kind, name: string, path: string, value: unknown): Promise<void>;
  /** Turns the drain state. */
  mark(phase: Phase, data?: Record<string, string>): Promise<void>;
  /** When nobody has anything under way, and nothing has been written or asked for half a second, or longer on a slow machine. */
  quiet(): Promise<void>;
}

export function isReady(object: OwnObject): boolean {
  return object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

export function condition(object: OwnObject, type: string): string | undefined {
  const found = object.status?.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const wire = await connect({ kubeconfig: options.kubeconfig ?? inject("kubeconfig") });
  const connection = patient(wire);
  const api = await startNgrokApi(options.ngrok);
  const over = new AbortController();
  const read = reader(connection);
  const write = writer(connection, afterUninstall(over.signal));
  const namespace = `world-${randomUUID().slice(0, 8)}`;
  const release: Release = {
    name: "ngrok",
    namespace,
    fullname: "ngrok-operator",
    ...(options.everywhere === true ? {} : { watchNamespace: namespace }),
  };
  const managers: TestManager[] = [];
  await installCrds(connection);
  await write.create(Namespace, { metadata: { name: namespace } }, over.signal);
  const world: World = {
    release,
    namespace,
    api,
    connection,
    read,
    write,
    get manager() {
      const [first] = managers;
      if (first === undefined) throw new Error("this world was started without a manager");
      return first;
    },
    start(more = {}) {
      const manager = startManager({ release, connection: wire, api }, options, more);
      managers.push(manager);
      return manager;
    },
    written: () => managers.flatMap(({ writes }) => writes),
    create: async (kind, object) =>
      await write.create(kind, { ...object, metadata: { ...object.metadata, namespace } }, over.signal),
    get: async (kind, name) => await read.get(kind, { name, namespace }, over.signal),
    async remove(kind, name) {
      const object = await read.get(kind, { name, namespace }, over.signal);
      if (object !== undefined)
        await write.remove({ kind, ref: refOf(object), uid: object.metadata.uid ?? "" }, over.signal);
    },
    async touch(kind, name, path, value) {
      const { uid = "" } = (await read.get(kind, { name, namespace }, over.signal))?.metadata ?? {};
      await write.patch(kind, { name, namespace }, uid, [{ op: "add", path, value }], over.signal);
    },
    until: async (kind, name, wanted, withinMs = 60_000) =>
      await until(world, kind, { name, namespace }, wanted, withinMs),
    async gone(kind, name, withinMs = 60_000) {
      await until(world, kind, { name, namespace }, "gone", withinMs);
    },
    async mark(phase, data = {}) {
      const at = stateRef(release);
      const marked =
        phase === "Open" ? {} : { policy: "Retain", driver: "hook", by: "pod/hook/1", since: "2026-01-01T00:00:00Z" };
      const path = `/api/v1/namespaces/${at.namespace}/configmaps/${at.name}`;
      const body = { data: { phase, ...marked, ...data } };
      await connection.request({
        method: "PATCH",
        path,
        body,
        contentType: "application/merge-patch+json",
        signal: over.signal,
      });
    },
    async quiet() {
      const sum = (): number => api.ledger.total + managers.reduce((total, { writes }) => total + writes.length, 0);
      const isBusy = (): boolean => managers.some((manager) => manager.isBusy());
      for (let before = -1; before !== sum() || isBusy(); await aWhile(world)) before = sum();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(managers.map(async (manager) => await manager.stop()));
      await freeAll(world, options.controllers);
      over.abort(new Error("the world ends"));
      await connection[Symbol.asyncDispose]();
      await api.close();
    },
  };
  await drainState(world, options.drain ?? "rendered");
  if (options.start !== false) world.start();
  return world;
}

async function drainState(world: World, drain: NonNullable<WorldOptions["drain"]>): Promise<void> {
  if (drain === "absent") return;
  await world.create(ConfigMap, { metadata: { name: namesOf(world.release).drainState } });
  if (drain !== "rendered") await world.mark(drain);
}

async function until<T extends KubeObject>(
  world: World,
  kind: Kind<T>,
  at: Ref,
  wanted: ((object: T) => boolean) | "gone",
  withinMs: number,
): Promise<T> {
  const found = new AbortController();
  let last: T | undefined;
  let answer: T | undefined;
  const look = (object: T | undefined): void => {
    last = object;
    if (wanted === "gone" ? object !== undefined : object === undefined || !wanted(object)) return;
    answer = object;
    found.abort(new Error("found"));
  };
  const signal = AbortSignal.any([found.signal, AbortSignal.timeout(withinMs)]);
  const options = { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` };
  const handlers = { changed: look, removed: () => look(undefined), synced: () => look(last) };
  await follow<T>(world.connection, kind, options, handlers, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (!found.signal.aborted)
    throw new Error(
      `${kind.kind} ${at.name} did not come to be as wanted in ${withinMs} ms: ${JSON.stringify(last, null, 1)}`,
    );
  return (answer ?? last) as T;
}

/** In which an event would have come: half a second, or twenty times as long as the API server takes for a read. */
async function aWhile({ read, namespace }: World): Promise<void> {
  const asked = performance.now();
  await read.get(Namespace, { name: namespace }, AbortSignal.timeout(60_000));
  await systemClock.sleep(Math.max(500, 20 * (performance.now() - asked)));
}

/** Without its finalizers the namespace can go with its objects; nobody waits for that. */
async function freeAll(world: World, controllers: readonly Controller[]): Promise<void> {
  const { signal } = new AbortController();
  const kinds = new Set(controllers.flatMap(kindsReadBy).filter(({ namespaced }) => namespaced));
  for (const kind of kinds) {
    for await (const page of world.read.pages(kind, { namespace: world.namespace }, signal)) {
      for (const { metadata } of page.items) {
        if ((metadata.finalizers?.length ?? 0) === 0) continue;
        await world.write
          .patch(
            kind,
            { name: metadata.name, namespace: world.namespace },
            metadata.uid ?? "",
            [{ op: "remove", path: "/metadata/finalizers" }],
            signal,
          )
          .catch(() => undefined);
      }
    }
  }
  const path = `/api/v1/namespaces/${world.namespace}`;
  await world.connection.request({ method: "DELETE", path, signal }).catch(() => undefined);
}
