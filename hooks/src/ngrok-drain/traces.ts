// What is left of an install, piece by piece: there, going, gone, or not to be told.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { namesOf, type Release } from "#api/release.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { type KubeObject, resourceName } from "#kube/kind.ts";
import { ConfigMap, CustomResourceDefinition, Deployment, Lease, Namespace, Secret } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { known } from "#wire/errors.ts";
import { stateText } from "./state-text.ts";

export interface Trace {
  /** `namespace ops`, `the Lease ngrok-operator-leader`. */
  readonly what: string;
  /** `there`, `not there`, or more than that; `not known: ...` when nobody could tell. */
  readonly is: string;
}

export interface Traces {
  readonly found: readonly Trace[];
  /** Nothing new can be made in the release namespace: it is going, or gone. */
  readonly namespaceGoes: boolean;
  /** Somebody holds the Lease. */
  readonly held: boolean;
  /** Whether Helm knows the release; undefined when that may not be read. */
  readonly helm: boolean | undefined;
  /** What `app.kubernetes.io/name` says on what the chart made: a chart beside ours under one parent has another, and our release. */
  readonly nameLabel: string;
}

const NAME = "app.kubernetes.io/name";
/** The chart's own name: of an alias or a `nameOverride` tell only the objects. */
const USUAL_NAME = "ngrok-operator";

/** Reads it all past every cache; a failed read is a trace that says so. */
export async function tracesOf(read: Reader, release: Release, signal: AbortSignal): Promise<Traces> {
  const { namespace, name } = release;
  const names = namesOf(release);
  const at = (one: string) => ({ name: one, namespace });
  const place = await told(async () => await read.get(Namespace, { name: namespace }, signal), signal);
  const phase =
    "why" in place ? "Active" : place.is?.metadata.deletionTimestamp ? "Terminating" : place.is?.status?.phase;
  const lease = await told(async () => await read.get(Lease, at(names.lease), signal), signal);
  const holder = ("is" in lease && lease.is?.spec?.holderIdentity) || "";
  const helm = await told(async () => await helmsOf(read, release, signal), signal);
  const operator = await told(async () => await read.get(KubernetesOperator, at(name), signal), signal);
  const state = await told(async () => await read.get(ConfigMap, stateRef(release), signal), signal);
  const manager = await told(async () => await read.get(Deployment, at(names.manager), signal), signal);
  const pods = await told(async () => (await podsOfRelease(read, release, signal)).length, signal);
  const found: Trace[] = [
    {
      what: `namespace ${namespace}`,
      is: textOf(place, () => (phase === "Terminating" ? "is being deleted" : "there")),
    },
    { what: `Helm's record of ${name}`, is: textOf(helm, (n) => `there, ${n} revision${n === 1 ? "" : "s"}`) },
    { what: `the Deployment ${names.manager}`, is: textOf(manager, () => "there") },
    { what: "pods of the operator that run", is: textOf(pods, String) },
    { what: `the drain state ${names.drainState}`, is: textOf(state, (object) => stateText(parseState(object))) },
    {
      what: `the Lease ${names.lease}`,
      is: textOf(lease, () => (holder === "" ? "there, free" : `held by ${holder}`)),
    },
    {
      what: `kubernetesoperator ${namespace}/${name}`,
      is: textOf(operator, ({ metadata }) => (metadata.deletionTimestamp ? "is being deleted" : "there")),
    },
    { what: "CustomResourceDefinitions", is: await crdsText(read, signal) },
  ];
  return {
    found,
    namespaceGoes: phase !== "Active",
    held: holder !== "",
    helm: "why" in helm ? undefined : helm.is !== undefined,
    nameLabel: nameLabelOf(manager) ?? nameLabelOf(state) ?? release.nameLabel ?? USUAL_NAME,
  };
}

function nameLabelOf(one: Told<KubeObject>): string | undefined {
  return "is" in one ? one.is?.metadata.labels?.[NAME] : undefined;
}

/** Secrets of Helm with its revisions; undefined when there are none. */
async function helmsOf(read: Reader, { name, namespace }: Release, signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  const labelSelector = `owner=helm,name=${name}`;
  for await (const { items } of read.pages(Secret, { namespace, labelSelector }, signal)) count += items.length;
  return count === 0 ? undefined : count;
}

async function crdsText(read: Reader, signal: AbortSignal): Promise<string> {
  const gone: string[] = [];
  const going: string[] = [];
  for (const kind of ownKinds) {
    const name = resourceName(kind);
    const crd = await told(async () => await read.get(CustomResourceDefinition, { name }, signal), signal);
    if ("why" in crd) return `not known: ${crd.why}`;
    if (crd.is === undefined) gone.push(name);
    else if (crd.is.metadata.deletionTimestamp !== undefined) going.push(name);
  }
  const parts = [
    ...(gone.length === ownKinds.length ? ["not there"] : []),
    ...(gone.length === 0 || gone.length === ownKinds.length ? [] : [`not there: ${gone.join(", ")}`]),
    ...(going.length === 0 ? [] : [`being deleted: ${going.join(", ")}`]),
  ];
  return parts.length === 0 ? `all ${ownKinds.length} there` : parts.join("; ");
}

type Told<T> = { readonly is: T | undefined } | { readonly why: string };

async function told<T>(ask: () => Promise<T | undefined>, signal: AbortSignal): Promise<Told<T>> {
  try {
    return { is: await ask() };
  } catch (error) {
    signal.throwIfAborted();
    return { why: known(error).message };
  }
}

function textOf<T>(one: Told<T>, there: (is: T) => string): string {
  if ("why" in one) return `not known: ${one.why}`;
  return one.is === undefined ? "not there" : there(one.is);
}
