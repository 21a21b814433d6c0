// The values have changed since the objects were made: other features, another namespace, and that is gone by now. The
// uninstall finds what earlier values left, or says what it could not see.
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, FINALIZER_CANONICAL, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import {
  aDomain,
  aGateway,
  aGatewayClass,
  anHTTPRoute,
  anIngress,
  aService,
  aTLSRoute,
} from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { nodeless, type Nodeless } from "#test/support/nodeless.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import type { Release } from "#test/support/release.ts";
import { residue } from "#test/support/residue.ts";

let cluster: Nodeless;

beforeAll(async () => {
  cluster = await nodeless();
  // Of Gateway API's standard channel: TLSRoute at v1 alone, TCPRoute not at all.
  await Promise.all([installCrds(cluster.connection), cluster.gatewayApi("standard")]);
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

test.for([
  { policy: "Retain", helm: 3 },
  { policy: "Delete", helm: 4 },
] as const)(
  "$policy: objects of gateway on and watchNamespace=a go free after gateway off and watchNamespace=b, though b is gone (F9, F10)",
  async ({ policy, helm }) => {
    const id = crypto.randomUUID().slice(0, 4);
    const [a, b] = [`a-${id}`, `b-${id}`];
    const release = await install(id, [a, b], { drainPolicy: policy, "ingress.watchNamespace": a }, helm);
    await settle(a, `old-${id}`);
    await cluster.kubectl.apply(usersObjects(release, a));
    const at = `${release.name} $CHART -n ${release.namespace} --reset-then-reuse-values`;
    await cluster.type(helm, `helm upgrade ${at} --set gateway.enabled=false --set ingress.watchNamespace=${b}`);
    await settle(b, `new-${id}`);
    await cluster.kubectl.run(["delete", "namespace", b, "--wait=false"]);
    await cluster.kubectl.run(["-n", b, "wait", "--for=delete", "rolebindings", "--all", "--timeout=150s"]);

    await cluster.type(helm, `helm test ${release.name} -n ${release.namespace}`);
    const run = await release.uninstall();

    expect(cluster.log(release, "rehearsal")).toMatch(/ ready +helm uninstall .* would come to its end/);
    const log = cluster.log(release, "drain");
    expect(run.code, `${run.stderr}${log}`).toBe(0);
    expect(log).not.toMatch(/^\S+ (left|unknown) /m);
    await cluster.kubectl.run(["wait", "--for=delete", `namespace/${b}`, "--timeout=150s"]);
    expect(await left(id)).toEqual([]);
    expect(
      cluster.api.objects("reserved_domains").filter((one) => JSON.stringify(one).includes(`old-${id}`)),
    ).toHaveLength(policy === "Retain" ? 1 : 0);
    const gatewayClass = ["get", "gatewayclass", `ngrok-${id}`, "-o", "jsonpath={.metadata.finalizers}"];
    expect(await cluster.kubectl.run(gatewayClass)).toBe("");
  },
);

test("objects without a stamp, of the time before there were any, are freed by the only install: by their labels, by its scope (F9)", async () => {
  const id = crypto.randomUUID().slice(0, 4);
  const [a, b] = [`a-${id}`, `b-${id}`];
  const release = await install(id, [a, b], { "ingress.watchNamespace": a });
  const manager = `${release.name}-ngrok-operator-manager`;
  const labels = {
    "k8s.ngrok.com/controller-namespace": release.namespace,
    "k8s.ngrok.com/controller-name": manager,
  };
  const old = (name: string, namespace: string, more = {}) => ({ name, namespace, finalizers: [FINALIZER], ...more });
  await cluster.kubectl.run(["-n", release.namespace, "scale", `deployment/${manager}`, "--replicas=0"]);
  await cluster.kubectl.apply([
    aDomain({ metadata: old("labelled", b, { labels }) }),
    aDomain({ metadata: old("in-scope", a) }),
    aDomain({ metadata: old("nobodys", b) }),
    anIngress({ metadata: old("elsewhere", b) }),
    aService({ metadata: { ...old("canonical", a), finalizers: [FINALIZER_CANONICAL] } }),
  ]);

  const run = await release.uninstall();

  const log = cluster.log(release, "drain");
  expect(run.code, `${run.stderr}${log}`).toBe(0);
  expect(await left(id)).toEqual([`finalizer on domain ${b}/nobodys`]);
  expect(log).toMatch(new RegExp(`left +domain ${b}/nobodys: .* no stamp .* outside of what this install watches`));
  const [, letGo = ""] = /remedy +if nobody needs it any more: (.*)/.exec(log) ?? [];
  await cluster.type(4, letGo);
  expect(await left(id)).toEqual([]);
});

test("without any right outside, a watched namespace that is gone is refused with commands that work as printed (F9, F10)", async () => {
  const id = crypto.randomUUID().slice(0, 4);
  const a = `a-${id}`;
  const values = { "rbac.cluster": false, "ingress.watchNamespace": a };
  const release = await install(id, [a], values);
  await cluster.kubectl.run(["delete", "namespace", a]);

  await expect(cluster.type(4, `helm test ${release.name} -n ${release.namespace}`)).rejects.toThrow("Job");
  const refused = await release.uninstall();

  expect(cluster.log(release, "rehearsal")).toContain(`kubectl create namespace ${a}, then helm rollback`);
  const log = cluster.log(release, "drain");
  expect(refused.code, log).not.toBe(0);
  expect(log).toMatch(/refused +this hook's ServiceAccount may not .*Nothing was changed/);
  const commands = log.split("\n").flatMap((line) => (/remedy +((kubectl|helm) .*)/.exec(line) ?? []).slice(1, 2));
  expect(commands).toHaveLength(3);
  for (const command of commands)
    await cluster.type(4, command).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${cluster.log(release, "drain")}${cluster.log(release, "cleanup")}`);
    });
  expect(cluster.log(release, "drain")).toContain(
    `rbac.cluster=false: what lies outside of ops-${id} and ${a} was not looked at`,
  );
  expect(await left(id)).toEqual([]);
});

async function install(
  id: string,
  namespaces: readonly string[],
  values: Readonly<Record<string, string | boolean>>,
  helm: 3 | 4 = 4,
): Promise<Release> {
  for (const name of namespaces) await cluster.kubectl.run(["create", "namespace", name]);
  const without = { installCRDs: false, "ingress.ingressClass.create": false };
  return await cluster.install({ name: `edge-${id}`, namespace: `ops-${id}`, helm, values: { ...without, ...values } });
}

async function left(id: string): Promise<readonly string[]> {
  return (await residue(cluster.kubectl)).lines.filter((line) => line.includes(id));
}

async function settle(namespace: string, name: string): Promise<void> {
  const population = aPopulation(3, { namespaces: [namespace], name });
  await populate(cluster.connection, population, cluster.signal);
  await allReady(cluster.connection, population, { withinMs: 180_000, signal: cluster.signal });
}

/** One of each kind of a user's, as a release with all features on holds them. */
function usersObjects({ name, namespace }: Release, shop: string): readonly object[] {
  const claim = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: `${namespace}/${name}` } };
  const metadata = { ...claim, namespace: shop };
  const classClaim = { ...claim, finalizers: [GATEWAY_CLASS_FINALIZER] };
  return [
    anIngress({ metadata }),
    aService({ metadata }),
    aGatewayClass({ metadata: { ...classClaim, name: `ngrok-${shop.slice(2)}` } }),
    aGateway({ metadata }),
    anHTTPRoute({ metadata }),
    aTLSRoute({ metadata, spec: { hostnames: ["shop.example.com"] } }),
  ];
}
