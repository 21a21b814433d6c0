// A stand-in for ngrok's binding ingress: forwarders come to it over TLS with the certificate that ngrok's API gave the
// operator, name an endpoint and the pod that asks, and are passed on to it.
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import { newId } from "../ngrok-api/ids.ts";
import { edgeAuthority, type KeyPair } from "../ngrok-edge/certificates.ts";
import { Journal } from "../ngrok-edge/journal.ts";
import { BindingConnection } from "./connection.ts";
import { type BindingEffect, BindingFaults } from "./faults.ts";
import { type ConnRequest, type ConnResponse, frameOf, readRequest, writeResponse } from "./messages.ts";

export type BindingEvent =
  /** `pod` is `namespace/name`, or empty; `certificate` the serial number that the forwarder showed. */
  | { readonly kind: "asked"; readonly about: string; readonly pod: string; readonly certificate: string }
  | { readonly kind: "passed" | "closed"; readonly about: string }
  | { readonly kind: "refused"; readonly about: string; readonly code: string }
  | { readonly kind: "fault"; readonly about: string; readonly effect: string }
  /** Who came without a certificate that is trusted, or said something that is no request. */
  | { readonly kind: "unknown" | "garbled"; readonly why: string };

/** Where an endpoint is: an address to dial, or something that answers by itself. */
export type Endpoint = { readonly host?: string; readonly port: number } | ((request: ConnRequest) => Duplex);

export interface NgrokBindingsOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Names and addresses by which forwarders reach it, besides localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[];
  /** The authority of its own certificate, from before; default a new one. */
  readonly authority?: KeyPair;
  /** The authority (PEM) that signs the operators' certificates: that of the stand-in for ngrok's API. */
  readonly clientCa: string;
  /** By `host:port` of the request; what is not here is refused. */
  readonly endpoints: Readonly<Record<string, Endpoint>> | ((about: string) => Endpoint | undefined);
  readonly onEvent?: (event: BindingEvent) => void;
}

export interface NgrokBindings extends AsyncDisposable {
  /** `localhost:40123`: what ngrok's API tells an operator as `ingress_endpoint`. */
  readonly address: string;
  readonly port: number;
  /** The certificate of its authority, PEM. */
  readonly ca: string;
  readonly authority: KeyPair;
  readonly faults: BindingFaults;
  readonly journal: Journal<BindingEvent>;
  /** Those that have been answered and are open, oldest first. */
  connections(): BindingConnection[];
  close(): Promise<void>;
}

