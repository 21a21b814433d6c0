// Which replicas of a component there are, as their pods show them, for the leader: whose entry in a status counts, and
// whose is nobody's any more.
import { isDeepStrictEqual } from "node:util";
import type { Release } from "#api/release.ts";
import { isComponentPod } from "#drain/pods.ts";
import { type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import { Pod, type PodObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { type Cached, type Context, type Part, type Watch, watching } from "./define-controller.ts";
import { type Flight, shareNext } from "./share-next.ts";

const COMPONENT = "app.kubernetes.io/component";
const READY = "Ready";

type Component = "agent" | "bindings-forwarder";

/** An object that replicas write their entries into. */
type Spoken = KubeObject & { readonly status?: { readonly replicas?: readonly { readonly pod: string }[] } };

/** What of Pods is watched. Where they may not be read, nobody is taken for gone. */
const replicaPods = {
  within: "release",
  labelSelector: `${COMPONENT} in (agent,bindings-forwarder)`,
  dispensable: true,
  keeps: ({ metadata: { name, namespace, uid, resourceVersion, labels }, status }) => ({
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(labels === undefined ? {} : { labels }),
    },
    status: {
      ...(status?.phase === undefined ? {} : { phase: status.phase }),
      conditions: (status?.conditions ?? []).filter(({ type }) => type === READY),
    },
  }),
} as const satisfies Part<PodObject>;

/** By the name of its pod, whether a replica can be serving; undefined where Pods may not be read. */
export type Replicas = ReadonlyMap<string, boolean> | undefined;

export function replicasOf(
  component: Component,
  { cached, release }: { readonly cached: Cached; readonly release: Release },
): Replicas {
  if (!cached.isWhole(Pod)) return undefined;
  const pods = [...cached.all(Pod)].filter(
    (pod) => pod.metadata.labels?.[COMPONENT] === component && isComponentPod(pod, release) && !hasEnded(pod),
  );
  return new Map(pods.map((pod) => [pod.metadata.name, mayServe(pod)]));
}

/** An evicted pod stays as an object, and its process is gone. */
function hasEnded({ status }: PodObject): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

/** Of a pod that the kubelet calls not ready, a crashed one say, the entries are of an earlier life or speak of no session. */
function mayServe({ status }: PodObject): boolean {
  return status?.conditions?.find(({ type }) => type === READY)?.status !== "False";
}

/** The watch of Pods for whoever sums up what replicas say of objects of the kind. */
export function watchingReplicas<T extends Spoken>(kind: Kind<T>): Watch {
  const concerned = (pod: PodObject, cached: Cached) =>
    [...cached.all(kind)].filter(({ status }) => mayBeNews(status?.replicas, pod, cached)).map(refOf);
  return watching(Pod, concerned, {}, replicaPods);
}

/** Whether a replica has said something, which is news although it stands in the status. */
export function hearsReplicas(before: Spoken, after: Spoken): boolean {
  return !isDeepStrictEqual(before.status?.replicas, after.status?.replicas);
}

/** Whether what the pod says counts; it does where nobody may look at it. */
export function isServing(replicas: Replicas, pod: string): boolean {
  return replicas === undefined || replicas.get(pod) === true;
}

/** The command that shows a person the replicas. */
export function replicasCommand(component: Component, { name, namespace }: Release): string {
  const labels = `app.kubernetes.io/instance=${name},${COMPONENT}=${component}`;
  return `kubectl -n ${namespace} get deployments,pods -l ${labels}`;
}

/** Whether the pod is, or may make, news for who shows these entries: its own word, a missing one, one of somebody gone. */
export function mayBeNews(
  entries: readonly { readonly pod: string }[] | undefined,
  { metadata: { name, namespace } }: PodObject,
  cached: Cached,
): boolean {
  if (entries === undefined || entries.length === 0) return true;
  return entries.some(({ pod }) => pod === name || cached.get(Pod, { name: pod, namespace }) === undefined);
}

/**
 * Of these entries' pods those that are gone, asked past the watch: it may lag behind a new pod that has said something
 * already. None where Pods may not be read.
 */
export async function goneOf(
  entries: readonly { readonly pod: string }[] | undefined,
  replicas: Replicas,
  context: Pick<Context, "reader" | "release" | "signal">,
): Promise<ReadonlySet<string>> {
  const missing = replicas === undefined ? [] : (entries ?? []).filter(({ pod }) => !replicas.has(pod));
  if (missing.length === 0) return new Set();
  const living = await livingPods(context);
  return new Set(missing.flatMap(({ pod }) => (living.has(pod) ? [] : [pod])));
}

/** By whoever asks. */
const lists = new WeakMap<Reader, Flight<ReadonlySet<string>>>();

/**
 * The pods of all replicas that have not ended, as they are after the call. A pod that goes leaves its entry in every object
 * at once, so that all who ask meanwhile share the next list: one that began before they saw an entry may be too old.
 */
async function livingPods({ reader, release, signal }: Pick<Context, "reader" | "release" | "signal">) {
  return await shareNext(lists, reader, async () => {
    const names = new Set<string>();
    const { namespace } = release;
    const { labelSelector } = replicaPods;
    for await (const { items } of reader.pages(Pod, { namespace, labelSelector }, signal))
      for (const pod of items) if (!hasEnded(pod)) names.add(pod.metadata.name);
    return names;
  });
}

/** Takes the entries of these pods out of `status.replicas`; empty when there are none. */
export function forget(
  entries: readonly { readonly pod: string }[] | undefined,
  gone: ReadonlySet<string>,
): readonly JsonPatchOperation[] {
  return (entries ?? [])
    .map(({ pod }, index) => ({ pod, path: `/status/replicas/${index}` }))
    .filter(({ pod }) => gone.has(pod))
    .toReversed()
    .flatMap(({ pod, path }): JsonPatchOperation[] => [
      { op: "test", path: `${path}/pod`, value: pod },
      { op: "remove", path },
    ]);
}

/** The object without the entries of pods that are gone: nobody else takes them out. */
export async function withoutGone<T extends Spoken>(
  kind: Kind<T>,
  object: T,
  replicas: Replicas,
  context: Context,
): Promise<T> {
  const entries = object.status?.replicas;
  const operations = forget(entries, await goneOf(entries, replicas, context));
  if (operations.length === 0) return object;
  const { uid = "" } = object.metadata;
  return await context.writer.patchStatus(kind, refOf(object), uid, operations, context.signal);
}
