// `ngrok-drain rescue` on installs that are half gone: no operator, no chart, no state; CRDs or the namespace on their way
// out. Each story has a namespace of its own, since one that is being deleted does not come back here.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Kind } from "#kube/kind.ts";
import { ConfigMap, CustomResourceDefinition, Ingress, Lease, Namespace, Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { endOf, eventsSince, said, writes } from "#test/support/audit.ts";
import { aDomain, aKubernetesOperator, anIngress } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { type DrainCli, startDrainCli } from "#test/support/drain-cli.ts";
import { drainDocument } from "#test/support/drain-documents.ts";
import type { RescueDocument } from "./rescue.ts";

/** As the audit log calls whoever has the admin's kubeconfig. */
const ADMIN = "admin";

let cli: DrainCli;
let n = 0;
/** The release `edge` in this namespace. */
let home = "";

beforeAll(async () => {
  cli = await startDrainCli();
});
afterAll(async () => await cli[Symbol.asyncDispose]());

beforeEach(async () => {
  await cli.reset();
  home = `home-${(n += 1)}`;
  await cli.write.create(Namespace, { metadata: { name: home } }, cli.signal);
});

const stamped = () => ({ finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: `${home}/edge` } });

async function aStampedDomain(name: string, namespace = "shop"): Promise<string> {
  const host = `${name}.example.com`;
  const id = await cli.api.add("reserved_domains", { domain: host });
  const domain = aDomain({ metadata: { name, namespace, ...stamped() }, spec: { domain: host } });
  const { metadata } = await cli.write.create(Domain, domain, cli.signal);
  await applyStatus(cli.connection, Domain, metadata, { id }, "test", cli.signal);
  return id;
}

async function anOperator(): Promise<void> {
  const metadata = { name: "edge", namespace: home, finalizers: [FINALIZER] };
  await cli.write.create(KubernetesOperator, aKubernetesOperator({ metadata }), cli.signal);
}

const domainNow = async (name: string, namespace = "shop") =>
  await cli.read.get(Domain, { name, namespace }, cli.signal);

const rescue = async (...args: string[]) => await cli.outside(["rescue", "edge", ...args], { NGROK_API_KEY: "key" });

test("a namespace that hangs in Terminating is let go: no Lease, state or report can be made, so the ids are in the answer (F16, E21)", async () => {
  await anOperator();
  const id = await aStampedDomain("hanging", home);
  await cli.kubectl("delete", "namespace", home, "--wait=false");
  const { code, out, err } = await rescue("--confirm", "edge", "-o", "json");
  expect({ code, err }).toMatchObject({ code: 0 });
  const rescued = await drainDocument<RescueDocument>("rescue", out);
  expect(rescued).toMatchObject({ ok: true, policy: "Retain", release: { namespace: home, name: "edge" } });
  expect(rescued.found).toContainEqual({ what: `namespace ${home}`, is: "is being deleted" });
  expect(rescued.kept).toMatchObject([{ kind: "domain", object: `${home}/hanging`, id }]);
  expect((await domainNow("hanging", home))?.metadata.finalizers).toBeUndefined();
  expect(await cli.read.get(KubernetesOperator, { name: "edge", namespace: home }, cli.signal)).toBeUndefined();
  const lease = { name: "edge-ngrok-operator-leader", namespace: home };
  expect(await cli.read.get(Lease, lease, cli.signal)).toBeUndefined();
  expect(cli.api.objects("reserved_domains")).toHaveLength(1);
});

test("CRDs that hang in their deletion go once their objects are free, and nothing goes at ngrok (F1)", async () => {
  await aStampedDomain("held");
  const crd = { name: "domains.ingress.k8s.ngrok.com" };
  await cli.kubectl("delete", "crd", crd.name, "--wait=false");
  const { code, out } = await rescue("--confirm", "edge");
  expect(out).toMatch(/found +CustomResourceDefinitions: being deleted: domains\.ingress\.k8s\.ngrok\.com/);
  expect(out).toMatch(/kept +at ngrok: Domain 1; ids in ConfigMap edge-ngrok-operator-drain-report/);
  expect(code).toBe(0);
  const left = async () => await cli.read.get(CustomResourceDefinition, crd, cli.signal);
  await expect.poll(left).toBeUndefined();
  expect(cli.api.objects("reserved_domains")).toHaveLength(1);
  await installCrds(cli.connection);
});

