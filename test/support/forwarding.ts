// A forwarder in this process, with ngrok's binding ingress beside it and pods that come over real sockets.
import { tcpEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { keyAndRequest } from "#ngrok/csr.ts";
import { LIMITS, Forwarder, type ForwarderLimits, type Pair } from "#operator/forwarding/forwarder.ts";
import type { Identify, Served } from "#operator/forwarding/listener.ts";
import { openLog } from "#operator/runtime/log.ts";
import { metrics } from "#operator/runtime/metrics.ts";
import { systemClock, type Clock } from "#wire/clock.ts";
import { createAuthority } from "./ngrok-api/certificates.ts";
import { type NgrokBindings, type NgrokBindingsOptions, startNgrokBindings } from "./ngrok-bindings/ingress.ts";

export interface Forwarding extends AsyncDisposable {
  readonly ingress: NgrokBindings;
  readonly forwarder: Forwarder;
  /** The metrics as they are served. */
  measured(): Promise<string>;
  /** Lines of the log, from level debug. */
  readonly lines: readonly string[];
  /** What has been told, by key. */
  readonly told: readonly (string | undefined)[];
  /** A pair that ngrok has signed. */
  pair(): Promise<Pair>;
  /** Serves `shop/web` (or the endpoint given) under the key at a free port, and resolves to the port. */
  serve(key?: string, change?: Partial<Served>): Promise<number>;
}

export const nobody = { uid: "", name: "", namespace: "", annotations: {} };

export async function startForwarding({
  limits = {},
  clock = systemClock,
  identify = () => nobody,
  presents = true,
  proxy,
  ...options
}: {
  readonly proxy?: (origin: string) => string | undefined;
  /** Whether it has a signed pair from the start. */
  readonly presents?: boolean;
  readonly limits?: Partial<ForwarderLimits>;
  readonly clock?: Clock;
  readonly identify?: Identify;
} & Omit<NgrokBindingsOptions, "clientCa">): Promise<Forwarding> {
  const authority = await createAuthority(90);
  const ingress = await startNgrokBindings({ ...options, clientCa: authority.certificate });
  const lines: string[] = [];
  const measured = metrics({ processMetrics: false });
  const log = openLog({ level: "debug", encoder: "json", secrets: [] }, { write: (line) => void lines.push(line) });
  const forwarder = new Forwarder({
    limits: { ...LIMITS, ...limits },
    clock,
    log,
    ca: [ingress.ca],
    ...(proxy === undefined ? {} : { proxy }),
    meter: measured.connections(),
  });
  const told: (string | undefined)[] = [];
  forwarder.onChange((key) => told.push(key));
  const pair = async (): Promise<Pair> => {
    const { key, csr } = await keyAndRequest();
    return { key, cert: (await authority.issue(csr)).pem };
  };
  if (presents) forwarder.present(await pair());
  return {
    ingress,
    forwarder,
    measured: async () => await measured.registry.metrics(),
    lines,
    told,
    pair,
    async serve(key = "ops/web", change = {}) {
      const served: Served = {
        port: await freePort(),
        endpoint: { host: "web.shop", port: 80 },
        ingress: { host: "localhost", port: ingress.port },
        ...change,
      };
      await forwarder.serve(key, served, identify);
      return served.port;
    },
    async [Symbol.asyncDispose]() {
      await forwarder.stop(0);
      await ingress.close();
    },
  };
}

/**
 * A port that nobody listens at. It is below those that the kernel gives by itself (Linux: from 32768): one of these may be
 * anybody's the moment after, and a connection to it on one machine may even come to be one to itself. And below those of
 * control planes (tools/cluster/embedded/control-plane.ts), which start beside it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const listening = once(server, "listening");
    server.listen(randomInt(10_000, 20_000));
    const port = await listening.then(
      () => (server.address() as AddressInfo).port,
      () => undefined,
    );
    if (port === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A pod's connection, connected; `from` is the pod's address. */
export async function come(port: number, host = "127.0.0.1", from?: string): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true, ...(from === undefined ? {} : { localAddress: from }) });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** A pod's connection to an endpoint that says back what it hears, over which a word has passed both ways. */
export async function talking(port: number): Promise<Socket> {
  const socket = await come(port);
  socket.write("x");
  await once(socket, "data");
  return socket;
}

/** Whether somebody listens there. */
export async function isOpen(port: number): Promise<boolean> {
  const socket = await come(port).catch(() => undefined);
  socket?.destroy();
  return socket !== undefined;
}

/** Sends the bytes and then its end, and resolves to all that came back. Rejects when the connection breaks. */
export async function exchange(port: number, bytes: string | Buffer, host?: string, from?: string): Promise<Buffer> {
  const socket = await come(port, host, from);
  socket.end(bytes);
  return await buffer(socket);
}

/** How a connection ends on which nothing more is said: in order, or reset. */
export async function endOf(socket: Socket): Promise<"end" | "reset"> {
  socket.resume();
  if (socket.closed) return socket.errored === null ? "end" : "reset";
  if (socket.readableEnded) return "end";
  return await new Promise((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("close", (broken) => resolve(broken ? "reset" : "end"));
  });
}

/** A forwarder with two endpoints that say back what they hear. */
export async function withEcho(options: Partial<Parameters<typeof startForwarding>[0]> = {}) {
  const echo = await tcpEcho();
  const stack = new AsyncDisposableStack();
  const forwarding = await startForwarding({ endpoints: { "web.shop:80": echo, "db.shop:5432": echo }, ...options });
  stack.use(echo);
  stack.use(forwarding);
  return { ...forwarding, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}
