// The Secret by which the forwarders prove who they are at ngrok's binding ingress: a key of ours and ngrok's certificate.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { type OwnerReference, refOf } from "#kube/kind.ts";
import { Secret, type SecretObject } from "#kube/kinds.ts";
import type { KeyAndRequest } from "#ngrok/csr.ts";
import type { BindingCertificate } from "#ngrok/operators.ts";
import { KnownError } from "#wire/errors.ts";
import { readableKey } from "../../forwarding/binding-key.ts";
import { bindingSecretOf } from "../../forwarding/binding-secret.ts";
import type { Context } from "../../runtime/define-controller.ts";

export interface Pair extends KeyAndRequest {
  /** PEM; "" until ngrok has signed. */
  readonly crt: string;
}

/** From when to when it is valid: as ngrok says, else as stands in it. */
export function endOf(
  cert: BindingCertificate | undefined,
): Pick<BindingCertificate, "notBefore" | "notAfter"> | undefined {
  if (cert === undefined || cert.notAfter !== undefined) return cert;
  const read = readable(cert.cert);
  return read && { notBefore: read.validFromDate.toISOString(), notAfter: read.validToDate.toISOString() };
}

function readable(crt: string): X509Certificate | undefined {
  try {
    return new X509Certificate(crt);
  } catch {
    return undefined;
  }
}

/** Nobody can prove anything with a key and a certificate that are not of each other. */
function isWhole({ key, csr, crt }: Pair): boolean {
  if (key === "" || csr === "") return false;
  try {
    const own = createPrivateKey(readableKey(key));
    return crt === "" || readable(crt)?.checkPrivateKey(own) === true;
  } catch {
    return false;
  }
}

/** The pair that the Secret holds, made and stored when there is none that can be used: the key is kept before ngrok signs for it. */
export async function readPair(
  operator: KubernetesOperator,
  context: Context,
  make: () => Promise<KeyAndRequest>,
): Promise<Pair> {
  const { reader, writer, signal } = context;
  const secret = await reader.get(Secret, refFor(operator), signal);
  if (secret === undefined) {
    const pair: Pair = { ...(await make()), crt: "" };
    await writer.create(Secret, secretOf(operator, pair), signal);
    return pair;
  }
  if (secret.type !== TLS_TYPE) {
    throw new KnownError(
      "invalid",
      `Secret ${secret.metadata.name} is of type ${secret.type ?? "Opaque"}, not ${TLS_TYPE}`,
      {
        hint: "delete it, the operator makes one of the right type",
      },
    );
  }
  await shareOwnership(operator, secret, context);
  const pair: Pair = { key: text(secret, "tls.key"), csr: text(secret, "tls.csr"), crt: text(secret, "tls.crt") };
  if (isWhole(pair)) return pair;
  const fresh: Pair = { ...(await make()), crt: "" };
  await writePair(operator, fresh, context);
  return fresh;
}

/**
 * Key, request and certificate in one write: they never fit together only in part. Throws, and writes nothing, where the
 * certificate is of another key: what is stored is better.
 */
export async function writePair(
  operator: KubernetesOperator,
  pair: Pair,
  { reader, writer, signal }: Context,
): Promise<void> {
  if (!isWhole(pair)) {
    const hint = "Usually passes: it is asked to sign again.";
    throw new KnownError("transient", "ngrok answered with a certificate of another key than the one it was sent", {
      hint,
    });
  }
  const secret = await reader.get(Secret, refFor(operator), signal);
  const { data } = secretOf(operator, pair);
  if (secret === undefined) {
    await writer.create(Secret, secretOf(operator, pair), signal);
    return;
  }
  await writer.patch(
    Secret,
    refOf(secret),
    secret.metadata.uid ?? "",
    [{ op: "add", path: "/data", value: { ...secret.data, ...data } }],
    signal,
  );
}

/** Two installs in one namespace share the Secret by its name: it goes with the last of them. A person's own stays a person's. */
async function shareOwnership(operator: KubernetesOperator, secret: SecretObject, context: Context): Promise<void> {
  const owners = secret.metadata.ownerReferences ?? [];
  const made = owners.some(({ kind }) => kind === KubernetesOperator.kind);
  if (!made || owners.some(({ uid }) => uid === operator.metadata.uid)) return;
  const path = "/metadata/ownerReferences";
  await context.writer.patch(
    Secret,
    refOf(secret),
    secret.metadata.uid ?? "",
    [
      { op: "test", path, value: owners },
      { op: "add", path: `${path}/-`, value: ownerOf(operator) },
    ],
    context.signal,
  );
}

function ownerOf({ metadata: { name, uid = "" } }: KubernetesOperator): OwnerReference {
  const apiVersion = `${KubernetesOperator.group}/${KubernetesOperator.versions[0]}`;
  return { apiVersion, kind: KubernetesOperator.kind, name, uid };
}

const TLS_TYPE = "kubernetes.io/tls";

function refFor(operator: KubernetesOperator): { name: string; namespace: string } {
  return { name: bindingSecretOf(operator), namespace: operator.metadata.namespace ?? "" };
}

/** Owned by the KubernetesOperator: when that is gone, the garbage collector takes the Secret, and nobody sweeps it by name. */
function secretOf(operator: KubernetesOperator, { key, csr, crt }: Pair): SecretObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: TLS_TYPE,
    metadata: { ...refFor(operator), ownerReferences: [ownerOf(operator)] },
    data: { "tls.key": base64(key), "tls.csr": base64(csr), "tls.crt": base64(crt) },
  };
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}

function text(secret: SecretObject, key: string): string {
  return Buffer.from(secret.data?.[key] ?? "", "base64").toString();
}
