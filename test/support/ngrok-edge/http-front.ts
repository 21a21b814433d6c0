// The edge towards visitors who speak HTTP: finds the endpoint by host, passes the request on, and answers itself when it cannot.
import { createServer as http1, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { createServer as http2 } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Endpoint } from "./endpoints.ts";
import type { Hub } from "./hub.ts";
import { endToEnd, newLane, writeHead, type Incoming, type Lane, type Outgoing } from "./lane.ts";
import { join, openProxy, visitorOf, type Visitor } from "./proxy.ts";

/** Answers of the edge itself, with the code that visitors of ngrok see in `ngrok-error-code`. */
const own = {
  offline: { status: 404, code: "ERR_NGROK_3200", text: "is offline" },
  broken: { status: 502, code: "ERR_NGROK_3004", text: "gave no complete answer" },
} as const;

export class HttpFront {
  /** Serves HTTP/1.1 over connections that are given to it. */
  readonly http1 = http1();
  readonly #http2 = http2();
  readonly #hub: Hub;
  /** Connections of visitors, with their lane to each endpoint that they have asked for. */
  readonly #visits = new Map<Duplex, Map<Endpoint, Lane>>();

  constructor(hub: Hub) {
    this.#hub = hub;
    this.http1.on("request", (request, response) => this.#serve(request, response, request.socket));
    this.http1.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http2.on("request", (request, response) => {
      const session = request.stream.session;
      if (session !== undefined) this.#serve(request, response, session.socket);
    });
    // A visitor who leaves in the middle of something is no trouble of the edge.
    this.#http2.on("sessionError", () => {});
    this.http1.keepAliveTimeout = 300_000;
  }

  /** Takes a connection whose TLS is done. */
  takeSecure(socket: TLSSocket): void {
    (socket.alpnProtocol === "h2" ? this.#http2 : this.http1).emit("connection", socket);
  }

  /** What was for this endpoint ends once it is idle. */
  gone(endpoint: Endpoint): void {
    for (const lanes of this.#visits.values()) {
      lanes.get(endpoint)?.retire();
      lanes.delete(endpoint);
    }
  }

  #serve(request: Incoming, response: Outgoing, socket: Duplex): void {
    const authority = authorityOf(request);
    const visitor = visitorOf(socket as Socket);
    const endpoint = this.#find(authority, socket);
    let answered = false;
    const finish = (kind: keyof typeof own, why: string) => {
      if (answered) return;
      answered = true;
      this.#answerItself(response, kind, authority, why);
      if (endpoint !== undefined) request.resume();
    };
    response.on("finish", () =>
      this.#hub.journal.add({
        kind: "request",
        url: endpoint?.url ?? authority,
        ...(endpoint !== undefined && { endpoint: endpoint.id }),
        status: response.statusCode,
      }),
    );
    if (endpoint === undefined) {
      finish("offline", "no agent has bound it");
      return;
    }
    try {
      const headers = this.#forwarded(request, endpoint, authority, visitor, socket);
      this.#laneFor(endpoint, socket, visitor).pass(request, response, headers, (why) => finish("broken", why));
    } catch (error) {
      finish("broken", error instanceof Error ? error.message : String(error));
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const authority = authorityOf(request);
    const endpoint = this.#find(authority, socket);
    if (endpoint === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\nngrok-error-code: ERR_NGROK_3200\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const visitor = visitorOf(socket as Socket);
    const { connection = "upgrade", upgrade = "" } = request.headers;
    const headers = { ...this.#forwarded(request, endpoint, authority, visitor, socket), connection, upgrade };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}`),
    );
    try {
      const stream = openProxy(this.#hub, endpoint, visitor);
      stream.write(`${[`${request.method} ${request.url} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`);
      stream.write(head);
      join(socket, stream);
    } catch {
      socket.destroy();
    }
  }

  #find(authority: string, socket: Duplex): Endpoint | undefined {
    const parsed = URL.parse(`other://${authority}`);
    if (parsed === null) return undefined;
    const port = parsed.port === "" ? undefined : Number(parsed.port);
    // Without TLS an https endpoint is served as well, as if TLS had ended before the edge.
    return this.#hub.endpoints.pick(socket instanceof TLSSocket ? ["https"] : ["http", "https"], parsed.hostname, port);
  }

  #forwarded(
    request: Incoming,
    endpoint: Endpoint,
    authority: string,
    { from }: Visitor,
    socket: Duplex,
  ): OutgoingHttpHeaders {
    const before = request.headers["x-forwarded-for"];
    return {
      ...endToEnd(request.headers),
      host: authority,
      "x-forwarded-for": before === undefined ? from.host : `${String(before)}, ${from.host}`,
      "x-forwarded-host": authority,
      "x-forwarded-proto": socket instanceof TLSSocket ? "https" : endpoint.proto,
    };
  }

  #laneFor(endpoint: Endpoint, socket: Duplex, visitor: Visitor): Lane {
    const lanes = this.#visits.get(socket) ?? this.#arrive(socket);
    const known = lanes.get(endpoint);
    if (known !== undefined) return known;
    const lane = newLane(endpoint.forwardsProto, () => openProxy(this.#hub, endpoint, visitor));
    lanes.set(endpoint, lane);
    return lane;
  }

  #arrive(socket: Duplex): Map<Endpoint, Lane> {
    const lanes = new Map<Endpoint, Lane>();
    this.#visits.set(socket, lanes);
    socket.once("close", () => {
      this.#visits.delete(socket);
      for (const lane of lanes.values()) lane.close();
    });
    return lanes;
  }

  #answerItself(response: Outgoing, kind: keyof typeof own, authority: string, why: string): void {
    const { status, code, text } = own[kind];
    if (response.headersSent) {
      response.destroy();
      return;
    }
    writeHead(response, status, { "content-type": "text/plain", "ngrok-error-code": code });
    response.end(`The endpoint ${authority} ${text}: ${why}.\n\n${code}\n`);
  }
}

function authorityOf(request: Incoming): string {
  const { headers } = request;
  const authority = headers[":authority"];
  return typeof authority === "string" ? authority : (headers.host ?? "");
}
