// The authority that signs the certificates of Kubernetes bindings; node:crypto can read certificates but not make them.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;

export interface Authority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  /** Signs a request (PEM) for `days`. Throws when the text is not a request or its signature is wrong. */
  issue(csr: string): Promise<{ pem: string; notBefore: Date; notAfter: Date }>;
}

/** A new authority; `days` is how long what it issues is valid. */
export async function createAuthority(days: number): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=ngrok stand-in",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 3650 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    certificate: own.toString("pem"),
    async issue(csr) {
      const request = new x509.Pkcs10CertificateRequest(csr);
      if (!(await request.verify())) throw new Error("the signature of the certificate request is wrong");
      // Whole seconds: that is what a certificate can hold.
      const now = Math.floor(Date.now() / 1000) * 1000;
      const [notBefore, notAfter] = [new Date(now), new Date(now + days * day)];
      const issued = await x509.X509CertificateGenerator.create({
        subject: "CN=kubernetes-operator",
        issuer: own.subject,
        notBefore,
        notAfter,
        signingAlgorithm: algorithm,
        publicKey: request.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
        ],
      });
      return { pem: issued.toString("pem"), notBefore, notAfter };
    },
  };
}
