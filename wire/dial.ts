// Whether somebody listens at a host and port: a TCP connection that is closed as soon as it stands.
import { connect } from "node:net";
import { cancellableLookup } from "./cancellable-lookup.ts";
import type { Clock } from "./clock.ts";
import { asError } from "./errors.ts";
import { unreachable } from "./unreachable.ts";

export interface DialTarget {
  readonly host: string;
  readonly port: number;
}

/** Resolves when the connection stood; throws KnownError with the reason when it did not, the signal's reason when it aborts. */
export type Dial = (to: DialTarget, signal: AbortSignal) => Promise<void>;

/**
 * @param timeoutMs of one dial, its name look-up included.
 * @param resolving what cancellableLookup takes; default: this machine's DNS.
 */
export function tcpDial(clock: Clock, timeoutMs: number, ...resolving: Parameters<typeof cancellableLookup>): Dial {
  return async ({ host, port }, signal) => {
    signal.throwIfAborted();
    const over = new AbortController();
    const { lookup, cancel } = cancellableLookup(...resolving);
    const socket = connect({ host, port, lookup });
    try {
      await Promise.race([opened(socket), late(clock, timeoutMs, AbortSignal.any([signal, over.signal]))]);
    } catch (error) {
      if (signal.aborted) throw asError(signal.reason);
      throw unreachable(error, `${host}:${port}`);
    } finally {
      over.abort(new Error("the dial has ended"));
      cancel();
      socket.destroy();
    }
  };
}

async function opened(socket: ReturnType<typeof connect>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    // For good: what comes after the end concerns nobody.
    socket.on("error", reject);
  });
}

async function late(clock: Clock, ms: number, signal: AbortSignal): Promise<never> {
  await clock.sleep(ms, signal);
  throw new Error(`no connection within ${ms} ms`);
}
