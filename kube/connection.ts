// One way to the API server: configuration and authentication, one bounded pool, a deadline on every request.
import type { Fence } from "#wire/fence.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type PatchType =
  | "application/json-patch+json"
  | "application/merge-patch+json"
  | "application/apply-patch+yaml";

export interface KubeRequest {
  readonly method: Method;
  /** Path below the server's base, e.g. `/api/v1/namespaces`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: PatchType;
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up; default 30,000 for reads, writes carry `?timeout=4s` and 5,000. */
  readonly timeoutMs?: number;
  /** A write that needs the token is asked for it as its bytes leave. */
  readonly fence?: Fence;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

export interface Connection extends AsyncDisposable {
  /** One call, its JSON answer. Throws KnownError, or FenceLost. */
  request(request: KubeRequest): Promise<unknown>;
  /** A watch: events as they come, until the server ends it, the signal aborts, or nothing came for `silenceMs`. */
  watch(request: Omit<KubeRequest, "method" | "body" | "contentType" | "fence"> & { silenceMs?: number }): AsyncIterable<WatchEvent>;
  /** The server's address, for messages. */
  readonly server: string;
}
