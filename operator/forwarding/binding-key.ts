// The key of a binding as it lies in its Secret, for who keeps it and for who serves with it.
import { createPrivateKey } from "node:crypto";

/**
 * The key of a binding's Secret as OpenSSL and Node read it. Secrets of older operators hold the same SEC1 key under the
 * label OPENSSH PRIVATE KEY. Throws when it is no private key.
 */
export function readableKey(pem: string): string {
  const relabelled = pem.replaceAll("OPENSSH PRIVATE KEY", "EC PRIVATE KEY");
  return createPrivateKey(relabelled).export({ type: "sec1", format: "pem" }).toString();
}
