// One BoundEndpoint as this process serves it: the port at which it listens, the connections that came to it, and how the
// last of them fared. The port and the target may change while connections go on.
import { createServer, type Server, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { PodIdentity } from "#ngrok/mux-messages.ts";
import type { Clock } from "#wire/clock.ts";
import { known, KnownError } from "#wire/errors.ts";
import { breakOff, type ConnectionLimits, join, reachEndpoint, type Target } from "./connection.ts";
import type { EndpointSocket } from "./endpoint-socket.ts";
import { canonical } from "./identity.ts";

export interface Served extends Target {
  /** Where pods come to it. */
  readonly port: number;
}

/** Who has an address; a pod that is not known has an identity with empty fields. */
export type Identify = (address: string) => PodIdentity;

export interface ListenerParts {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  /** From an origin to the proxy that leads there (wire/proxy-from.ts). */
  readonly proxy: ((origin: string) => string | undefined) | undefined;
  /** Our certificate and whom we trust, as they are now. */
  readonly context: () => SecureContext | undefined;
  /** Whether one connection more may be taken on; it is counted until `ended`. */
  readonly admit: () => boolean;
  /** A connection that was admitted is over; with why it did not reach the endpoint, if it did not. */
  readonly ended: (failure: KnownError | undefined) => void;
  /** One has reached the endpoint. */
  readonly reached: () => void;
  /** One could not be accepted: nothing of it is known. */
  readonly missed: (error: Error) => void;
}

export class Listener {
  readonly #parts: ListenerParts;
  /** Each with what cuts off its way to the endpoint. */
  readonly #connections = new Map<Socket, () => void>();
  #server: { readonly port: number; readonly listening: Server } | undefined;
  #served: Serving | undefined;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** The port that is open now. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Listens for the target from now on, with connections that stand untouched. A new port is opened before the old one is
   * closed, so that one that cannot be had leaves the old one serving what it served: who comes there means that, and not
   * the new target. Throws KnownError when the port cannot be had.
   */
  async serve({ port, ...target }: Served, identify: Identify): Promise<void> {
    const served = { target, identify };
    if (this.#server?.port === port) {
      this.#served = served;
      return;
    }
    const listening = await listen(port, this.#parts.limits.keepAliveMs, (socket) => void this.#accept(socket));
    // Such as for want of descriptors. The next may come through, and what nobody hears would end the process.
    listening.on("error", this.#parts.missed);
    this.#server?.listening.close();
    this.#server = { port, listening };
    this.#served = served;
  }

  /** Takes no new connections; those that stand go on. */
  rest(): void {
    this.#server?.listening.close();
    this.#server = undefined;
  }

  /** Takes no new connections, and resolves when those that stand have ended by themselves. */
  async runOut(): Promise<void> {
    this.rest();
    await Promise.all([...this.#connections.keys()].map(gone));
  }

  /** Takes no new connections, and cuts off those that have not ended by themselves after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    const over = new AbortController();
    const empty = this.runOut();
    if (graceMs > 0) await Promise.race([empty, this.#parts.clock.sleep(graceMs, over.signal).catch(() => undefined)]);
    over.abort(new Error("the end has come"));
    for (const [socket, cutOff] of this.#connections) {
      cutOff();
      breakOff(socket);
    }
    await empty;
  }

  async #accept(client: Socket): Promise<void> {
    client.on("error", () => client.destroy());
    const { limits, context, admit, ended, reached } = this.#parts;
    const secure = context();
    const served = this.#served;
    if (secure === undefined || served === undefined || !admit()) {
      breakOff(client);
      return;
    }
    client.once("close", () => this.#connections.delete(client));
    const endpoint = await this.#reach(client, served, secure);
    if ("failure" in endpoint) {
      breakOff(client);
      ended(endpoint.failure);
      return;
    }
    // Who has left meanwhile is not counted any more.
    if (this.#connections.has(client)) this.#connections.set(client, () => endpoint.socket.destroy());
    reached();
    await join(client, endpoint, limits.idleMs);
    ended(undefined);
  }

  /** By itself, so that a connection that stands keeps nothing of how it came to stand: there may be thousands. */
  async #reach(
    client: Socket,
    { target, identify }: Serving,
    secure: SecureContext,
  ): Promise<EndpointSocket | Unreached> {
    const { limits, clock, proxy } = this.#parts;
    const stop = new AbortController();
    this.#connections.set(client, () => stop.abort(new Error("the listener has ended")));
    try {
      const pod = identify(canonical(client.remoteAddress ?? ""));
      const { host, port } = target.ingress;
      const way = { ...target, proxy: proxy?.(`https://${host}:${port}`) };
      return await reachEndpoint(way, secure, pod, limits, clock, stop.signal);
    } catch (error) {
      return { failure: stop.signal.aborted ? undefined : known(error) };
    }
  }
}

/** Without a failure where we have cut it off ourselves. */
interface Unreached {
  readonly failure: KnownError | undefined;
}

interface Serving {
  readonly target: Target;
  readonly identify: Identify;
}

async function gone(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}

/** Listens on IPv4 and IPv6 at once, where the node has both. */
async function listen(port: number, keepAliveMs: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(
    // Nothing is read before the endpoint is reached: what a pod sends waits in its own window.
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
    accept,
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(portUnavailable(port, error)));
    server.listen(port, () => resolve());
  });
  return server;
}

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE:
    "Another process of the pod, or another BoundEndpoint, has this port: give the BoundEndpoint another spec.port from 10000 to 65534, it is kept.",
  EACCES: "Ports below 1024 are not for everybody: give the BoundEndpoint a spec.port from 10000 to 65534, it is kept.",
};

function portUnavailable(port: number, error: NodeJS.ErrnoException): KnownError {
  const { code = "", message } = error;
  return new KnownError("transient", `port ${port} cannot be opened: ${message}`, {
    code,
    hint: remedies[code] ?? "Look at the forwarder's pod and its node; it is tried again.",
    cause: error,
  });
}
