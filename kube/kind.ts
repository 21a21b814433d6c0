// A Kubernetes kind as data, and the least that every object has. api/ holds our kinds, kube/kinds.ts the strangers'.

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  /** In place of a name, which the API server makes of it. */
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: { manager?: string; operation?: string; subresource?: string; time?: string; fieldsV1?: unknown }[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface Kind<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string;
  /** Acceptable versions, best first; discovery picks the first one that is served. */
  readonly versions: readonly [string, ...string[]];
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries the type. */
  readonly as?: T;
}

/** A name, and a namespace for namespaced kinds. */
export interface Ref {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** What a decision about finalizers needs; an object's metadata fits. */
export type Seen = Pick<ObjectMeta, "finalizers" | "annotations" | "deletionTimestamp">;

/** One object as the writer addresses it: the uid keeps it from touching a namesake. */
export interface Target {
  readonly kind: Kind;
  readonly ref: Ref;
  readonly uid: string;
  /** Its metadata as it was seen, e.g. in a list: a guarded patch then needs no GET before it. */
  readonly seen?: Seen;
}

/** `plural.group`, the name by which people and the API server know a kind. */
export function resourceName(kind: Kind): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of caches and queues. */
export function keyOf(at: Ref): string {
  return at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`;
}

/** What `keyOf` was made from. */
export function refOfKey(key: string): Ref {
  const [first = "", second] = key.split("/");
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** The Ref of an object as the API server returned it. */
export function refOf(object: KubeObject): Ref {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { name, namespace };
}

/** resourceVersions of one kind are growing decimal numbers (KEP-5504 makes that a promise). */
export function isNewer(resourceVersion: string, than: string): boolean {
  return resourceVersion.length === than.length ? resourceVersion > than : resourceVersion.length > than.length;
}

/** The object as a Target that remembers its metadata. The object must come from the API server. */
export function targetOf(kind: Kind, object: KubeObject): Target {
  const { uid } = object.metadata;
  if (uid === undefined)
    throw new Error(`${kind.kind} ${keyOf(refOf(object))} has no uid: it was not read from a server`);
  return { kind, ref: refOf(object), uid, seen: object.metadata };
}
