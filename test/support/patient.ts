// The connection of a test's own hand. A program of ours gives a write up after five seconds, since somebody else may be
// waiting for its Lease; a test on a busy machine has no such reason, and has to see what it wrote.
import type { Connection } from "#kube/connection.ts";

/** The same connection; each call has a minute unless it says otherwise. */
export function patient(connection: Connection): Connection {
  return {
    server: connection.server,
    watch: (request) => connection.watch(request),
    request: async (request) => await connection.request({ timeoutMs: 60_000, ...request }),
    [Symbol.asyncDispose]: async () => await connection[Symbol.asyncDispose](),
  };
}
