// The install's own object: made, registered, adopted, and with its certificate, on a real API server and ngrok's wire.
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Namespace, Secret, type SecretObject } from "#kube/kinds.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { kubernetesOperatorController } from "./controller.ts";

const controllers = [kubernetesOperatorController];
const bindings = {
  endpointSelectors: ["true"],
  serviceAnnotations: {},
  serviceLabels: {},
  ingressEndpoint: "bindings.example.com:443",
};
const TLS = "ngrok-operator-default-tls";

async function namespaceUid(world: World): Promise<string> {
  const namespace = await world.read.get(Namespace, { name: world.namespace }, AbortSignal.timeout(60_000));
  return namespace?.metadata.uid ?? "";
}

async function certificate(world: World): Promise<{ key: string; crt: string; csr: string }> {
  const secret = await world.get(Secret, TLS);
  const text = (key: string): string => Buffer.from(secret?.data?.[key] ?? "", "base64").toString();
  return { key: text("tls.key"), crt: text("tls.crt"), csr: text("tls.csr") };
}

test("the object is made from the flags and registered", async () => {
  await using world = await startWorld({ controllers, options: { drainPolicy: "Delete", description: "ours" } });
  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  expect(ready.spec).toMatchObject({
    description: "ours",
    deployment: { name: "ngrok", namespace: world.namespace, version: "0.1.0" },
    drain: { policy: "Delete" },
    enabledFeatures: ["ingress", "gateway"],
    region: "global",
  });
  expect(ready.metadata.finalizers).toEqual([FINALIZER]);
  expect(condition(ready, "Registered")).toBe("True Registered");
  const [remote] = world.api.objects("kubernetes_operators");
  expect(remote).toMatchObject({ id: ready.status?.id, deployment: { name: "ngrok", namespace: world.namespace } });
  expect(JSON.parse(String(remote?.["metadata"]))).toEqual({
    "owned-by": "ngrok-operator",
    "namespace.uid": await namespaceUid(world),
  });
  expect(ready.status?.enabledFeatures).toBe("ingress,gateway");
});

test("one that stands in manifests is left to them: not made, registered as it says, and its spec never written", async () => {
  const options = { operatorIsGiven: true, drainPolicy: "Delete", description: "ours" } as const;
  await using world = await startWorld({ controllers, options });
  const given = aKubernetesOperator({ metadata: { name: "ngrok" }, spec: { description: "theirs" } });
  const before = await world.create(KubernetesOperator, given);
  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  expect(ready.spec).toEqual(before.spec);
  expect(ready.metadata.generation).toBe(1);
  expect(ready.metadata.finalizers).toEqual([FINALIZER]);
  expect(world.api.objects("kubernetes_operators")).toMatchObject([{ description: "theirs" }]);
});

test("a registration of this cluster and release is taken up again, another cluster's is left alone", async () => {
  await using world = await startWorld({ controllers, start: false });
  const of = (uid: string) => ({
    description: "",
    metadata: JSON.stringify({ "namespace.uid": uid }),
    enabled_features: ["ingress"],
    region: "global",
    deployment: { name: "ngrok", namespace: world.namespace, version: "0.0.1" },
  });
  const foreign = await world.api.add("kubernetes_operators", of("another-cluster"));
  const ours = await world.api.add("kubernetes_operators", of(await namespaceUid(world)));

  world.start();

  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  expect(ready.status?.id).toBe(ours);
  expect(world.api.objects("kubernetes_operators")).toMatchObject([
    { id: foreign, deployment: { version: "0.0.1" } },
    { id: ours, deployment: { version: "0.1.0" } },
  ]);
});

test("a registration that is gone at ngrok is made anew", async () => {
  await using world = await startWorld({ controllers });
  const before = await world.until(KubernetesOperator, "ngrok", isReady);
  await world.manager.stop();
  world.api.reset();
  world.start();
  const after = await world.until(
    KubernetesOperator,
    "ngrok",
    ({ status }) => ![undefined, before.status?.id].includes(status?.id),
  );
  expect(world.api.objects("kubernetes_operators")).toMatchObject([{ id: after.status?.id }]);
});

