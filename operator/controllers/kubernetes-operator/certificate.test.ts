// The Secret of the bindings' key and certificate, as an upgrade finds it.
import { test } from "vitest";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
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

test("a Secret of another name is neither read nor made: the operator has no right to it", async ({ expect }) => {
  const binding = { endpointSelectors: ["true"], tlsSecretName: "ngrok-operator-credentials" };
  const operator = aKubernetesOperator({ spec: { binding } });
  const touched = (): Promise<never> => Promise.reject(new Error("the Secret was asked for"));
  const [reader, writer] = [{ get: touched } as unknown as Reader, { create: touched } as unknown as Writer];
  await expect(readPair(operator, { reader, writer } as Context, keyAndRequest)).rejects.toMatchObject({
    class: "invalid",
    message: "spec.binding.tlsSecretName of the KubernetesOperator is ngrok-operator-credentials",
    hint: "The operator may use Secret ngrok-operator-default-tls alone: name that one.",
  });
});
