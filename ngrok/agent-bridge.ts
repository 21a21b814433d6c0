// What the agent's SDK cannot do itself: end TLS at the agent, and show an upstream a certificate of ours. The SDK then
// forwards to a bridge on the loopback of this pod, which does it; the PROXY protocol's header goes around TLS, as it does
// in the SDK.
import { randomInt, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect as dial, createServer, isIP, type Server, type Socket } from "node:net";
import { finished } from "node:stream";
import {
  connect as dialTls,
  createSecureContext,
  createServer as tlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import { KnownError } from "#wire/errors.ts";
import { type UpstreamAddress } from "./agent-addresses.ts";
import type { AgentSpec, AgentTermination, KeyPair } from "./agent-port.ts";
import { readProxyHeader } from "./agent-proxy-header.ts";
import { code } from "./errors.ts";

export interface Bridge {
  /** An address of the loopback; told to the SDK and nobody else. */
  readonly host: string;
  readonly port: number;
  /** Takes no more connections; those that run go on. */
  close(): void;
}

/** All in milliseconds. */
interface Limits {
  readonly dialMs: number;
  /** Of TLS, with a visitor as with an upstream: who begins and does not go on would be kept for ever. */
  readonly handshakeMs: number;
  /** After so long without a byte in either direction a connection is closed. */
  readonly idleMs: number;
  /** The same once the visitor's side has ended: an answer may be worked on, but an upstream that hangs never ends its own. */
  readonly endedMs: number;
}

const LIMITS: Limits = {
  // As long as ngrok's own agent waits for an upstream.
  dialMs: 3_000,
  handshakeMs: 15_000,
  // As long as the forwarder's connections, which pools of databases leave alone.
  idleMs: 4 * 3_600_000,
  endedMs: 300_000,
};
/** By this TCP finds that a peer is gone with its node. */
const ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 } as const;

/** Whether the SDK alone is not enough. */
export function needsBridge({ termination, upstream }: AgentSpec, { proto }: UpstreamAddress): boolean {
  return termination !== undefined || (upstream.certificates.length > 0 && isTls(proto));
}

export function isTls(proto: UpstreamAddress["proto"]): boolean {
  return proto === "https" || proto === "tls";
}

/**
 * Throws KnownError invalid for certificates that are none.
 *
 * @param trouble hears of visitors who could not be taken in.
 * @param given limits other than the usual ones.
 */
export async function startBridge(
  spec: AgentSpec,
  to: UpstreamAddress,
  trouble: (why: string) => void,
  given: Partial<Limits> = {},
): Promise<Bridge> {
  const limits = { ...LIMITS, ...given };
  const { termination, upstream } = spec;
  const client = isTls(to.proto) ? clientContext(upstream.certificates) : undefined;
  const alpn = upstream.protocol === "http2" ? ["h2"] : upstream.protocol === "http1" ? ["http/1.1"] : undefined;
  const cross = async (near: Socket, header: Buffer | undefined): Promise<void> => {
    const { host, port } = to;
    const dialled = dial({ host, port, allowHalfOpen: true, noDelay: true, ...ALIVE });
    const raw = await reached(dialled, "connect", limits.dialMs);
    if (header !== undefined) raw.write(header);
    const far =
      client === undefined ? raw : await reached(begun(raw, host, client, alpn), "secureConnect", limits.handshakeMs);
    // Who has gone meanwhile closes no more, and the upstream would keep its connection for ever.
    if (near.destroyed) far.destroy();
    else join(near, far, limits);
  };
  const enter = termination === undefined ? cross : terminating(termination, limits.handshakeMs, cross);
  return await listening(
    createServer({ allowHalfOpen: true, noDelay: true, ...ALIVE }, (from) => {
      from.on("error", () => from.destroy());
      const entering = async (): Promise<void> =>
        await enter(from, upstream.proxyProtocol === undefined ? undefined : await readProxyHeader(from));
      // An upstream that is not there is a connection that ends, as it is for the SDK.
      entering().catch(() => from.destroy());
    }),
    trouble,
  );
}

type Enter = (from: Socket, header: Buffer | undefined) => Promise<void>;

