// Those who come to the edge from the public side, in tests.
import { request, type Agent, type IncomingHttpHeaders } from "node:http";
import { connect as http2 } from "node:http2";
import { connect as tcp, type Socket } from "node:net";
import { connect as tls, type TLSSocket } from "node:tls";
import type { NgrokEdge } from "./edge.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; an empty object when it is none. */
  readonly body: Record<string, unknown>;
}

interface Visit {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string | Buffer;
  /** Where the edge listens; default 127.0.0.1. */
  readonly at?: string;
  /** Connections that are used again. */
  readonly agent?: Agent;
}

/** One request over HTTP/1.1 without TLS to a host of the edge. */
export async function visit(edge: NgrokEdge, host: string, given: Visit = {}): Promise<Reply> {
  const { path = "/", body, method = body === undefined ? "GET" : "POST", at = "127.0.0.1", agent } = given;
  return await new Promise((resolve, reject) => {
    const to = { host: at, port: edge.httpPort, path, method, headers: { host }, timeout: 60_000 };
    const outgoing = request({ ...to, ...(agent !== undefined && { agent }) }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () => resolve(replyOf(reply.statusCode ?? 0, reply.headers, Buffer.concat(chunks).toString())));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer for ${host}${path} in 60 s`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** One request over HTTP/2 and TLS, trusting the edge's authority for the host. */
export async function visitHttp2(
  edge: NgrokEdge,
  host: string,
  given: { readonly path?: string; readonly body?: string } = {},
): Promise<Reply & { readonly trailers: IncomingHttpHeaders }> {
  const session = http2(`https://${host}`, {
    createConnection: () =>
      tls({ host: "127.0.0.1", port: edge.tlsPort, servername: host, ca: edge.ca, ALPNProtocols: ["h2"] }),
  });
  try {
    return await new Promise((resolve, reject) => {
      session.on("error", reject);
      const method = given.body === undefined ? "GET" : "POST";
      const stream = session.request({
        ":authority": host,
        ":path": given.path ?? "/",
        ":method": method,
        te: "trailers",
      });
      stream.setTimeout(60_000, () => stream.destroy(new Error(`no answer for ${host} in 60 s`)));
      let headers: IncomingHttpHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      let status = 0;
      let text = "";
      stream.on("response", (given) => {
        headers = given;
        status = given[":status"] ?? 0;
      });
      stream.on("trailers", (given) => (trailers = given));
      stream.setEncoding("utf8");
      stream.on("data", (chunk: string) => (text += chunk));
      stream.on("error", reject);
      stream.on("end", () => resolve({ ...replyOf(status, headers, text), trailers }));
      stream.end(given.body);
    });
  } finally {
    session.destroy();
  }
}

/** A connection without TLS to one of the edge's ports. */
export function dial(port: number): Socket {
  return tcp({ host: "127.0.0.1", port, allowHalfOpen: true });
}

/** A connection with TLS to a host of the edge. */
export function dialTls(edge: NgrokEdge, host: string, ca: string): TLSSocket {
  return tls({ host: "127.0.0.1", port: edge.tlsPort, servername: host, ca });
}

/** Sends all of it, ends, and resolves to all that comes back. */
export async function exchange(socket: Socket, bytes: Uint8Array): Promise<Buffer> {
  socket.setTimeout(60_000, () => socket.destroy(new Error("no bytes for 60 s")));
  socket.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function replyOf(status: number, headers: IncomingHttpHeaders, text: string): Reply {
  let body = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // a text for people
  }
  return { status, headers, text, body };
}