test("a stamp is enough to find an install, and a person who does not type its name changes nothing", async () => {
  await cli.write.create(
    Ingress,
    anIngress({ metadata: { name: "web", namespace: "shop", ...stamped() } }),
    cli.signal,
  );
  const since = await endOf(cli.plane.auditLog);
  const dry = await rescue("--dry-run");
  expect(dry.out).toMatch(new RegExp(`^release ${home}/edge  fullname edge-ngrok-operator  policy Retain$`, "m"));
  expect(dry.out).toMatch(/^Ingress +1 +1 +stays, finalizer off +same$/m);
  expect(dry.out).toMatch(/Nothing was changed/);
  const silent = await rescue();
  expect(silent.out).toMatch(/refused +nobody has typed the release's name. Nothing was changed/);
  expect(silent.out).toContain(`ngrok-drain rescue edge -n ${home} --policy Retain --confirm edge`);
  const wrong = await cli.outside(["rescue", "edge"], {}, "yes\n");
  expect([dry.code, silent.code, wrong.code, (await rescue("--confirm", "other")).code]).toEqual([0, 2, 2, 2]);
  const seen = await eventsSince(cli.plane.auditLog, since);
  expect(seen.some(({ user }) => user.username === ADMIN)).toBe(true);
  const changes = writes(seen).filter(({ user }) => user.username === ADMIN);
  expect(changes.map(said)).toEqual([]);
  const right = await cli.outside(["rescue", "edge"], {}, "edge\n");
  expect({ code: right.code, asked: right.err }).toEqual({
    code: 0,
    asked: "Type the release's name, edge, to begin: ",
  });
  const ingress = await cli.read.get(Ingress, { name: "web", namespace: "shop" }, cli.signal);
  expect(ingress?.metadata).not.toHaveProperty("finalizers");
});

test("the command that it names for the rest spares a database under the same parent chart, which has the release's label too", async () => {
  const instance = { "app.kubernetes.io/instance": "edge", "app.kubernetes.io/managed-by": "Helm" };
  const annotations = { "meta.helm.sh/release-name": "edge", "meta.helm.sh/release-namespace": home };
  const put = async (kind: Kind, name: string, nameLabel?: string) => {
    const labels = { ...instance, ...(nameLabel === undefined ? {} : { "app.kubernetes.io/name": nameLabel }) };
    const metadata = { name, namespace: home, labels, annotations };
    await cli.write.create(kind, { metadata }, cli.signal);
  };
  // The chart's alias, or its nameOverride, is the name that its objects say.
  await put(ConfigMap, "edge-tunnels-drain-state", "tunnels");
  await put(ConfigMap, "edge-tunnels-rest", "tunnels");
  await put(Secret, "edge-tunnels-credentials", "tunnels");
  await put(Lease, "edge-tunnels-leader");
  await put(ConfigMap, "edge-postgresql", "postgresql");
  await put(Secret, "edge-postgresql", "postgresql");
  await put(ConfigMap, "edge-umbrella");
  const { out, code } = await rescue("-n", home, "--confirm", "edge");
  expect(code).toBe(0);
  const [, next = ""] = /^next +(kubectl .*)$/m.exec(out) ?? [];
  for (const line of next.split(" && ")) await cli.kubectl(...line.split(" ").slice(1));
  const left: string[] = [];
  for (const kind of [ConfigMap, Secret, Lease] as Kind[]) {
    for await (const { items } of cli.read.pages(kind, { namespace: home }, cli.signal))
      left.push(...items.map(({ metadata }) => `${kind.kind} ${metadata.name}`));
  }
  expect(left.filter((object) => object.includes(" edge-"))).toEqual([
    "ConfigMap edge-postgresql",
    "ConfigMap edge-umbrella",
    "Secret edge-postgresql",
  ]);
});

test("Delete needs a key, and then deletes at ngrok and in the cluster; a drained install stays drained", async () => {
  await anOperator();
  await aStampedDomain("gone");
  const labels = { "app.kubernetes.io/managed-by": "Helm" };
  const annotations = { "meta.helm.sh/release-name": "edge", "meta.helm.sh/release-namespace": home };
  const state = { name: "custom-drain-state", namespace: home };
  await cli.write.create(ConfigMap, { metadata: { ...state, labels, annotations } }, cli.signal);
  const keyless = await cli.outside(["rescue", "edge", "--policy", "Delete", "--confirm", "edge"]);
  expect(keyless.out).toMatch(/refused .*there is no API key. Nothing was changed/);
  const { code, out } = await rescue("--policy", "Delete", "--confirm", "edge");
  expect(out).toMatch(/fullname custom {2}policy Delete/);
  expect(out).toMatch(/done +1 objects, 1 deleted at ngrok/);
  expect([keyless.code, code, cli.api.objects("reserved_domains")]).toEqual([2, 0, []]);
  expect(await domainNow("gone")).toBeUndefined();
  const now = await cli.read.get(ConfigMap, state, cli.signal);
  expect(now?.data).toMatchObject({ phase: "Drained", policy: "Delete", driver: "cli" });
});

test("traces in two namespaces are both named, and a release that never was is not guessed at", async () => {
  for (const namespace of [home, "shop"]) {
    const metadata = { name: "twin", namespace, finalizers: [FINALIZER] };
    await cli.write.create(KubernetesOperator, aKubernetesOperator({ metadata }), cli.signal);
  }
  const two = await cli.outside(["rescue", "twin", "--dry-run"]);
  expect(two.err).toMatch(new RegExp(`traces of 2 releases twin: -n ${home}, -n shop\nremedy: say which`));
  const none = await cli.outside(["rescue", "nowhere"]);
  expect(none.err).toMatch(/nothing of a release nowhere was found in the cluster\nremedy: .*-n NAMESPACE/);
  expect([two.code, none.code]).toEqual([1, 1]);
});
