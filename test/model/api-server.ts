// An API server in memory, with the semantics that the protocol stands on: resourceVersions, preconditions on uid and
// resourceVersion, tests in patches, finalizers, deletion, kinds and namespaces that are going, watches from a version on.
import type { KubeRequest, WatchEvent } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import { CustomResourceDefinition, Namespace, Pod } from "#kube/kinds.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { USER_AGENT } from "#kube/written.ts";
import { appliedStatus, jsonPatched, merged, PatchRefused, same } from "./patch.ts";
import { isIn, isOwn, isSelected, type Place, placeOf } from "./place.ts";

export type Stored = KubeObject & {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  data?: Record<string, string>;
};

/** A refusal as it goes over the wire. */
export class Refused extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, reason: string, message: string, causes: readonly object[] = []) {
    super(message);
    this.status = status;
    this.body = { kind: "Status", code: status, reason, message, details: { causes } };
  }
}

/** What was stored, seen by whoever keeps the invariants. */
export interface Change {
  readonly kind: Kind;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

export interface Heard {
  readonly version: number;
  readonly kind: Kind;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Stored;
}

export class ApiServer {
  readonly history: Heard[] = [];
  readonly listeners = new Set<(event: Heard) => void>();
  onChange: (change: Change) => void = () => undefined;
  date: () => Date = () => new Date(0);
  readonly #stores = new Map<string, Map<string, Stored>>();
  readonly #applied = new Map<string, Record<string, unknown>>();
  #version = 100;
  #uids = 0;

  /** One request as it is executed; throws Refused. Reads are consistent. */
  answer(request: Pick<KubeRequest, "method" | "path" | "query" | "body" | "contentType">): unknown {
    const place = this.#placeOf(request.path);
    const { method, query = {} } = request;
    if (method === "GET") return place.name === undefined ? this.#list(place, query) : this.#get(place);
    if (method === "POST") return this.#create(place, request.body as Stored, query["dryRun"] !== undefined);
    if (method === "DELETE") return this.#delete(place, request.body);
    return method === "PUT" ? this.#replace(place, request.body as Stored) : this.#patch(place, request);
  }

