// The stand-in for the binding ingress by itself, as somebody meets it who knows the wire and nothing of ours.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { once } from "node:events";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { expect, test } from "vitest";
import { createAuthority } from "../ngrok-api/certificates.ts";
import { startNgrokApi } from "../ngrok-api/server.ts";
import { httpAnswer } from "./http-answer.ts";
import { startNgrokBindings } from "./ingress.ts";

/** ConnRequest{ host: "hello.default", port: 80, pod_identity{ name: "client" } }, with its length. */
const REQUEST = Buffer.from("1b00" + "0a0d68656c6c6f2e64656661756c74" + "1050" + "1a0812" + "06636c69656e74", "hex");

async function world() {
  const authority = await createAuthority(90);
  const ingress = await startNgrokBindings({
    clientCa: authority.certificate,
    endpoints: (about) => (about === "hello.default:80" ? httpAnswer : undefined),
  });
  const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const csr = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm });
  const key = String(KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }));
  const cert = (await authority.issue(csr.toString("pem"))).pem;
  const come = (own: ConnectionOptions): TLSSocket => {
    const socket = connect({ port: ingress.port, host: "localhost", ca: ingress.ca, ...own });
    socket.on("error", () => undefined);
    return socket;
  };
  return { authority, ingress, come, own: { key, cert }, [Symbol.asyncDispose]: async () => await ingress.close() };
}

test("a forwarder's request is answered, and then HTTP reaches the endpoint, which says who asked", async () => {
  await using at = await world();
  const socket = at.come(at.own);
  socket.write(REQUEST);
  socket.write("GET /who HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toContain("HTTP/1.1 200 OK");
  expect(text).toContain('"endpoint":"hello.default:80"');
  expect(text).toContain('"name":"client"');
});

test("who has no certificate of the authority, or another's, hears nothing", async () => {
  await using at = await world();
  await using other = await world();
  for (const own of [{}, other.own]) {
    const socket = at.come(own);
    socket.write(REQUEST);
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await once(socket, "close").catch(() => undefined);
    expect(bytes).toBe(0);
  }
  expect(at.ingress.journal.count({ kind: "asked" })).toBe(0);
});

test("the API's stand-in signs for the ingress when both have one authority", async () => {
  await using at = await world();
  await using api = await startNgrokApi({ authority: at.authority, ingressEndpoint: at.ingress.address });
  expect(await api.authority()).toBe(at.authority.certificate);
});