/** TLS of the visitor ends here; nobody who may not pass gets as far as the upstream. */
function terminating(termination: AgentTermination, handshakeTimeout: number, then: Enter): Enter {
  const { clientCAs, required = true } = termination;
  const headers = new Map<number | undefined, Buffer | undefined>();
  const server = tlsServer(
    {
      ...serverIdentity(termination),
      handshakeTimeout,
      requestCert: clientCAs !== undefined,
      rejectUnauthorized: clientCAs !== undefined && required,
    },
    (near) => {
      const header = headers.get(near.remotePort);
      headers.delete(near.remotePort);
      near.allowHalfOpen = true;
      near.on("error", () => near.destroy());
      // A certificate that is shown has to be a good one in either mode.
      const showed = Object.keys(near.getPeerCertificate()).length > 0;
      if (clientCAs !== undefined && showed && !near.authorized) return void near.destroy();
      then(near, header).catch(() => near.destroy());
    },
  );
  // Node only says that the time for it is over.
  server.on("tlsClientError", (_error, near) => near.destroy());
  return async (from, header) => {
    // Who ends before TLS has begun has nothing to wait for.
    from.allowHalfOpen = false;
    headers.set(from.remotePort, header);
    from.once("close", () => headers.delete(from.remotePort));
    server.emit("connection", from);
    await Promise.resolve();
  };
}

function serverIdentity({ cert, key, clientCAs }: AgentTermination): SecureContextOptions {
  if (clientCAs !== undefined) assertAuthorities(clientCAs);
  const identity = { cert, key, ...(clientCAs === undefined ? {} : { ca: clientCAs }) };
  context("spec.tlsTermination", identity);
  return identity;
}

/** OpenSSL takes a text without certificates for authorities that nobody is of: each visitor would be cut, and nothing said. */
function assertAuthorities(pem: string): void {
  try {
    const each = pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END [^-]+-----/g) ?? [];
    if (each.length === 0) throw new Error("it holds no PEM certificate");
    for (const one of each) new X509Certificate(one);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new KnownError("invalid", `spec.tlsTermination.mutualTLS: ca.crt cannot be used: ${why}`, {
      code: code.configuration,
      hint: "put the PEM certificates of those who sign visitors' certificates into ca.crt of the Secret that clientCAsRef names",
    });
  }
}

function clientContext(certificates: readonly KeyPair[]): SecureContext {
  return context("spec.clientCertificateRefs", {
    cert: certificates.map(({ cert }) => cert),
    key: certificates.map(({ key }) => key),
  });
}

function context(field: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new KnownError("invalid", `${field}: certificate and key cannot be used: ${why}`, {
      code: code.configuration,
      hint: "put a PEM certificate and the key that belongs to it into the Secret",
    });
  }
}

/** TLS of the upstream begins here. Its certificate is not verified, as it never was: it is a Service of the cluster. */
function begun(raw: Socket, host: string, secureContext: SecureContext, alpn: string[] | undefined): TLSSocket {
  return dialTls({
    socket: raw,
    secureContext,
    rejectUnauthorized: false,
    // An address is no server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
  });
}

/** The end of one side is passed on; a side that breaks off breaks the other. */
function join(near: Socket, far: Socket, { idleMs, endedMs }: Limits): void {
  const over = (): void => {
    near.destroy();
    far.destroy();
  };
  for (const side of [near, far]) finished(side, (error) => error && over());
  // Each byte passes the visitor's socket, so it alone is asked.
  near.setTimeout(idleMs, over);
  near.once("end", () => near.setTimeout(endedMs));
  near.pipe(far);
  far.pipe(near);
}

/** The socket, once it has come as far; else it is destroyed. */
async function reached<S extends Socket>(
  socket: S,
  milestone: "connect" | "secureConnect",
  withinMs: number,
): Promise<S> {
  socket.on("error", () => socket.destroy());
  try {
    await once(socket, milestone, { signal: AbortSignal.timeout(withinMs) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * A bridge asks nobody who comes, and whoever may write an AgentEndpoint may name an upstream in this pod: so that trying all
 * ports leads to none, each has an address of its own. All of 127.0.0.0/8 is Linux's loopback, in a pod with IPv6 alone too.
 */
function somewhereOnLoopback(): string {
  return `127.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

async function listening(server: Server, trouble: (why: string) => void): Promise<Bridge> {
  const host = somewhereOnLoopback();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  // Nobody would hear that no file is left for a visitor (EMFILE), and that ends the process, with all other endpoints.
  server.on("error", ({ message }) => trouble(`a visitor was not taken in: ${message}`));
  return { host, port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
