// A collection of ngrok's API, whichever: one object by id, one change, one removal, all pages, and lookup by key.
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { idOf, object, type Fields } from "./answer.ts";
import type { Caller } from "./call.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { ambiguous, mayExist } from "./errors.ts";
import { keyIndex } from "./key-index.ts";
import { pages } from "./pages.ts";

/** How a collection is named on the wire, and how its objects are read and written. */
export interface Shape<Remote, Body, Patch> {
  readonly path: `/${string}`;
  /** The name of the list in an answer. */
  readonly field: string;
  readonly read: (of: Fields, id: string) => Remote;
  readonly create: (body: Body) => object;
  readonly update: (patch: Patch) => object;
  /** By what an object may be looked up; one that is of no interest has none. */
  readonly keys: (remote: Remote) => readonly string[];
}

export interface Collection<Remote, Body, Patch> {
  readonly find: (id: string, signal: AbortSignal) => Promise<Remote | undefined>;
  readonly matching: (key: string, freshness: Freshness, signal: AbortSignal) => Promise<readonly Remote[]>;
  readonly change: (change: Change<Remote, Body, Patch>, signal: AbortSignal) => Promise<Remote>;
  readonly remove: (id: string, signal: AbortSignal) => Promise<Removed>;
  readonly pages: (signal: AbortSignal) => AsyncIterable<readonly Remote[]>;
}

/** What every collection of a client stands on. */
export interface Ground {
  readonly call: Caller;
  readonly clock: Clock;
  /** The life of the client: shared lists end with it. */
  readonly signal: AbortSignal;
}

export function collection<Remote extends { readonly id: string }, Body, Patch>(
  { call, clock, signal: life }: Ground,
  shape: Shape<Remote, Body, Patch>,
): Collection<Remote, Body, Patch> {
  const read = (answer: unknown) => {
    const of = object(answer, `an object of ${shape.path}`);
    return shape.read(of, idOf(of));
  };
  const find = async (id: string, signal: AbortSignal) => {
    const path = pathOf(shape.path, id);
    return await unlessGone(async () => read(await call({ method: "GET", path, signal })), undefined);
  };
  const all = async function* (signal: AbortSignal) {
    for await (const page of pages(call, shape.path, shape.field, signal)) yield page.map(read);
  };
  const index = keyIndex({ pages: () => all(life), get: find, keys: shape.keys, clock });

  const create = async (body: Body, signal: AbortSignal) => {
    const asked = { method: "POST", path: shape.path, server: "ngrok" } as const;
    try {
      const answer = await call({ method: asked.method, path: asked.path, body: shape.create(body), signal });
      return readCreated(() => read(answer), asked);
    } catch (error) {
      // An abort says nothing about what ngrok did with it.
      if (!(error instanceof KnownError) || mayExist(error)) index.doubt();
      throw error;
    }
  };
  const update = async (id: string, patch: Patch, signal: AbortSignal) =>
    read(await call({ method: "PATCH", path: pathOf(shape.path, id), body: shape.update(patch), signal }));

  return {
    find,
    matching: async (key, freshness, signal) => await index.matching(key, freshness, signal),
    async change(change, signal) {
      if (change.is === "none") return change.remote;
      const after =
        change.is === "create" ? await create(change.body, signal) : await update(change.id, change.patch, signal);
      index.note(after);
      return after;
    },
    async remove(id, signal) {
      const path = pathOf(shape.path, id);
      return await unlessGone(async () => {
        await call({ method: "DELETE", path, signal });
        return "deleted" as const;
      }, "gone");
    },
    pages: all,
  };
}

/** ngrok accepted the creation but its answer says no id: it exists, and must be looked up. */
function readCreated<Remote>(read: () => Remote, asked: Parameters<typeof ambiguous>[1]): Remote {
  try {
    return read();
  } catch (error) {
    throw error instanceof KnownError ? ambiguous(error, asked) : error;
  }
}

async function unlessGone<T, G>(call: () => Promise<T>, gone: G): Promise<T | G> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KnownError && error.class === "gone") return gone;
    throw error;
  }
}

/** The path of one object. An id comes from a status that people can write: it must not reach another path. */
export function pathOf(path: string, id: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) {
    throw new KnownError("invalid", `"${id.slice(0, 100)}" is not an id of ngrok`, {
      hint: "Correct or empty status.id of the object: an id has letters, digits, - and _ only.",
    });
  }
  return `${path}/${id}`;
}