test("with bindings on it gets a certificate for a key of its own, kept in a Secret that goes with the object (W17)", async () => {
  await using world = await startWorld({ controllers, options: { features: ["ingress", "bindings"], bindings } });
  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  expect(ready.status?.bindingsIngressEndpoint).toBeTruthy();
  const { key, crt } = await certificate(world);
  expect(new X509Certificate(crt).checkPrivateKey(createPrivateKey(key))).toBe(true);
  const secret = await world.get(Secret, TLS);
  expect(secret?.metadata.ownerReferences).toMatchObject([
    { kind: "KubernetesOperator", name: "ngrok", uid: ready.metadata.uid },
  ]);
});

test("a second install of the namespace shares that Secret, and it goes with the last of them alone (F19)", async () => {
  await using world = await startWorld({ controllers, options: { features: ["bindings"], bindings }, start: false });
  const other = await world.create(KubernetesOperator, aKubernetesOperator({ metadata: { name: "other" } }));
  const owner = { apiVersion: "ngrok.k8s.ngrok.com/v1alpha1", kind: "KubernetesOperator", name: "other" };
  const ownerReferences = [{ ...owner, uid: other.metadata.uid ?? "" }];
  const data = { "tls.key": "", "tls.crt": "" };
  await world.create(Secret, { metadata: { name: TLS, ownerReferences }, type: "kubernetes.io/tls", data });
  world.start();
  const owners = ({ metadata }: KubeObject) => (metadata.ownerReferences ?? []).map(({ name }) => name);
  await world.until(Secret, TLS, (secret) => owners(secret).join() === "other,ngrok");

  await world.remove(KubernetesOperator, "other");

  // The garbage collector has been here: it takes the dead owner off, and leaves what has a living one.
  // It looks for new kinds every thirty seconds, so ours may be half a minute old before it knows of them.
  const left = await world.until(Secret, TLS, (secret) => owners(secret).join() === "ngrok", 180_000);
  expect(left.metadata.deletionTimestamp).toBeUndefined();
});

test("a certificate that ends within 30 days is renewed, key and certificate together", async () => {
  await using world = await startWorld({ controllers, options: { features: ["bindings"], bindings } });
  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  const before = await certificate(world);
  await world.manager.stop();
  const [remote] = world.api.objects("kubernetes_operators");
  const binding = remote?.["binding"] as { cert: object };
  const day = (n: number): string => new Date(Date.now() + n * 86_400_000).toISOString();
  const cert = { ...binding.cert, not_before: day(-61), not_after: day(29) };
  world.api.edit("kubernetes_operators", ready.status?.id ?? "", {
    binding: { ...binding, cert },
  });

  world.start();

  const renewed = await world.until(
    Secret,
    TLS,
    ({ data }) => Buffer.from(data?.["tls.crt"] ?? "", "base64").toString() !== before.crt,
  );
  const text = (name: string): string => Buffer.from(renewed.data?.[name] ?? "", "base64").toString();
  expect(text("tls.key")).not.toBe(before.key);
  expect(new X509Certificate(text("tls.crt")).checkPrivateKey(createPrivateKey(text("tls.key")))).toBe(true);
});

test("a certificate that ends soon is renewed while the operator runs, again and again", async () => {
  // The last third is for the renewal, which a busy machine may make late.
  const halfAMinute = 30 / 86_400;
  await using world = await startWorld({
    controllers,
    options: { features: ["bindings"], bindings },
    ngrok: { certificateDays: halfAMinute },
  });
  await world.until(KubernetesOperator, "ngrok", isReady);
  const seen = [(await certificate(world)).crt];
  for (let round = 0; round < 2; round += 1) {
    await world.until(Secret, TLS, ({ data }) => !seen.includes(textOf(data, "tls.crt")));
    const { key, crt } = await certificate(world);
    expect(new X509Certificate(crt).checkPrivateKey(createPrivateKey(key))).toBe(true);
    // Signed before the end of the last one, so that forwarders never have to do without; when it is seen here says less.
    const last = new X509Certificate(seen.at(-1) ?? "");
    expect(last.validToDate.getTime()).toBeGreaterThan(new X509Certificate(crt).validFromDate.getTime());
    seen.push(crt);
  }
});

