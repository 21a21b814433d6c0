// The edge's own certificate authority: agents trust it instead of ngrok's, and visitors of https endpoints may.
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface EdgeAuthority extends KeyPair {
  /** A server certificate for these DNS names and IP addresses, or one for a client. */
  issue(names: readonly string[], use?: "serverAuth" | "clientAuth"): Promise<KeyPair>;
}

/** A new authority, or that of `kept`. Rejects when `kept` is not a certificate of an authority with its key. */
export async function edgeAuthority(kept?: KeyPair): Promise<EdgeAuthority> {
  x509.cryptoProvider.set(webcrypto);
  const own = kept ?? (await newAuthority());
  const certificate = new x509.X509Certificate(own.cert);
  const signingKey = await importKey(own.key);
  let given = 0;
  return {
    ...own,
    async issue(names, use = "serverAuth") {
      const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      given += 1;
      const issued = await x509.X509CertificateGenerator.create({
        serialNumber: serial(given),
        subject: "CN=ngrok edge stand-in",
        issuer: certificate.subject,
        notBefore: new Date(Date.now() - day),
        notAfter: new Date(Date.now() + 365 * day),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          // The agent refuses a leaf that says it is an authority, and one without a subject alternative name.
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[use]]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
          ),
        ],
      });
      return { cert: issued.toString("pem"), key: await exportKey(keys.privateKey) };
    },
  };
}

async function newAuthority(): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(0),
    name: "CN=ngrok edge stand-in CA",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 3650 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { cert: own.toString("pem"), key: await exportKey(keys.privateKey) };
}

/** Two certificates of one issuer must not share a number: clients that have seen both refuse the second. */
function serial(given: number): string {
  return `${Date.now().toString(16).padStart(12, "0")}${given.toString(16).padStart(8, "0")}`;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return String(createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }));
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: "der", type: "pkcs8" });
  return await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
}
