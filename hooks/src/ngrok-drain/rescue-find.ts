// The install that a rescue is about, from whatever of it is left: the api-manager's Deployment, the drain state, the
// KubernetesOperator, the Lease, or only the stamps that it has put on objects.
import { DRAIN_OWNER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { rows } from "#drain/kinds.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { ConfigMap, Deployment, Lease } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { KnownError } from "#wire/errors.ts";
import type { Asked, Search } from "./command.ts";
import { findInstall, type Install, usualFullname, type Where } from "./install.ts";

/** Throws KnownError invalid when nothing of the release is anywhere, or there is something in several namespaces. */
export async function findByTraces({ argument }: Asked, where: Where, search: Search): Promise<Install> {
  const name = argument ?? "";
  const { env, elsewhere, read, signal } = search;
  const namespace = where.namespace ?? (await namespaceOf(name, read, signal));
  const fullname = where.fullname ?? (await fullnameOf(name, namespace, read, signal));
  return await findInstall({ ...where, namespace, release: name, fullname }, env, elsewhere, read, signal);
}

async function namespaceOf(name: string, read: Reader, signal: AbortSignal): Promise<string> {
  const found = await placesOf(name, read, signal);
  // Stamps are looked for last: that goes through every object.
  if (found.size === 0) for (const place of await stampsOf(name, read, signal)) found.add(place);
  const [only] = found;
  if (only !== undefined && found.size === 1) return only;
  if (only === undefined) {
    throw new KnownError("invalid", `nothing of a release ${name} was found in the cluster`, {
      hint: "say in which namespace it was: -n NAMESPACE; objects without a stamp are found then, too",
    });
  }
  const places = [...found].toSorted().map((place) => `-n ${place}`);
  throw new KnownError("invalid", `there are traces of ${found.size} releases ${name}: ${places.join(", ")}`, {
    hint: "say which with this flag",
  });
}

async function placesOf(name: string, read: Reader, signal: AbortSignal): Promise<Set<string>> {
  const places = new Set<string>();
  const add = ({ metadata }: KubeObject): void => void (metadata.namespace && places.add(metadata.namespace));
  for await (const object of all(read, KubernetesOperator, undefined, signal))
    if (object.metadata.name === name) add(object);
  for await (const object of all(read, Deployment, managersOf(name), signal)) add(object);
  for await (const object of all(read, ConfigMap, "app.kubernetes.io/managed-by=Helm", signal))
    if (fullnameIn(object, STATE) !== undefined && releaseOf(object) === name) add(object);
  return places;
}

async function stampsOf(name: string, read: Reader, signal: AbortSignal): Promise<Set<string>> {
  const places = new Set<string>();
  for (const { kind } of rows) {
    for await (const { metadata } of all<KubeObject>(read, kind, undefined, signal)) {
      const [namespace, release] = metadata.annotations?.[DRAIN_OWNER]?.split("/") ?? [];
      if (namespace && release === name) places.add(namespace);
    }
  }
  return places;
}

const STATE = "-drain-state";
const LEADER = "-leader";
const MANAGER = "-manager";

async function fullnameOf(name: string, namespace: string, read: Reader, signal: AbortSignal): Promise<string> {
  for await (const object of all(read, Deployment, managersOf(name), signal, namespace)) {
    const fullname = fullnameIn(object, MANAGER);
    if (fullname !== undefined) return fullname;
  }
  for await (const object of all(read, ConfigMap, "app.kubernetes.io/managed-by=Helm", signal, namespace)) {
    const fullname = fullnameIn(object, STATE);
    if (fullname !== undefined && releaseOf(object) === name) return fullname;
  }
  // Leases have no label of ours; with an override of the name only this one is left to say it.
  const usual = usualFullname(name);
  const leaders: string[] = [];
  for await (const object of all(read, Lease, undefined, signal, namespace)) {
    const fullname = fullnameIn(object, LEADER);
    if (fullname === usual) return usual;
    if (fullname?.includes("ngrok-operator")) leaders.push(fullname);
  }
  return (leaders.length === 1 && leaders[0]) || usual;
}

function managersOf(release: string): string {
  return `app.kubernetes.io/instance=${release},app.kubernetes.io/component=controller`;
}

function releaseOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.["meta.helm.sh/release-name"];
}

function fullnameIn({ metadata: { name } }: KubeObject, suffix: string): string | undefined {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

/** What may not be listed is no trace: whoever lacks that right names the install by flags. */
async function* all<T extends KubeObject>(
  read: Reader,
  kind: Kind<T>,
  labelSelector: string | undefined,
  signal: AbortSignal,
  namespace?: string,
): AsyncGenerator<T> {
  const options = { ...(namespace === undefined ? {} : { namespace }), ...(labelSelector ? { labelSelector } : {}) };
  try {
    for await (const { items } of read.pages(kind, options, signal)) yield* items;
  } catch (error) {
    if (!(error instanceof KnownError && error.status === 403)) throw error;
  }
}
