// The key and the request of a cluster's bindings.
import "reflect-metadata";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { describe, test } from "vitest";
import { keyAndRequest } from "./csr.ts";

describe("a binding's key and request", () => {
  test("belong together: P-256, empty subject, signed with SHA-512", async ({ expect }) => {
    const { key, csr } = await keyAndRequest();
    const request = new Pkcs10CertificateRequest(csr);
    expect(await request.verify()).toBe(true);
    expect(request.subject).toBe("");
    expect(request.signatureAlgorithm).toMatchObject({ name: "ECDSA", hash: { name: "SHA-512" } });
    const own = createPrivateKey(key);
    expect(own.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    const spki = createPublicKey(own).export({ type: "spki", format: "der" });
    expect(Buffer.from(request.publicKey.rawData)).toEqual(spki);
    expect(csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
    expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
  });

  test("are new each time", async ({ expect }) => {
    expect((await keyAndRequest()).key).not.toBe((await keyAndRequest()).key);
  });
});
