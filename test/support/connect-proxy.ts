// A proxy as companies have one: it opens tunnels by CONNECT, for those whom it knows, and remembers where to.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { KeyPair } from "./ngrok-edge/certificates.ts";

export interface ConnectProxyOptions {
  /** `user:password` without which it answers 407; in `url` as it has to be there. */
  readonly login?: string;
  /** The status with which it answers every CONNECT, instead of a tunnel. */
  readonly refuses?: number;
  /** Speaks TLS with this certificate, as `https://localhost`. */
  readonly tls?: KeyPair;
}

export interface ConnectProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `host:port` of each tunnel, in order. */
  readonly opened: readonly string[];
  /** Resets all tunnels, as a proxy does that is started anew; it takes new ones. */
  cut(): void;
}

export async function connectProxy({ login, refuses, tls }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const opened: string[] = [];
  const sockets = new Set<Socket>();
  const known = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;
  const server = tls === undefined ? createServer() : createTlsServer({ ...tls, allowHalfOpen: true });
  server.on("connect", (request, client: Socket) => {
    // What a test meets of a broken connection is told where it is made.
    client.on("error", () => undefined);
    const status = known !== undefined && request.headers["proxy-authorization"] !== known ? 407 : refuses;
    if (status !== undefined) return void client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    opened.push(request.url ?? "");
    const { hostname: host, port } = new URL(`http://${request.url ?? ""}`);
    const upstream = connect({ host, port: Number(port || 80), allowHalfOpen: true }, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        if (!one.readableEnded) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const user = login === undefined ? "" : `${login.split(":").map(encodeURIComponent).join(":")}@`;
  const cut = (): void => {
    for (const socket of sockets) {
      if ("encrypted" in socket) socket.destroy();
      else socket.resetAndDestroy();
    }
  };
  return {
    url: tls === undefined ? `http://${user}127.0.0.1:${port}` : `https://${user}localhost:${port}`,
    opened,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