test.for<readonly [string, Record<string, string> | undefined]>([
  ["deletes", undefined],
  ["empties", { "tls.key": "", "tls.crt": "", "tls.csr": "" }],
  ["gives another's key", { "tls.key": Buffer.from(anotherKey()).toString("base64") }],
  ["spoils the certificate of", { "tls.crt": Buffer.from("not PEM").toString("base64") }],
])("a Secret that somebody %s is mended without a restart", async ([, spoilt]) => {
  await using world = await startWorld({ controllers, options: { features: ["bindings"], bindings } });
  const ready = await world.until(KubernetesOperator, "ngrok", isReady);
  const { uid = "" } = (await world.get(Secret, TLS))?.metadata ?? {};
  const at = { name: TLS, namespace: world.namespace };
  const { signal } = new AbortController();
  if (spoilt === undefined) await world.remove(Secret, TLS);
  else
    for (const [key, value] of Object.entries(spoilt))
      await world.write.patch(Secret, at, uid, [{ op: "add", path: `/data/${key}`, value }], signal);
  // As the next look would be.
  const look = [{ op: "add" as const, path: "/metadata/labels", value: { look: "again" } }];
  await world.write.patch(KubernetesOperator, { ...at, name: "ngrok" }, ready.metadata.uid ?? "", look, signal);
  const whole = ({ data }: SecretObject): boolean => isPair(textOf(data, "tls.key"), textOf(data, "tls.crt"));
  const mended = await world.until(Secret, TLS, whole);
  expect(mended.type).toBe("kubernetes.io/tls");
});

function textOf(data: Readonly<Record<string, string>> | undefined, key: string): string {
  return Buffer.from(data?.[key] ?? "", "base64").toString();
}

function isPair(key: string, crt: string): boolean {
  try {
    return new X509Certificate(crt).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function anotherKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

test("a Secret of the wrong type is named with the remedy", async () => {
  await using world = await startWorld({ controllers, options: { features: ["bindings"], bindings }, start: false });
  await world.create(Secret, { metadata: { name: TLS }, type: "Opaque" });
  world.start();
  const told = await world.until(KubernetesOperator, "ngrok", (one) => condition(one, "Ready") !== undefined);
  const message = told.status?.conditions?.find(({ type }) => type === "Ready")?.message;
  expect(message).toContain(`Secret ${TLS} is of type Opaque`);
  expect(message).toContain("delete it");
});

test("a key that ngrok refuses is a condition with the remedy, and no finalizer is in anybody's way for it", async () => {
  await using world = await startWorld({ controllers, ngrok: { keys: ["another-key"] } });
  const told = await world.until(KubernetesOperator, "ngrok", (one) => condition(one, "Ready") !== undefined);
  expect(condition(told, "Registered")).toBe("False RegistrationFailed");
  expect(told.status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain("API key is not valid");
  expect(JSON.stringify(world.manager.log)).not.toContain("test-key");
});

test("what somebody changes in our fields of the spec comes back, what they add beside them stays", async () => {
  await using world = await startWorld({ controllers });
  const made = await world.until(KubernetesOperator, "ngrok", isReady);
  const change = [
    { op: "replace" as const, path: "/spec/description", value: "theirs" },
    { op: "replace" as const, path: "/spec/metadata", value: { team: "network" } },
  ];
  await world.write.patch(
    KubernetesOperator,
    { name: "ngrok", namespace: world.namespace },
    made.metadata.uid ?? "",
    change,
    AbortSignal.timeout(60_000),
  );
  const after = await world.until(
    KubernetesOperator,
    "ngrok",
    ({ metadata, status, spec }) => spec.description !== "theirs" && status?.observedGeneration === metadata.generation,
  );
  expect(after.spec).toMatchObject({ description: "Created by the ngrok-operator", metadata: { team: "network" } });
  expect(JSON.parse(String(world.api.objects("kubernetes_operators")[0]?.["metadata"]))).toMatchObject({
    team: "network",
  });
});
