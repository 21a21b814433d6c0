// A connection through an HTTP proxy: asked by CONNECT it opens a tunnel, and from then on its bytes are those of the other
// end. For what is no HTTP itself; calls go through undici's own (http.ts).
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { unlessAborted } from "./abort.ts";
import type { DialTarget } from "./dial.ts";
import { asError, KnownError } from "./errors.ts";
import { type ProxyAddress, proxyAddress } from "./proxy-address.ts";
import { unreachable } from "./unreachable.ts";

/**
 * A socket with `to` at its other end; each end may end its half by itself. Throws KnownError: invalid when `proxy` is no
 * address of one (code ProxyAddress), or it refuses (ProxyRefused); transient when it is not reached, or does not reach
 * `to`. Throws the signal's reason. No text names the user or the password.
 */
export async function connectThrough(proxy: string, to: DialTarget, signal: AbortSignal): Promise<Socket> {
  const { url, authorization, said } = proxyAddress(proxy);
  const target = `${isIP(to.host) === 6 ? `[${to.host}]` : to.host}:${to.port}`;
  signal.throwIfAborted();
  const asked = request({
    createConnection: () => dialled(url),
    method: "CONNECT",
    path: target,
    headers: { host: target, ...(authorization === undefined ? {} : { "proxy-authorization": authorization }) },
  });
  // For good: when the tunnel stands, or nobody waits for it, what is left of the request concerns nobody.
  asked.on("error", () => undefined);
  const answered = once(asked, "connect") as Promise<[IncomingMessage, Socket, Buffer]>;
  asked.end();
  try {
    const [{ statusCode = 0 }, socket, begun] = await unlessAborted(signal, answered);
    // For good as well: what breaks a connection is told by its end.
    socket.on("error", () => socket.destroy());
    if (statusCode < 200 || statusCode > 299) throw refused(said, target, statusCode);
    if (begun.length > 0) socket.unshift(begun);
    return socket;
  } catch (error) {
    asked.destroy();
    answered.then(
      ([, socket]) => socket.destroy(),
      () => undefined,
    );
    throw signal.aborted ? asError(signal.reason) : unreachable(error, said);
  }
}

function dialled({ protocol, hostname, port }: ProxyAddress["url"]): Socket {
  const host = hostname.replaceAll(/^\[|\]$/g, "");
  const common = { host, allowHalfOpen: true, noDelay: true };
  if (protocol === "http:") return connect({ ...common, port: Number(port || 80) });
  return connectTls({ ...common, port: Number(port || 443), ...(isIP(host) === 0 ? { servername: host } : {}) });
}

function refused(proxy: string, target: string, status: number): KnownError {
  const parts = { status, code: "ProxyRefused" };
  if (status === 407) {
    return new KnownError("invalid", `${proxy} wants a user and a password that it knows (407)`, {
      ...parts,
      hint: "Put http://USER:PASSWORD@HOST:PORT into a Secret, and name that in extraEnv.HTTPS_PROXY of the chart.",
    });
  }
  const message = `${proxy} opens no way to ${target}: it answers ${status}`;
  return new KnownError(status >= 500 ? "transient" : "invalid", message, {
    ...parts,
    hint: `Have the proxy let connections to ${target} pass, or name the host in proxy.noProxy of the chart if it is reached without.`,
  });
}
