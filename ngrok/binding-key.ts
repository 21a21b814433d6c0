// The key of a binding as it lies in its Secret. Apart from csr.ts, so that forwarders do without what makes certificates.
import { createPrivateKey } from "node:crypto";

/**
 * The key of a binding's Secret as OpenSSL and Node read it. Secrets of older operators hold the same SEC1 key under the
 * label OPENSSH PRIVATE KEY. Throws when it is no private key.
 */
export function readableKey(pem: string): string {
  const relabelled = pem.replaceAll("OPENSSH PRIVATE KEY", "EC PRIVATE KEY");
  return createPrivateKey(relabelled).export({ type: "sec1", format: "pem" }).toString();
}
