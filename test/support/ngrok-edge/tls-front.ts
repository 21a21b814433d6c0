// The edge towards visitors who begin with TLS: a tls endpoint gets their bytes as they are, an https endpoint after TLS.
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, createServer as tlsServer, TLSSocket, type SecureContext } from "node:tls";
import { callbackify } from "node:util";
import type { EdgeAuthority, KeyPair } from "./certificates.ts";
import { serverNameOf } from "./client-hello.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Hub } from "./hub.ts";
import type { HttpFront } from "./http-front.ts";
import { object, text } from "./messages.ts";
import { join, openProxy, visitorOf } from "./proxy.ts";

const longestHello = 64 * 1024;

export function tlsFront(hub: Hub, http: HttpFront, authority: EdgeAuthority, leaf: KeyPair): Server {
  const contexts = new Map<string, Promise<SecureContext>>();
  const contextFor = (host: string): Promise<SecureContext> => {
    const known = contexts.get(host) ?? authority.issue([host]).then(createSecureContext);
    contexts.set(host, known);
    return known;
  };
  const https = tlsServer({
    ...leaf,
    ALPNProtocols: ["h2", "http/1.1"],
    SNICallback: (host, done) => {
      // Only for hosts that are bound: whoever asks for others gets the edge's own.
      if (hub.endpoints.pick(["https"], host) === undefined) done(null);
      else callbackify(contextFor)(host, done);
    },
  });
  https.on("secureConnection", (socket) => http.takeSecure(socket));
  https.on("tlsClientError", (_error, socket) => socket.destroy());

  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    greet(socket, (host) => {
      const endpoint = hub.endpoints.pick(["tls"], host);
      if (endpoint === undefined) https.emit("connection", socket);
      else pass(hub, endpoint, socket);
    });
  });
}

/** Reads the client's hello, puts it back, and says which host it names. */
function greet(socket: Socket, known: (host: string) => void): void {
  let seen = Buffer.alloc(0);
  const hangUp = () => socket.end();
  const look = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    try {
      const host = serverNameOf(seen);
      if (host === undefined && seen.length < longestHello) return;
      // From here on the end of one direction leaves the other open.
      socket.off("data", look).off("end", hangUp).pause();
      socket.unshift(seen);
      known(host ?? "");
    } catch {
      socket.destroy();
    }
  };
  socket.on("data", look);
  socket.on("end", hangUp);
}

function pass(hub: Hub, endpoint: Endpoint, socket: Socket): void {
  try {
    join(terminated(endpoint, socket), openProxy(hub, endpoint, visitorOf(socket)));
  } catch {
    socket.destroy();
  }
}

/** The connection behind TLS where the endpoint wants the edge to end it, else the connection as it is. */
function terminated({ opts }: Endpoint, socket: Socket): Socket {
  const termination = object(opts["TLSTermination"]);
  if (text(termination["cert"]) === "") return socket;
  const clients = text(object(opts["MutualTLSAtEdge"])["mutual_tls_ca"]);
  const secure = new TLSSocket(socket, {
    isServer: true,
    cert: Buffer.from(text(termination["cert"]), "base64"),
    key: Buffer.from(text(termination["key"]), "base64"),
    ...(clients !== "" && { ca: Buffer.from(clients, "base64"), requestCert: true, rejectUnauthorized: true }),
  });
  return secure;
}
