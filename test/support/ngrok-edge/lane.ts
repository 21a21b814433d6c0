// How requests of one visitor's connection reach one endpoint: over HTTP/1.1 or HTTP/2 inside of proxy streams.
import {
  Agent,
  request as http1,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import {
  connect as http2,
  type ClientHttp2Session,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { Duplex } from "node:stream";

export type Incoming = IncomingMessage | Http2ServerRequest;
export type Outgoing = ServerResponse | Http2ServerResponse;

export interface Lane {
  /** Passes a request on and its answer back. `failed` is told when no answer can be given any more. */
  pass(request: Incoming, response: Outgoing, headers: OutgoingHttpHeaders, failed: (why: string) => void): void;
  /** No request comes any more: what is idle closes, what is busy when it is done. */
  retire(): void;
  /** The visitor has left. */
  close(): void;
}

/** Of one hop only: they say nothing to the next. */
const hopByHop = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Headers without those of the hop and of HTTP/2's own. */
export function endToEnd(headers: NodeJS.Dict<string | string[]> | OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => value !== undefined && !name.startsWith(":") && !hopByHop.has(name.toLowerCase()),
    ),
  );
}

/** The two kinds of answers have one method with two types. */
export function writeHead(response: Outgoing, status: number, headers: OutgoingHttpHeaders): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  if ("flushHeaders" in response) response.flushHeaders();
}

export function newLane(forwardsProto: string, open: () => Duplex): Lane {
  return forwardsProto === "http2" ? new Http2Lane(open) : new Http1Lane(open);
}

/** Connections to an upstream, kept for the next request until none comes. */
class Connections extends Agent {
  /** Node reads it whenever a connection falls idle. */
  declare keepAlive: boolean;
  override readonly createConnection: () => Duplex;

  constructor(open: () => Duplex) {
    super({ keepAlive: true });
    this.createConnection = open;
  }
}

class Http1Lane implements Lane {
  readonly #agent: Connections;

  constructor(open: () => Duplex) {
    this.#agent = new Connections(open);
  }

  pass(request: Incoming, response: Outgoing, headers: OutgoingHttpHeaders, failed: (why: string) => void): void {
    const { method, url: path } = request;
    const chunked = request.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
    const outgoing = http1({
      agent: this.#agent,
      ...(method !== undefined && { method }),
      path: path ?? "/",
      headers: { ...headers, ...chunked },
      setHost: false,
    });
    outgoing.on("error", (error) => failed(error.message));
    outgoing.on("response", (reply) => {
      writeHead(response, reply.statusCode ?? 502, endToEnd(reply.headers));
      reply.on("error", (error) => failed(error.message));
      reply.pipe(response, { end: false });
      reply.on("end", () => {
        if (Object.keys(reply.trailers).length > 0) response.addTrailers(endToEnd(reply.trailers));
        response.end();
      });
    });
    response.on("close", () => outgoing.destroy());
    request.pipe(outgoing);
  }

  retire(): void {
    this.#agent.keepAlive = false;
    for (const idle of Object.values(this.#agent.freeSockets)) for (const socket of idle ?? []) socket.destroy();
  }

  close(): void {
    this.#agent.destroy();
  }
}

class Http2Lane implements Lane {
  readonly #open: () => Duplex;
  #session: ClientHttp2Session | undefined;

  constructor(open: () => Duplex) {
    this.#open = open;
  }

  pass(request: Incoming, response: Outgoing, headers: OutgoingHttpHeaders, failed: (why: string) => void): void {
    const { host, ...others } = headers;
    const outgoing = this.#connected().request({
      ...others,
      ":method": request.method,
      ":path": request.url,
      ":authority": String(host),
      ":scheme": "https",
    });
    let trailers: OutgoingHttpHeaders = {};
    outgoing.on("error", (error) => failed(error.message));
    // Node emits the head a tick later than it lets bytes flow, so they must not flow before.
    outgoing.on("response", (reply) => {
      writeHead(response, reply[":status"] ?? 502, endToEnd(reply));
      outgoing.pipe(response, { end: false });
    });
    outgoing.on("trailers", (given) => (trailers = endToEnd(given)));
    outgoing.on("end", () => {
      if (!response.headersSent) return;
      if (Object.keys(trailers).length > 0) response.addTrailers(trailers);
      response.end();
    });
    outgoing.on("close", () => {
      if (!response.writableEnded) failed("the upstream ended its stream without an answer");
    });
    response.on("close", () => outgoing.close());
    request.pipe(outgoing);
  }

  retire(): void {
    this.#session?.close();
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = http2("http://upstream", { createConnection: this.#open });
    session.on("error", () => session.destroy());
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }
}