  all(kind: Kind): readonly Stored[] {
    return [...(this.#stores.get(resourceName(kind))?.values() ?? [])];
  }

  get(kind: Kind, name: string, namespace?: string): Stored | undefined {
    return this.#stores.get(resourceName(kind))?.get(keyOf(namespace, name));
  }

  /** As an admin does it, at once. */
  make(kind: Kind, object: Stored): Stored {
    const { name, namespace } = object.metadata;
    return structuredClone(this.#create({ kind, namespace, name, part: undefined }, object, false));
  }

  /** Whoever is allowed to deletes it, without a precondition. */
  remove(kind: Kind, name: string, namespace?: string): void {
    if (this.get(kind, name, namespace) !== undefined)
      this.#delete({ kind, namespace, name, part: undefined }, undefined);
  }

  /** Takes it out whatever holds it: a kubelet that has ended a pod. */
  drop(kind: Kind, name: string, namespace?: string): void {
    const object = this.get(kind, name, namespace);
    if (object !== undefined) this.#store(kind, object, undefined);
  }

  /** Changes it as an admin does it. */
  edit(kind: Kind, name: string, namespace: string | undefined, change: (object: Stored) => void): void {
    const before = this.get(kind, name, namespace);
    if (before === undefined) return;
    const after = structuredClone(before);
    change(after);
    this.#store(kind, before, after);
  }

  /** What a watch of this path hears, from a version on. */
  matches(path: string, query: NonNullable<KubeRequest["query"]>): (event: Heard) => WatchEvent | undefined {
    const place = this.#placeOf(path);
    const from = Number(query["resourceVersion"] ?? 0);
    return ({ version, kind, type, object }) => {
      const wanted =
        version > from && kind === place.kind && isIn(place.namespace, object) && isSelected(object, query);
      return wanted ? { type, object: structuredClone(object) } : undefined;
    };
  }

  /** Throws Refused 404 for what is not served. */
  #placeOf(path: string): Place {
    const place = placeOf(path);
    if (place === undefined) throw notFound(path);
    const isGone = isOwn(place.kind) && this.get(CustomResourceDefinition, resourceName(place.kind)) === undefined;
    if (isGone) throw notFound(path);
    return place;
  }

  #get({ kind, namespace, name = "" }: Place): Stored {
    const object = this.get(kind, name, namespace);
    if (object === undefined) throw notFound(`${resourceName(kind)} ${name}`);
    return structuredClone(object);
  }

  #list({ kind, namespace }: Place, query: NonNullable<KubeRequest["query"]>): object {
    const items = this.all(kind).filter((object) => isIn(namespace, object) && isSelected(object, query));
    return { items: structuredClone(items), metadata: { resourceVersion: String(this.#version) } };
  }

  #create({ kind, namespace }: Place, object: Stored, rehearsal: boolean): Stored {
    const { name } = object.metadata;
    if (namespace !== undefined && this.get(Namespace, namespace)?.metadata.deletionTimestamp !== undefined) {
      throw new Refused(
        403,
        "Forbidden",
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    }
    const crd = this.get(CustomResourceDefinition, resourceName(kind));
    if (isOwn(kind) && crd?.metadata.deletionTimestamp !== undefined)
      throw new Refused(403, "Forbidden", "create not allowed while custom resource definition is terminating");
    if (this.get(kind, name, namespace) !== undefined)
      throw new Refused(409, "AlreadyExists", `${name} already exists`);
    const apiVersion = kind.group === "" ? kind.versions[0] : `${kind.group}/${kind.versions[0]}`;
    const stored: Stored = { ...structuredClone(object), apiVersion, kind: kind.kind };
    this.#uids += 1;
    Object.assign(stored.metadata, {
      ...(namespace === undefined ? {} : { namespace }),
      uid: `uid-${this.#uids}`,
      generation: 1,
      creationTimestamp: this.date().toISOString(),
    });
    return rehearsal ? stored : structuredClone(this.#store(kind, undefined, stored));
  }

  #delete({ kind, namespace, name = "" }: Place, options: unknown): object {
    const before = this.#mustBe(kind, name, namespace);
    const { preconditions, gracePeriodSeconds } = (options ?? {}) as {
      preconditions?: { uid?: string; resourceVersion?: string };
      gracePeriodSeconds?: number;
    };
    if (preconditions?.uid !== undefined && preconditions.uid !== before.metadata.uid)
      throw new Refused(409, "Conflict", `the UID in the precondition is not that of ${name}`);
    guardVersion(before, preconditions?.resourceVersion);
    const waits = kind === Pod && gracePeriodSeconds !== 0;
    const held = (before.metadata.finalizers?.length ?? 0) > 0;
    if (!held && !waits) this.#store(kind, before, undefined);
    else if (before.metadata.deletionTimestamp === undefined) {
      const metadata = { ...before.metadata, deletionTimestamp: this.date().toISOString() };
      this.#store(kind, before, { ...before, metadata });
    }
    return { kind: "Status", status: "Success" };
  }

  #replace({ kind, namespace, name = "" }: Place, object: Stored): Stored {
    const before = this.#mustBe(kind, name, namespace);
    guardVersion(before, object.metadata.resourceVersion);
    return structuredClone(this.#store(kind, before, structuredClone(object)));
  }

  #patch(
    { kind, namespace, name = "", part }: Place,
    { body, contentType, query = {} }: Pick<KubeRequest, "body" | "contentType" | "query">,
  ): Stored {
    const before = this.#mustBe(kind, name, namespace);
    if (contentType === "application/json-patch+json") {
      try {
        const after = accounted(before, jsonPatched(before, body as JsonPatchOperation[]));
        return structuredClone(this.#store(kind, before, after));
      } catch (error) {
        if (!(error instanceof PatchRefused)) throw error;
        throw new Refused(422, "Invalid", "the server rejected our request due to an error in our request");
      }
    }
    const given = body as Stored;
    if (contentType === "application/apply-patch+yaml") {
      const key = `${before.metadata.uid} ${String(query["fieldManager"])}`;
      const status = appliedStatus(before.status, this.#applied.get(key) ?? {}, given.status ?? {});
      this.#applied.set(key, structuredClone(given.status ?? {}));
      return structuredClone(this.#store(kind, before, { ...before, status }));
    }
    guardVersion(before, given.metadata?.resourceVersion);
    if (given.metadata?.uid !== undefined && given.metadata.uid !== before.metadata.uid)
      throw new Refused(422, "Invalid", "uid: field is immutable", [{ field: "metadata.uid" }]);
    const after = merged(before, body) as Stored;
    if (part === "status")
      return structuredClone(
        this.#store(kind, before, { ...before, ...(after.status === undefined ? {} : { status: after.status }) }),
      );
    return structuredClone(this.#store(kind, before, after));
  }

  #mustBe(kind: Kind, name: string, namespace: string | undefined): Stored {
    const object = this.get(kind, name, namespace);
    if (object === undefined) throw notFound(`${resourceName(kind)} ${name}`);
    return object;
  }

  /** The one place where anything changes. What is deleted and held by nobody any more is gone. */
  #store(kind: Kind, before: Stored | undefined, wanted: Stored | undefined): Stored {
    let after = wanted;
    if (before !== undefined && after !== undefined) {
      if (same(before, after)) return before;
      guardFinalizers(before, after);
      if (!same(before.spec, after.spec)) after.metadata.generation = (before.metadata.generation ?? 1) + 1;
      const goes = after.metadata.deletionTimestamp !== undefined && kind !== Pod;
      if (goes && (after.metadata.finalizers?.length ?? 0) === 0) after = undefined;
    }
    const object = after ?? structuredClone(before) ?? { metadata: { name: "" } };
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    const store = this.#stores.get(resourceName(kind)) ?? new Map<string, Stored>();
    this.#stores.set(resourceName(kind), store);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    if (after === undefined) store.delete(key);
    else store.set(key, after);
    this.onChange({ kind, before, after });
    const type = after === undefined ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    const event: Heard = { version: this.#version, kind, type, object: structuredClone(object) };
    this.history.push(event);
    for (const listener of this.listeners) listener(event);
    if (after === undefined && isOwn(kind)) this.#endOfKind(kind);
    return object;
  }

  /** A CRD that is going is gone with its last object. */
  #endOfKind(kind: Kind): void {
    const crd = this.get(CustomResourceDefinition, resourceName(kind));
    if (crd?.metadata.deletionTimestamp === undefined || this.all(kind).length > 0) return;
    this.edit(CustomResourceDefinition, resourceName(kind), undefined, ({ metadata }) => delete metadata.finalizers);
  }
}

/** By patches our programs put finalizers on, and nobody else: no more than that is read of managedFields. */
function accounted(before: Stored, after: Stored): Stored {
  const added = after.metadata.finalizers?.filter((one) => before.metadata.finalizers?.includes(one) !== true) ?? [];
  if (added.length === 0) return after;
  const finalizers = Object.fromEntries(added.map((one) => [`v:${JSON.stringify(one)}`, {}]));
  const fieldsV1 = { "f:metadata": { "f:finalizers": finalizers } };
  const managedFields = [{ manager: USER_AGENT, operation: "Update", fieldsV1 }];
  return { ...after, metadata: { ...after.metadata, managedFields } };
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

function notFound(what: string): Refused {
  return new Refused(404, "NotFound", `${what} not found`);
}

function guardVersion(before: Stored, version: string | undefined): void {
  if (version !== undefined && version !== before.metadata.resourceVersion)
    throw new Refused(409, "Conflict", `${before.metadata.name} has been modified`);
}

function guardFinalizers(before: Stored, after: Stored): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const added = after.metadata.finalizers?.find((one) => before.metadata.finalizers?.includes(one) !== true);
  if (added === undefined) return;
  const message = "Forbidden: no new finalizers can be added if the object is being deleted";
  throw new Refused(422, "Invalid", message, [{ field: "metadata.finalizers", message }]);
}
