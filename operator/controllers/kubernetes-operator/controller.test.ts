// The certificate of endpoint bindings as it is renewed: what is stored fits together, and a renewal is not followed by the next.
import { expect, test } from "vitest";
import type { Reader } from "#kube/reader.ts";
import type { JsonPatchOperation, Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { keyAndRequest } from "#ngrok/csr.ts";
import type { OperatorsPort, RemoteOperator } from "#ngrok/operators.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import type { Context } from "../../runtime/define-controller.ts";
import { kubernetesOperatorController } from "./controller.ts";

const DAY_MS = 86_400_000;
const NAME = "ngrok-operator-default-tls";

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** An install whose certificate is due, and so is each that ngrok answers with: the one that it signs, or still the old one. */
async function due({ answers }: { answers: "signed" | "old" }) {
  const clock = testClock();
  const authority = await createAuthority(90);
  const first = await keyAndRequest();
  const at = (days: number): string => new Date(clock.date().getTime() + days * DAY_MS).toISOString();
  const ends = { notBefore: at(-70), notAfter: at(20) };
  let cert = { cert: (await authority.issue(first.csr)).pem, ...ends };
  const parts = { "tls.key": first.key, "tls.csr": first.csr, "tls.crt": cert.cert };
  const secret = {
    metadata: { name: NAME, uid: "secret" },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(Object.entries(parts).map(([name, pem]) => [name, base64(pem)])),
  };
  const written: JsonPatchOperation[] = [];
  const requests: string[] = [];
  const binding = { endpointSelectors: ["true"], tlsSecretName: NAME };
  const operator = aKubernetesOperator({
    spec: { enabledFeatures: ["bindings"], binding },
    status: { id: "k8sop_1" },
  });
  const remote = (): RemoteOperator => ({
    id: "k8sop_1",
    uri: "",
    description: "",
    metadata: "",
    enabledFeatures: ["bindings"],
    region: "global",
    deployment: { name: "ngrok-operator", namespace: "ngrok-operator", version: "0.1.0" },
    binding: { endpointSelectors: ["true"], cert },
  });
  const operators: Partial<OperatorsPort> = {
    find: async () => await Promise.resolve(remote()),
    keyAndRequest,
    async change(change) {
      const csr = change.is === "update" ? change.patch.binding?.csr : undefined;
      if (csr !== undefined) requests.push(csr);
      if (csr !== undefined && answers === "signed") cert = { cert: (await authority.issue(csr)).pem, ...ends };
      return remote();
    },
  };
  const context = {
    clock,
    signal: new AbortController().signal,
    release: { name: "ngrok-operator", namespace: "ngrok-operator", fullname: "ngrok-operator" },
    options: { operatorIsGiven: true },
    clusterWide: false,
    reader: { get: async () => await Promise.resolve(secret) } as unknown as Reader,
    writer: {
      async patch(_kind: unknown, _at: unknown, _uid: string, operations: readonly JsonPatchOperation[]) {
        written.push(...operations.filter(({ path }) => path === "/data"));
        return await Promise.resolve(secret);
      },
    } as unknown as Writer,
    ngrok: { operators } as unknown as NgrokPort,
    unchanged: () => false,
    begin: async () => await Promise.resolve(),
  } as unknown as Context;
  const apply = async () => await kubernetesOperatorController.apply(operator, context);
  return { apply, written, requests };
}

test("a certificate that is due the moment it is signed is stored, and looked at again in ten minutes", async () => {
  const { apply, written, requests } = await due({ answers: "signed" });
  expect(await apply()).toMatchObject({ is: "wait", ms: 600_000 });
  expect([written.length, requests.length]).toEqual([1, 1]);
});

test("a new key is not stored with the old certificate, should ngrok still answer with that: it is tried again", async () => {
  const { apply, written, requests } = await due({ answers: "old" });
  expect(await apply()).toMatchObject({ is: "failed", error: { class: "transient" } });
  expect([written.length, requests.length]).toEqual([0, 1]);
});
