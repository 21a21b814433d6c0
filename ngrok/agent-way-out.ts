// The way of a session through a proxy, which the agent's SDK cannot take: it has no setting for one, and reads none from
// the environment. So the session goes to the loopback of this pod, with a certificate that is made for it alone, and
// from there through the proxy's tunnel to ngrok's edge, whose certificate is verified here as the SDK would do it.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, isIP } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { unlessAborted } from "#wire/abort.ts";
import { connectThrough } from "#wire/connect-through.ts";
import { asError } from "#wire/errors.ts";
import { noAnswer } from "#wire/unreachable.ts";
import type { KeyPair } from "./agent-port.ts";

/** Of one session. */
export interface WayOut {
  /** What the SDK is to connect to, and whom it is to trust there, PEM. */
  readonly serverAddr: string;
  readonly ca: string;
  /** For a session that has not come about. */
  close(): void;
}

export interface Edge {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly authorities: readonly string[];
}

/** For the tunnel and the handshake behind it. */
const DIAL_MS = 15_000;
const LOOPBACK = "127.0.0.1";
const DAY_MS = 86_400_000;

/** Reaches the edge, and waits for the SDK's one connection. Throws KnownError as connectThrough does, else what TLS says. */
export async function wayThrough(proxy: string, edge: Edge): Promise<WayOut> {
  const far = await reached(proxy, edge);
  const pair = await pairOfLoopback();
  const server = createServer(pair, (near) => {
    // One session, one way: the next one is dialled anew.
    server.close();
    near.setNoDelay(true);
    join(near, far);
  });
  // Whoever else comes here has shown nothing that the edge would take.
  server.on("tlsClientError", () => undefined);
  // No file is left for the SDK's connection (EMFILE), say: it is refused then, and there is another try.
  server.on("error", () => {
    server.close();
    far.destroy();
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return {
    serverAddr: `${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    ca: pair.cert,
    close: () => {
      server.close();
      far.destroy();
    },
  };
}

async function reached(proxy: string, { host, port, authorities }: Edge): Promise<TLSSocket> {
  const late = AbortSignal.timeout(DIAL_MS);
  try {
    const socket = await connectThrough(proxy, { host, port }, late);
    const far = connect({ socket, ca: [...authorities], ...(isIP(host) === 0 ? { servername: host } : {}) });
    far.on("error", () => far.destroy());
    await unlessAborted(late, once(far, "secureConnect")).catch((error: unknown) => {
      far.destroy();
      // In the SDK's words, by which it is known what to look at.
      throw new Error(`tls handshake error: ${asError(error).message}`, { cause: error });
    });
    return far;
  } catch (error) {
    throw late.aborted ? noAnswer(`${host}:${port} through the proxy`, DIAL_MS) : error;
  }
}

/** The end of one is the end of the other: a session is over as a whole. */
function join(near: TLSSocket, far: TLSSocket): void {
  near.on("error", () => near.destroy());
  near.once("close", () => far.destroy());
  if (far.destroyed) near.destroy();
  far.once("close", () => near.destroySoon());
  near.pipe(far);
  far.pipe(near);
}

/** A certificate for the loopback, and for as long as nobody asks again. */
async function pairOfLoopback(): Promise<KeyPair> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=ngrok agent",
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      // The SDK takes no certificate of an authority for a server's.
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: "ip", value: LOOPBACK }]),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  return { cert: certificate.toString("pem"), key: key.toString() };
}
