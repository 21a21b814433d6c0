// Reading past every cache: consistent GETs and paged LISTs at the version that the server serves.
import type { Kind, KubeObject, Ref } from "./kind.ts";

export interface ListOptions {
  /** Only this namespace; all when undefined. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page, default 500. */
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
  served(kind: Kind, signal: AbortSignal): Promise<string | "absent">;
}
