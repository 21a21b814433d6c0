// Small servers that stand behind an agent in tests.
import { createServer as http1, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as http2 } from "node:http2";
import { createServer as tcp, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as tls } from "node:tls";
import type { KeyPair } from "./certificates.ts";

export interface Upstream extends AsyncDisposable {
  readonly port: number;
  /** E.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly server: Server;
}

/** Answers `200` with `{ method, url, headers, bytes }` of the request, or as `serve` does. */
export async function httpUpstream(serve: RequestListener = describe): Promise<Upstream> {
  return await started(http1(serve), "http");
}

/** HTTP/2 without TLS; answers with the request's headers and, as gRPC does, a trailer. */
export async function http2Upstream(): Promise<Upstream> {
  const server = http2();
  server.on("stream", (stream, headers) => {
    stream.respond({ ":status": 200, "content-type": "application/json" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
    stream.on("end", () => stream.end(JSON.stringify({ http: 2, path: headers[":path"], headers, bytes })));
  });
  return await started(server as unknown as Server, "http");
}

/** Sends back what comes, and its end after its end. */
export async function tcpEcho(): Promise<Upstream> {
  return await started(
    tcp({ allowHalfOpen: true }, (socket) => socket.pipe(socket)),
    "tcp",
  );
}

/** Ends TLS and sends back what comes. */
export async function tlsEcho(own: KeyPair): Promise<Upstream> {
  return await started(
    tls(own, (socket) => socket.pipe(socket)),
    "tls",
  );
}

function describe(request: IncomingMessage, response: Parameters<RequestListener>[1]): void {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, bytes }));
  });
}

async function started(server: Server, scheme: string): Promise<Upstream> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
