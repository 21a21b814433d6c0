// One collection of the API: what a path such as /endpoints can do, whatever the kind of its objects.
import { Collection, type Page, type Remote } from "./collection.ts";
import { notFound } from "./errors.ts";

/** A resource as the router sees it. What it does not have (no `update`, say) is a 404 on the wire, as at ngrok. */
export interface Resource {
  /** The first segment of the path, e.g. `reserved_domains`. */
  readonly name: string;
  /** The field of the list's answer that holds the page, e.g. `reserved_domains`. */
  readonly listField: string;
  readonly size: number;
  readonly page: (limit: number, beforeId?: string) => Page<Remote>;
  readonly values: () => Iterable<Remote>;
  /** Throws ApiError 404. */
  readonly get: (id: string) => Remote;
  readonly create?: (body: unknown, base: string) => Remote | Promise<Remote>;
  readonly update?: (id: string, body: unknown) => Remote | Promise<Remote>;
  readonly remove?: (id: string) => void;
  /** A list below one object, e.g. /kubernetes_operators/{id}/bound_endpoints. */
  readonly below?: (id: string, name: string) => Resource | undefined;
}

/** What a kind adds: `create` builds and checks an object, `update` changes one, `removed` lets go of what it held. */
export interface Kind<T extends Remote> {
  readonly name: string;
  readonly listField?: string;
  /** For messages, e.g. `Reserved Domain`. */
  readonly title: string;
  readonly create?: (body: unknown, base: string) => T | Promise<T>;
  /** Must check everything before it changes anything. */
  readonly update?: (object: T, body: unknown) => void | Promise<void>;
  /** Throws when the object may not go. Absent: the kind cannot be deleted. */
  readonly removed?: (object: T) => void;
  readonly below?: (object: T, name: string) => Resource | undefined;
}

/** The resource of a kind, over the collection that it is given. */
export function resourceOf<T extends Remote>(kind: Kind<T>, objects = new Collection<T>()): Resource {
  const get = (id: string): T => {
    const object = objects.get(id);
    if (object === undefined) throw notFound(kind.title, id);
    return object;
  };
  const { create, update, removed, below } = kind;
  return {
    name: kind.name,
    listField: kind.listField ?? kind.name,
    get size() {
      return objects.size;
    },
    page: (limit, beforeId) => objects.page(limit, beforeId),
    values: () => objects.values(),
    get,
    ...(create && {
      create(body: unknown, base: string) {
        const made = create(body, base);
        return made instanceof Promise ? made.then((object) => added(objects, object)) : added(objects, made);
      },
    }),
    ...(update && {
      update(id: string, body: unknown) {
        const object = get(id);
        const changing = update(object, body);
        return changing instanceof Promise ? changing.then(() => object) : object;
      },
    }),
    ...(removed && {
      remove(id: string) {
        removed(get(id));
        objects.delete(id);
      },
    }),
    ...(below && { below: (id: string, name: string) => below(get(id), name) }),
  };
}

function added<T extends Remote>(objects: Collection<T>, object: T): T {
  objects.add(object);
  return object;
}
