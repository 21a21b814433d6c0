// Reading past every cache: consistent GETs and paged LISTs at the version that the server serves.
import { isClass, KnownError } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import { ABSENT, served } from "./discovery.ts";
import { resourceName, type Kind, type KubeObject, type Ref } from "./kind.ts";
import { apiVersionOf, listPath, objectPath } from "./paths.ts";

export interface ListOptions {
  /** Only this namespace; all when undefined. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page, default 200: many lists at once must not fill the memory. */
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The list's resourceVersion: where a watch starts. */
  readonly resourceVersion: string;
}

export interface Reader {
  /** The object, or undefined when it (or its whole kind) is not there. Consistent: never resourceVersion=0. */
  get<T extends KubeObject>(kind: Kind<T>, at: Ref, signal: AbortSignal): Promise<T | undefined>;
  /**
   * Page after page of a consistent list. A kind that the server does not serve yields nothing.
   * A continue token that expired (410) throws a KnownError of class "gone" with code "Expired": start over.
   */
  pages<T extends KubeObject>(kind: Kind<T>, options: ListOptions, signal: AbortSignal): AsyncIterable<Page<T>>;
  /** The version of the kind that the server serves, best first, or "absent". Throws when the server cannot tell. */
  served(kind: Kind, signal: AbortSignal): Promise<string>;
}

export function reader(connection: Connection): Reader {
  return {
    get: async (kind, at, signal) => await get(connection, kind, at, signal),
    pages: (kind, options, signal) => pages(connection, kind, options, signal),
    served: async (kind, signal) => await served(connection, kind, signal),
  };
}

/** A kind with one version needs no discovery: a 404 is then the answer. */
export async function versionFor(connection: Connection, kind: Kind, signal: AbortSignal): Promise<string> {
  return kind.versions.length === 1 ? kind.versions[0] : await served(connection, kind, signal);
}

async function get<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  at: Ref,
  signal: AbortSignal,
): Promise<T | undefined> {
  const version = await versionFor(connection, kind, signal);
  if (version === ABSENT) return undefined;
  try {
    return (await connection.request({ method: "GET", path: objectPath(kind, version, at), signal })) as T;
  } catch (error) {
    if (isClass(error, "gone")) return undefined;
    throw error;
  }
}

interface ListAnswer<T> {
  readonly items?: T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

async function* pages<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  options: ListOptions,
  signal: AbortSignal,
): AsyncGenerator<Page<T>> {
  const version = await versionFor(connection, kind, signal);
  if (version === ABSENT) return;
  let limit = options.limit ?? 200;
  let next: string | undefined;
  while (true) {
    let answer: ListAnswer<T>;
    try {
      answer = (await connection.request({
        method: "GET",
        path: listPath(kind, version, options.namespace),
        query: {
          limit,
          continue: next,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        signal,
      })) as ListAnswer<T>;
    } catch (error) {
      if (isClass(error, "gone") && error.code === "NotFound") {
        await confirmAbsent(connection, kind, error, signal);
        return;
      }
      if (error instanceof KnownError && error.code === "AnswerTooLarge" && limit > 1) {
        limit = Math.max(1, Math.floor(limit / 4));
        continue;
      }
      throw error;
    }
    const { items, metadata } = answer;
    const resourceVersion = metadata?.resourceVersion;
    if (!Array.isArray(items) || resourceVersion === undefined) {
      throw new KnownError("transient", `the list of ${resourceName(kind)} came without its items`, {
        code: "Unreadable",
      });
    }
    yield { items: items.map((item) => typed(item, kind, version)), resourceVersion };
    if (metadata?.continue === undefined || metadata.continue === "") return;
    next = metadata.continue;
  }
}

/** A list that is 404 means that the kind is not served; only if discovery, asked anew, says so too. */
async function confirmAbsent(
  connection: Connection,
  kind: Kind,
  error: KnownError,
  signal: AbortSignal,
): Promise<void> {
  if ((await served(connection, kind, signal, { fresh: true })) === ABSENT) return;
  throw new KnownError("transient", `${resourceName(kind)} is served, but its list was not found`, {
    status: 404,
    cause: error,
  });
}

/** Items of built-in lists come without apiVersion and kind; callers and patches want them. */
function typed<T extends KubeObject>(item: T, kind: Kind<T>, version: string): T {
  return item.kind === undefined ? { apiVersion: apiVersionOf(kind, version), kind: kind.kind, ...item } : item;
}
