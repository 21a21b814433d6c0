// One connection of a pod on its way to an endpoint: TLS to ngrok's binding ingress, the exchange there, and then its
// bytes in both directions until both have ended.
import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { PodIdentity } from "#ngrok/mux-messages.ts";
import { upgrade } from "#ngrok/mux.ts";
import { unlessAborted } from "#wire/abort.ts";
import type { Clock } from "#wire/clock.ts";
import { connectThrough } from "#wire/connect-through.ts";
import { asError } from "#wire/errors.ts";
import { noAnswer, unreachable } from "#wire/unreachable.ts";
import { EndpointSocket } from "./endpoint-socket.ts";

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What is asked for, and where. */
export interface Target {
  /** Host and port of the endpoint's URL. */
  readonly endpoint: HostAndPort;
  /** ngrok's binding ingress. */
  readonly ingress: HostAndPort;
}

export interface ConnectionLimits {
  /** For the connection to the ingress with its TLS handshake, milliseconds. */
  readonly dialMs: number;
  /** For ngrok's answer, milliseconds: it may have to wake the endpoint. */
  readonly answerMs: number;
  /** After so long without a byte in either direction a connection is closed, milliseconds. */
  readonly idleMs: number;
  /** How often a silent peer is asked by TCP whether it is still there, milliseconds. */
  readonly keepAliveMs: number;
}

/**
 * A connection to the endpoint, for the pod; `context` holds our certificate and whom we trust, `proxy` leads to the
 * ingress. Throws KnownError: as `connectThrough`, `unreachable` and `upgrade` say; the signal's reason.
 */
export async function reachEndpoint(
  { endpoint, ingress, proxy }: Target & { readonly proxy: string | undefined },
  context: SecureContext,
  pod: PodIdentity,
  limits: ConnectionLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<EndpointSocket> {
  const server = `${ingress.host}:${ingress.port}`;
  const bounded = async <T>(ms: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    await within(ms, server, clock, signal, act);
  const reached = await bounded(limits.dialMs, async (limited) => {
    const tunnel = proxy === undefined ? undefined : await connectThrough(proxy, ingress, limited);
    return await secured(ingress, tunnel, context, limited);
  });
  const { socket } = reached;
  try {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.keepAliveMs);
    const request = { ...endpoint, podIdentity: pod };
    await bounded(limits.answerMs, async (limited) => await upgrade(socket, request, limited));
    return reached;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** @param tunnel through which the ingress is reached, if it is not dialled. */
async function secured(
  ingress: HostAndPort,
  tunnel: Socket | undefined,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<EndpointSocket> {
  const endpoint = new EndpointSocket({
    ...(tunnel === undefined ? ingress : { socket: tunnel }),
    ...(isIP(ingress.host) === 0 ? { servername: ingress.host } : {}),
    secureContext,
    allowHalfOpen: true,
  });
  const { socket } = endpoint;
  // For good: what breaks a connection is told by its end.
  socket.on("error", () => socket.destroy());
  try {
    await unlessAborted(signal, once(socket, "secureConnect"));
    return endpoint;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? asError(signal.reason) : unreachable(error, `${ingress.host}:${ingress.port}`);
  }
}

async function within<T>(
  ms: number,
  server: string,
  clock: Clock,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const late = new AbortController();
  clock.sleep(ms, over.signal).then(
    () => late.abort(noAnswer(server, ms)),
    () => {},
  );
  try {
    return await act(AbortSignal.any([signal, late.signal]));
  } finally {
    over.abort(new Error("it is over"));
  }
}

/**
 * Passes bytes both ways, and the end of each direction by itself. When one side breaks, the other is reset, so that
 * nobody takes half of a message for the whole. Resolves once both are closed.
 */
export async function join(client: Socket, endpoint: EndpointSocket, idleMs: number): Promise<void> {
  const { socket } = endpoint;
  const both = [closed(client, socket), closed(socket, client)];
  // Each byte passes the client's socket, so it alone is asked.
  client.setTimeout(idleMs, () => {
    client.destroy();
    socket.destroy();
  });
  client.pipe(socket);
  endpoint.passTo(client);
  await Promise.all(both);
}

/** Resolves once `side` is closed, and sees to it that `other` does not stay behind. */
async function closed(side: Socket, other: Socket): Promise<void> {
  if (!side.closed) await new Promise((resolve) => side.once("close", resolve));
  // Who has read its end and then broke has said all: that still goes to the other. Else it would be half of something.
  if (side.readableEnded) other.destroySoon();
  else breakOff(other);
}

/** Ends a connection so that its peer sees that something went wrong. */
export function breakOff(socket: Socket): void {
  if (socket.destroyed) return;
  // TLS has no reset; an end without its closing word is one.
  if ("encrypted" in socket) socket.destroy();
  // Just while the end goes out the kernel is asked for no reset, and Node would leave such a connection open for ever.
  else if (isEnding(socket)) socket.once("finish", () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/** All has been written, and the end is on its way: over in a moment. */
function isEnding({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}