/** Starts it. Rejects when it cannot listen. */
export async function startNgrokBindings(options: NgrokBindingsOptions): Promise<NgrokBindings> {
  const { host = "127.0.0.1", names = [], clientCa } = options;
  const authority = await edgeAuthority(options.authority);
  const leaf = await authority.issue(["localhost", "127.0.0.1", "::1", ...names]);
  const hub: Hub = {
    endpointOf: typeof options.endpoints === "function" ? options.endpoints : inTable(options.endpoints),
    faults: new BindingFaults(),
    journal: new Journal(options.onEvent),
    open: new Set(),
    sockets: new Map(),
  };
  const mutual = { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createServer({ ...leaf, ...mutual, allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    serve(hub, socket).catch((error: unknown) => {
      hub.journal.add({ kind: "garbled", why: error instanceof Error ? error.message : String(error) });
      socket.destroy();
    });
  });
  server.on("tlsClientError", (error) => hub.journal.add({ kind: "unknown", why: error.message }));
  server.on("connection", (socket: Socket) => {
    const from = addressOf(socket);
    hub.sockets.set(from, socket);
    socket.on("close", () => hub.sockets.delete(from));
  });
  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const connection of hub.open) connection.drop();
    for (const socket of hub.sockets.values()) socket.destroy();
    await closed;
  };
  return {
    address: `${names[0] ?? "localhost"}:${port}`,
    port,
    ca: authority.cert,
    authority: { cert: authority.cert, key: authority.key },
    faults: hub.faults,
    journal: hub.journal,
    connections: () => [...hub.open],
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Hub {
  readonly endpointOf: (about: string) => Endpoint | undefined;
  readonly faults: BindingFaults;
  readonly journal: Journal<BindingEvent>;
  readonly open: Set<BindingConnection>;
  /** The TCP connections under the open ones, by where they come from. */
  readonly sockets: Map<string, Socket>;
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** TLS has no reset: the connection below it is reset. */
function reset(hub: Hub, socket: TLSSocket): void {
  hub.sockets.get(addressOf(socket))?.resetAndDestroy();
  socket.destroy();
}

function inTable(endpoints: Readonly<Record<string, Endpoint>>): (about: string) => Endpoint | undefined {
  return (about) => (Object.hasOwn(endpoints, about) ? endpoints[about] : undefined);
}

async function serve(hub: Hub, socket: TLSSocket): Promise<void> {
  const frame = await readFrame(socket);
  if (frame === undefined) return;
  const request = readRequest(frame);
  const about = `${request.host}:${request.port}`;
  const certificate = socket.getPeerCertificate().serialNumber;
  const pod = request.pod?.name ? `${request.pod.namespace}/${request.pod.name}` : "";
  hub.journal.add({ kind: "asked", about, pod, certificate });
  const effect = hub.faults.take(about);
  if (effect !== undefined) {
    hub.journal.add({ kind: "fault", about, effect: effect.kind });
    if (await strike(hub, effect, socket)) return;
  }
  const endpoint = hub.endpointOf(about);
  const upstream = endpoint === undefined ? undefined : await reach(endpoint, request);
  if (upstream === undefined) {
    hub.journal.add({ kind: "refused", about, code: NO_ENDPOINT.errorCode });
    say(socket, NO_ENDPOINT);
    socket.end();
    return;
  }
  const answer = frameOf(writeResponse({ endpointId: newId("ep"), proto: "tcp", notices: [] }));
  if (effect?.kind === "dribble") await dribble(socket, answer);
  else socket.write(answer);
  const connection = new BindingConnection(socket, upstream, request, certificate, () => reset(hub, socket));
  hub.open.add(connection);
  hub.journal.add({ kind: "passed", about });
  await connection.closed;
  hub.open.delete(connection);
  hub.journal.add({ kind: "closed", about });
}

const NO_ENDPOINT = { errorCode: "ERR_NGROK_3200", errorMessage: "The endpoint is offline." };

/** Whether that was all the answer there is. */
async function strike(hub: Hub, effect: BindingEffect, socket: TLSSocket): Promise<boolean> {
  if (effect.kind === "dribble") return false;
  if (effect.kind === "hang") await once(socket, "close").catch(() => undefined);
  if (effect.kind === "cut") reset(hub, socket);
  if (effect.kind === "end") socket.end();
  if (effect.kind === "garbage") socket.write(frameOf(Buffer.from([0x0b, 0xff, 0xff, 0xff])));
  if (effect.kind === "oversized") socket.write(frameOf(Buffer.alloc(65_535, 0x2a)));
  if (effect.kind === "refuse") {
    say(socket, { errorCode: effect.code, errorMessage: effect.message });
    socket.end();
  }
  return true;
}

function say(socket: TLSSocket, answer: ConnResponse): void {
  socket.write(frameOf(writeResponse(answer)));
}

async function dribble(socket: TLSSocket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) await new Promise<unknown>((sent) => socket.write(Buffer.from([byte]), sent));
}

async function reach(endpoint: Endpoint, request: ConnRequest): Promise<Duplex | undefined> {
  if (typeof endpoint === "function") return endpoint(request);
  const socket = connect({ host: endpoint.host ?? "127.0.0.1", port: endpoint.port, allowHalfOpen: true });
  return await once(socket, "connect").then(
    () => socket,
    () => undefined,
  );
}

/** The body of one frame; undefined when the forwarder left before it had said all. */
async function readFrame(socket: TLSSocket): Promise<Buffer | undefined> {
  const head = await readBytes(socket, 2);
  return head === undefined ? undefined : await readBytes(socket, head.readUInt16LE());
}

async function readBytes(socket: TLSSocket, count: number): Promise<Buffer | undefined> {
  if (count === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    // What is left of a connection that ends is shorter.
    if (bytes !== null) return bytes.length === count ? bytes : undefined;
    if (socket.readableEnded || socket.destroyed) return undefined;
    await new Promise<void>((resolve) => {
      const go = () => {
        for (const event of ["readable", "end", "close"]) socket.off(event, go);
        resolve();
      };
      for (const event of ["readable", "end", "close"]) socket.on(event, go);
    });
  }
}
