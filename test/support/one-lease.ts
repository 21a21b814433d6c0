// A server of exactly one Lease, for tests that own time: compare-and-swap as an API server does it, and failures on demand.
import type { Connection, KubeRequest } from "#kube/connection.ts";
import type { LeaseObject } from "#kube/kinds.ts";
import { hold, type HoldOptions, type LeaseNews, type WriteToken } from "#kube/lease.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { onTestFinished } from "vitest";
import { testClock, type TestClock } from "./clock.ts";

/** Name and namespace of the Lease. */
export const LEASE = { name: "main-leader", namespace: "ngrok" };

/** An API server that knows one Lease. `fail` may throw, or hang by a promise, in front of each call. */
export class OneLease {
  lease: LeaseObject | undefined;
  readonly puts: (string | undefined)[] = [];
  fail: (request: KubeRequest, who: string) => Promise<void> | void = () => undefined;
  #version = 1;

  connection(who: string): Connection {
    return {
      server: "https://one-lease",
      request: async (request) => {
        await this.fail(request, who);
        return structuredClone(this.#answer(request));
      },
      watch: () => {
        throw new KnownError("invalid", "no right to watch", { status: 403 });
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** Somebody edits it by hand, or by a clock of another planet. */
  edit(change: (lease: LeaseObject) => void): void {
    if (this.lease === undefined) throw new Error("there is no Lease");
    change(this.lease);
    this.#stamp(this.lease);
  }

  #stamp(lease: LeaseObject): LeaseObject {
    this.#version += 1;
    lease.metadata.resourceVersion = String(this.#version);
    return lease;
  }

  #answer({ method, body }: KubeRequest): LeaseObject {
    if (method === "POST") {
      if (this.lease !== undefined) throw new KnownError("conflict", "exists", { status: 409, code: "AlreadyExists" });
      const made = structuredClone(body) as LeaseObject;
      made.metadata.uid = `u${this.#version}`;
      this.lease = this.#stamp(made);
    }
    if (this.lease === undefined) throw new KnownError("gone", "not found", { status: 404, code: "NotFound" });
    if (method === "PUT") {
      const put = structuredClone(body) as LeaseObject;
      if (put.metadata.resourceVersion !== this.lease.metadata.resourceVersion)
        throw new KnownError("conflict", "stale", { status: 409 });
      this.lease = this.#stamp(put);
      this.puts.push(put.spec?.holderIdentity);
    }
    return this.lease;
  }
}

export interface World {
  readonly clock: TestClock;
  readonly server: OneLease;
  readonly news: string[];
  readonly stand: (who: string, more?: Partial<HoldOptions>) => Standing;
}

export interface Standing {
  readonly token: Promise<WriteToken>;
  /** The token once it is held, without waiting for it. */
  readonly held: () => WriteToken | undefined;
  readonly end: AbortController;
}

/** A world with its own time and its one Lease, in which candidates stand. */
export function leaseWorld(): World {
  const clock = testClock();
  const server = new OneLease();
  const news: string[] = [];
  const describeNews = (item: LeaseNews): string => (item.is === "lost" ? `lost: ${item.why}` : item.is);
  return {
    clock,
    server,
    news,
    stand(who, more = {}) {
      const end = new AbortController();
      let held: WriteToken | undefined;
      const token = hold(server.connection(who), {
        lease: LEASE,
        holder: who,
        onRenew: async () => "keep",
        signal: end.signal,
        clock,
        tell: (item) => news.push(`${who} ${describeNews(item)}`),
        ...more,
      });
      token.then(
        (each) => (held = each),
        () => undefined,
      );
      onTestFinished(() => end.abort(new Error("the test has ended")));
      return { token, held: () => held, end };
    },
  };
}

/** Whether a write with this token would leave. */
export function mayWrite(token: WriteToken | undefined): boolean {
  try {
    token?.assertMayWrite();
    return token !== undefined;
  } catch (error) {
    if (error instanceof FenceLost) return false;
    throw error;
  }
}
