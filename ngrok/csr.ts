// The key of a cluster's bindings and the request by which ngrok signs it.
import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

export interface KeyAndRequest {
  /** PEM, label EC PRIVATE KEY, a P-256 key in SEC1: the Secret's `tls.key`. */
  readonly key: string;
  /** PEM, label CERTIFICATE REQUEST: the Secret's `tls.csr`. */
  readonly csr: string;
}

/** A new ECDSA P-256 key and a request with an empty subject, signed by ECDSA with SHA-512. */
export async function keyAndRequest(): Promise<KeyAndRequest> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-512" },
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "sec1", format: "pem" });
  return { key: key.toString(), csr: `${request.toString("pem")}\n` };
}
