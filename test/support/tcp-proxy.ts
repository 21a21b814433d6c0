// A TCP proxy in front of a server, for what a network does: it stops passing bytes while connections stay open, or cuts them.
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** `https://127.0.0.1:port`, for a kubeconfig. */
  readonly url: string;
  /** From now on no byte passes in either direction; connections stay open and new ones are accepted. */
  freeze(): void;
  /** What was held back passes now. */
  thaw(): void;
  /** Resets every connection; new ones are accepted. */
  cut(): void;
}

/** @param target `https://host:port` */
export async function tcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let frozen = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    if (frozen) socket.pause();
    return socket;
  };
  const pass = (from: Socket, to: Socket): void => {
    from.on("data", (chunk) => to.write(chunk));
    from.on("close", () => to.destroy());
    if (frozen) from.pause();
  };
  const server = createServer((client) => {
    const upstream = track(connect(Number(port), hostname));
    track(client);
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as AddressInfo).port;
  return {
    port: own,
    url: `https://127.0.0.1:${own}`,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
