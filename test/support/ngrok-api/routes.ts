// From method and path to what happens: lists by pages, objects by id, and 404 for all else.
import { noSuchPath, unknownParameters, wrongLimit } from "./errors.ts";
import type { Remote } from "./collection.ts";
import type { Resource } from "./resource.ts";

export interface Request {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Scheme, host and port by which the client knows this server. */
  readonly base: string;
}

export interface Done {
  readonly status: number;
  /** Absent: no body. */
  readonly value?: unknown;
  readonly id?: string;
}

export interface Action {
  readonly takesBody: boolean;
  run(body: unknown): Done | Promise<Done>;
}

/** What a request asks for. Throws ApiError 404 when there is no such path or the path does not take the method. */
export function act(resources: ReadonlyMap<string, Resource>, request: Request): Action {
  const [, name = "", id, below, ...more] = request.path.split("/");
  const resource = resources.get(name);
  if (resource === undefined || id === "" || more.length > 0) throw noSuchPath(request.path);
  const action =
    id === undefined
      ? onCollection(resource, request)
      : below === undefined
        ? onObject(resource, id, request)
        : onNested(resource, id, below, request);
  if (action === undefined) throw noSuchPath(request.path);
  return action;
}

function onCollection(resource: Resource, request: Request): Action | undefined {
  if (request.method === "GET") return { takesBody: false, run: () => list(resource, request) };
  if (request.method !== "POST" || !resource.create) return undefined;
  const create = resource.create;
  return { takesBody: true, run: (body) => whenMade(create(body, request.base), 201) };
}

function onObject(resource: Resource, id: string, { method }: Request): Action | undefined {
  if (method === "GET") return { takesBody: false, run: () => ({ status: 200, value: resource.get(id), id }) };
  if (method === "PATCH" && resource.update) {
    const update = resource.update;
    return { takesBody: true, run: (body) => whenMade(update(id, body), 200) };
  }
  if (method === "DELETE" && resource.remove) {
    const remove = resource.remove;
    return {
      takesBody: false,
      run() {
        remove(id);
        return { status: 204, id };
      },
    };
  }
  return undefined;
}

function onNested(resource: Resource, id: string, name: string, request: Request): Action | undefined {
  if (request.method !== "GET" || !resource.below) return undefined;
  const { below } = resource;
  return {
    takesBody: false,
    run() {
      const nested = below(id, name);
      if (nested === undefined) throw noSuchPath(request.path);
      return { ...list(nested, request), id };
    },
  };
}

function whenMade(made: Remote | Promise<Remote>, status: number): Done | Promise<Done> {
  if (made instanceof Promise) return made.then((value) => ({ status, value, id: value.id }));
  return { status, value: made, id: made.id };
}

const pageSize = 100;
const parameters = new Set(["before_id", "limit"]);

function list(resource: Resource, { path, query, base }: Request): Done {
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].filter((name) => !parameters.has(name));
  if (unknown.length > 0) throw unknownParameters(unknown);
  const limit = limitOf(given.get("limit"));
  const { items, next } = resource.page(limit, given.get("before_id") ?? undefined);
  const uri = `${base}${path}`;
  const nextPage = next === undefined ? null : `${uri}?before_id=${next}&limit=${limit}`;
  return { status: 200, value: { [resource.listField]: items, uri, next_page_uri: nextPage } };
}

function limitOf(given: string | null): number {
  if (given === null || given === "") return pageSize;
  const limit = /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > pageSize) throw wrongLimit(given, pageSize);
  return limit;
}
