// The Secret of the bindings' key and certificate, as an upgrade finds it.
import { test } from "vitest";
import type { Reader } from "#kube/reader.ts";
import { keyAndRequest } from "#ngrok/csr.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import type { Context } from "../../runtime/define-controller.ts";
import { readPair } from "./certificate.ts";

test("the key of an older operator, labelled in its way, stays with its certificate", async ({ expect }) => {
  const { key, csr } = await keyAndRequest();
  const { pem: crt } = await (await createAuthority(90)).issue(csr);
  const old = { key: key.replaceAll("EC PRIVATE KEY", "OPENSSH PRIVATE KEY"), csr, crt };
  const data = Object.fromEntries(
    Object.entries(old).map(([part, pem]) => [`tls.${part}`, Buffer.from(pem).toString("base64")]),
  );
  const secret = { metadata: { name: "ngrok-operator-default-tls" }, type: "kubernetes.io/tls", data };
  const reader = { get: () => Promise.resolve(secret) } as unknown as Reader;
  const nothingNew = (): Promise<never> => Promise.reject(new Error("the key that is there is as good as a new one"));
  expect(await readPair(aKubernetesOperator(), { reader } as Context, nothingNew)).toEqual(old);
});
