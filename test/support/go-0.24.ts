// What the Go operator's chart 0.24 leaves in a cluster and at ngrok, made by hand from what is known of it: the release
// (./go-0.24), and what its controllers would have made, with finalizers, labels, statuses and the ids of what is at ngrok.
import { createHash } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { KubeObject } from "#kube/kind.ts";
import { crdObjects } from "#scripts/generate/crds.ts";
import {
  aCloudEndpoint,
  aDomain,
  aKubernetesOperator,
  anAgentEndpoint,
  anIngress,
  anIPPolicy,
  aService,
} from "./builders.ts";
import type { Kubectl } from "./kubectl.ts";
import type { NgrokApi } from "./ngrok-api/server.ts";
import { FULLNAME, RELEASE, type Scene } from "./open-scene.ts";

const FINALIZERS = ["k8s.ngrok.com/finalizer"];
const METADATA = '{"owned-by":"ngrok-operator"}';

export interface Chart024 extends AsyncDisposable {
  readonly path: string;
}

/** The chart in a folder of its own. Its CustomResourceDefinitions go with the release, as 0.24's did. */
export async function chart024(): Promise<Chart024> {
  const path = await mkdtemp(join(tmpdir(), "go-0.24-"));
  await cp(join(import.meta.dirname, "go-0.24"), path, { recursive: true });
  await writeFile(join(path, "templates", "crds.yaml"), crds());
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) };
}

function crds(): string {
  const labels = { "app.kubernetes.io/instance": RELEASE };
  const annotations = { "controller-gen.kubebuilder.io/version": "v0.21.0" };
  const all = crdObjects().map((crd) => ({ ...crd, metadata: { ...crd.metadata, labels, annotations } }));
  return all.map((crd) => stringify(crd)).join("---\n");
}

/** Makes what stands after some days of 0.24: an Ingress with what became of it, and people's own objects. */
export async function life024({ stage: { kubectl }, ngrok, namespace, namespaces }: Scene): Promise<void> {
  const [at] = namespaces;
  await kubectl.run(["create", "namespace", at]);
  await register(kubectl, ngrok, namespace);
  await servedIngress(kubectl, ngrok, at, namespace);
  await ownObjects(kubectl, ngrok, at);
}

async function register(kubectl: Kubectl, ngrok: NgrokApi, namespace: string): Promise<void> {
  const uid = await uidOf(kubectl, ["namespace", namespace]);
  const deployment = { name: RELEASE, namespace, version: "0.24.0" };
  const description = "The official ngrok Kubernetes Operator.";
  const metadata = `{"namespace.uid":"${uid}","owned-by":"ngrok-operator"}`;
  const enabled_features = ["ingress", "gateway"];
  const id = await ngrok.add("kubernetes_operators", { deployment, description, metadata, enabled_features });
  const operator = aKubernetesOperator({
    metadata: { name: RELEASE, namespace, finalizers: FINALIZERS },
    spec: { deployment, description },
  });
  await kubectl.apply([operator]);
  await setStatus(kubectl, operator, { id, conditions: conditions("Registered", "Ready") });
}

/** A collapsed Ingress: its Service's AgentEndpoint carries the public address, and a Domain is reserved for it. */
async function servedIngress(kubectl: Kubectl, ngrok: NgrokApi, at: string, release: string): Promise<void> {
  const service = aService({
    metadata: { name: "web", namespace: at },
    spec: { type: "ClusterIP", loadBalancerClass: undefined, ports: [{ name: "http", protocol: "TCP", port: 80 }] },
  });
  await kubectl.apply([service]);
  const host = "shop.example.com";
  const backend = { service: { name: "web", port: { number: 80 } } };
  const labels = Object.fromEntries(
    ["ngrok.com", "k8s.ngrok.com"].flatMap((prefix) => [
      [`${prefix}/controller-namespace`, release],
      [`${prefix}/controller-name`, `${FULLNAME}-manager`],
    ]),
  );
  const hash = createHash("sha256")
    .update(await uidOf(kubectl, ["-n", at, "service", "web"]))
    .digest("hex")
    .slice(0, 5);
  const generated = { namespace: at, finalizers: FINALIZERS, labels };
  const tunnel = anAgentEndpoint({
    metadata: { ...generated, name: `${hash}-web-${at}-80` },
    spec: { url: `https://${host}`, upstream: { url: `http://web.${at}:80` } },
  });
  const domain = aDomain({ metadata: { ...generated, name: "shop-example-com" }, spec: { domain: host } });
  const ingress = anIngress({
    metadata: { name: "shop", namespace: at, finalizers: FINALIZERS },
    spec: { rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
  });
  await kubectl.apply([domain, tunnel, ingress]);
  const description = "Created by ngrok-operator";
  const id = await ngrok.add("reserved_domains", { domain: host, description, metadata: METADATA });
  const ready = conditions("DomainCreated", "CertificateReady", "DNSConfigured", "Ready");
  await setStatus(kubectl, domain, { id, domain: host, conditions: ready });
}

/** What people wrote themselves; 0.24 put its finalizer on it, and nothing that names the install. */
async function ownObjects(kubectl: Kubectl, ngrok: NgrokApi, at: string): Promise<void> {
  const metadata = { namespace: at, finalizers: FINALIZERS };
  const url = "https://pay.internal";
  const endpoint = aCloudEndpoint({ metadata: { ...metadata, name: "pay" }, spec: { url, bindings: ["internal"] } });
  const policy = anIPPolicy({ metadata: { ...metadata, name: "office" } });
  const web = anAgentEndpoint({
    metadata: { ...metadata, name: "web" },
    spec: { url: "https://web.internal", upstream: { url: `http://web.${at}:80` } },
  });
  await kubectl.apply([endpoint, policy, web]);
  const description = "Created by the ngrok-operator";
  const made = { type: "cloud", url, description, metadata: METADATA, bindings: ["internal"] };
  const id = await ngrok.add("endpoints", made);
  await setStatus(kubectl, endpoint, { id, assignedURL: url, conditions: conditions("CloudEndpointCreated", "Ready") });
  await setStatus(kubectl, policy, {
    id: await policyWithRules(ngrok, policy.spec.rules ?? []),
    conditions: conditions("IPPolicyCreated", "IPPolicyRulesConfigured", "Ready"),
  });
}

async function policyWithRules(
  ngrok: NgrokApi,
  rules: readonly { readonly cidr: string; readonly action: string }[],
): Promise<string> {
  const description = "Created by ngrok-operator";
  const id = await ngrok.add("ip_policies", { description, metadata: METADATA });
  for (const { cidr, action } of rules)
    await ngrok.add("ip_policy_rules", { ip_policy_id: id, cidr, action, description, metadata: METADATA });
  return id;
}

function conditions(...types: readonly string[]): object[] {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  return types.map((type) => ({ type, status: "True", reason: type, message: "", lastTransitionTime }));
}

async function setStatus(kubectl: Kubectl, { kind = "", metadata }: KubeObject, status: object): Promise<void> {
  const { name, namespace = "" } = metadata;
  const patch = ["--subresource=status", "--type=merge", "-p", JSON.stringify({ status })];
  await kubectl.run(["-n", namespace, "patch", kind.toLowerCase(), name, ...patch]);
}

async function uidOf(kubectl: Kubectl, what: readonly string[]): Promise<string> {
  return (await kubectl.run(["get", ...what, "-o", "jsonpath={.metadata.uid}"])).trim();
}
