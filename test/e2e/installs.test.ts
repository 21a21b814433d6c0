// Two installs in one cluster, each watching its own namespaces: one goes and the other does not notice, also when both go
// at once.
import { expect } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { aGatewayClass } from "#test/support/builders.ts";
import { hookLines, type HelmVersion } from "#test/support/helm.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import { releaseOf, type Release } from "#test/support/release.ts";
import { RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

const COUNT = 30;
const TLS = "ngrok-operator-default-tls";
const CLASS_FINALIZER = "gateway-exists-finalizer.gateway.networking.k8s.io";
const kinds = "cloudendpoints,domains,ippolicies";

test.for([
  { gone: "east", stays: "west" },
  { gone: "west", stays: "east" },
] as const)(
  "under Delete $gone goes, and $stays keeps its objects, what is at ngrok, its Secrets, and its work (F18, F19)",
  async ({ gone, stays }, { scene }) => {
    const { kubectl } = scene.stage;
    await using installs = await twoInstalls(scene);
    const { [gone]: one, [stays]: other } = installs;
    const owner = { "ngrok.com/drain-owner": `${other.shop}/${other.release.name}` };
    await kubectl.apply([aGatewayClass({ metadata: { finalizers: [CLASS_FINALIZER], annotations: owner } })]);
    const before = await everythingOf(scene, other);

    const run = await one.release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(hookLines(run).join("\n")).toMatch(new RegExp(`done .*${COUNT} objects, ${COUNT} deleted at ngrok`));
    expect(await everythingOf(scene, other)).toEqual(before);
    expect(await kubectl.run(["-n", other.shop, "get", "secret", TLS, "-o", "name"])).toContain(TLS);
    await settle(scene, other.shop, 3, "late");
    expect(await kubectl.run(["-n", one.shop, "get", kinds, "-o", "name"])).toBe("");
  },
);

test("both uninstalled at once, by Helm 3 and Helm 4: each frees its own, and nothing is left (F18, F19)", async ({
  scene,
}) => {
  await using installs = await twoInstalls(scene);
  const runs = await Promise.all([installs.east.release.uninstall(), installs.west.release.uninstall()]);
  for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
  expect(scene.ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
});

interface Install {
  readonly release: Release;
  /** Where it stands, and what it watches. */
  readonly shop: string;
}

/** `east` by Helm 3 and `west` by Helm 4, with objects and bindings of their own, on CRDs that are neither's. */
async function twoInstalls(
  scene: Scene,
): Promise<{ readonly east: Install; readonly west: Install } & AsyncDisposable> {
  const { stage, namespaces } = scene;
  const crds = await stage.helm(4, ["template", RELEASE, CHART, "--show-only", "templates/crds/*.yaml"]);
  await stage.kubectl.run(["apply", "--server-side", "-f", "-"], { input: crds.stdout });
  const [east, west] = await Promise.all([
    anInstall(scene, "east", 3, namespaces[0]),
    anInstall(scene, "west", 4, namespaces[1]),
  ]);
  return {
    east,
    west,
    async [Symbol.asyncDispose]() {
      const rest = ["--no-hooks", "--ignore-not-found"];
      for (const { release, shop } of [east, west])
        await stage.helm(3, ["uninstall", release.name, "-n", shop, ...rest]);
      const off = ["--type=merge", "-p", '{"metadata":{"finalizers":null}}'];
      await stage.kubectl.run(["patch", "gatewayclass/ngrok", ...off]).catch(() => {}); // not every test has one
      await stage.kubectl.run(["delete", "gatewayclass/ngrok", "--ignore-not-found"]);
    },
  };
}

async function anInstall(scene: Scene, name: string, helm: HelmVersion, shop: string): Promise<Install> {
  const { stage, ngrok } = scene;
  const apiURL = `http://${stage.cluster.hostIp}:${ngrok.port}`;
  const values = {
    installCRDs: false,
    drainPolicy: "Delete",
    "bindings.enabled": true,
    "ingress.watchNamespace": shop,
    "ingress.ingressClass.create": false,
    // A leader that serves Gateways shows on each class that it accepts it, and lets go of one that no Gateway names, whenever it
    // gets to it: here the uninstall alone has a hand in the class.
    "gateway.enabled": false,
  };
  const release = releaseOf(stage, { name, namespace: shop, helm, apiURL, values });
  const { code, stderr } = await release.install();
  if (code !== 0) throw new Error(`helm${helm} install ${name}: ${stderr}`);
  await release.ready();
  await settle(scene, shop, COUNT, name);
  return { release, shop };
}

async function settle({ connection, signal }: Scene, shop: string, count: number, name: string): Promise<void> {
  const population = aPopulation(count, { namespaces: [shop], name });
  await populate(connection, population, signal);
  await allReady(connection, population, { withinMs: 180_000, signal });
}

/** Objects to the last field, the install's own object but for what it says of itself, and what is at ngrok. */
async function everythingOf({ stage, ngrok }: Scene, { shop, release }: Install): Promise<unknown> {
  const list = async (of: string): Promise<KubeObject[]> =>
    (await stage.kubectl.json<{ items: KubeObject[] }>(["-n", shop, "get", of])).items;
  const operator = (await list("kubernetesoperators")).map(({ metadata: { uid, finalizers } }) => ({
    uid,
    finalizers,
  }));
  const gatewayClass = await stage.kubectl.json<KubeObject>(["get", "gatewayclass/ngrok"]);
  const atNgrok = ["endpoints", "reserved_domains", "ip_policies"]
    .flatMap((collection) => ngrok.objects(collection))
    .filter(({ metadata }) => String(metadata).includes(`"population":"${release.name}"`));
  expect(atNgrok).toHaveLength(COUNT);
  return [await list(kinds), await list("secrets,configmaps,roles,rolebindings"), operator, gatewayClass, atNgrok];
}
