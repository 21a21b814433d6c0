// The promise itself: helm uninstall frees everything, under both policies, by both Helms, with CRDs kept or not, with
// nothing, little and much to free, whether the operator lives, is doubled, or is down.
import { expect } from "vitest";
import { eventsSince, freeings, said } from "#test/support/audit.ts";
import { hookLines, type HelmVersion } from "#test/support/helm.ts";
import type { Population } from "#test/support/population.ts";
import { FULLNAME, RELEASE, test, type Scene } from "#test/support/scene.ts";
import type { Stage } from "#test/support/stage.ts";

interface Case {
  readonly policy: "Retain" | "Delete";
  readonly helm: HelmVersion;
  readonly keep: boolean;
  readonly count: number;
  readonly replicas: number;
}

const cases: readonly Case[] = [
  { policy: "Retain", helm: 3, keep: true, count: 300, replicas: 1 },
  { policy: "Delete", helm: 4, keep: true, count: 300, replicas: 2 },
  { policy: "Retain", helm: 4, keep: false, count: 300, replicas: 0 },
  { policy: "Delete", helm: 3, keep: false, count: 300, replicas: 1 },
  { policy: "Retain", helm: 3, keep: false, count: 1, replicas: 2 },
  { policy: "Delete", helm: 4, keep: false, count: 1, replicas: 0 },
  { policy: "Retain", helm: 4, keep: true, count: 0, replicas: 1 },
  { policy: "Delete", helm: 3, keep: true, count: 0, replicas: 0 },
];

test.for(cases)(
  "Helm $helm, $policy, crds.keep=$keep: $count objects go free with $replicas replicas of the operator",
  async ({ policy, helm, keep, count, replicas }, { scene }) => {
    const { stage, ngrok } = scene;
    const values = { drainPolicy: policy, "crds.keep": keep, replicaCount: Math.max(replicas, 1) };
    const release = await scene.install({ helm, values });
    const population = await scene.populate(count);
    expect(ngrok.remote()).toBe(count);
    if (replicas === 0) await stopOperator(scene);
    const before = await scene.auditPosition();

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain(`release "${RELEASE}" uninstalled`);
    const lines = hookLines(run);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.length).toBeLessThan(40);
    expect(lines.join("\n")).toMatch(
      new RegExp(`drain .*policy ${policy}[^]*verified .*no finalizer[^]*done .*${count} objects`),
    );
    await hookFreed(scene, before, count);
    expect(ngrok.remote()).toBe(policy === "Retain" ? count : 0);
    expect(ngrok.objects("kubernetes_operators")).toEqual([]);
    await podsGone(scene);
    await onlyWhatIsKept(scene, keep);
    await objectsAre(stage, population, policy === "Retain" && keep);
    // A namespace takes five seconds to go: shown where there was much in it.
    if (count > 1) await namespacesGo(scene);
    expect(await scene.residue()).toEqual([]);
  },
);

async function stopOperator(scene: Scene): Promise<void> {
  const deployment = `deployment/${FULLNAME}-manager`;
  await scene.stage.kubectl.run(["-n", scene.namespace, "scale", deployment, "--replicas=0"]);
  await podsGone(scene);
}

/** Helm deletes Deployments in the background. */
async function podsGone({ stage, namespace }: Scene): Promise<void> {
  const selector = `app.kubernetes.io/instance=${RELEASE}`;
  await stage.kubectl.run(["-n", namespace, "wait", "--for=delete", "pods", "--selector", selector, "--timeout=150s"]);
}

/** Whoever drives is the only one who takes finalizers off: here the hook, one for each object and the operator's own. */
async function hookFreed({ auditLog, namespace }: Scene, before: number, count: number): Promise<void> {
  const removals = freeings(await eventsSince(auditLog, before));
  expect(removals.length).toBe(count + 1);
  const hook = `system:serviceaccount:${namespace}:${FULLNAME}-drain`;
  expect(removals.filter(({ user }) => user.username !== hook).map(said)).toEqual([]);
}

/** With our instance label: nothing, or the CRDs that are to be kept. */
async function onlyWhatIsKept(scene: Scene, keep: boolean): Promise<void> {
  const left = await scene.leftovers();
  expect(left.filter((object) => !(keep && object.startsWith("customresourcedefinition ")))).toEqual([]);
  const crds = (await scene.stage.kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  expect(crds.filter((name) => name.endsWith(".k8s.ngrok.com"))).toHaveLength(keep ? 7 : 0);
}

async function objectsAre({ kubectl }: Stage, { objects }: Population, there: boolean): Promise<void> {
  for (const kind of there ? ["cloudendpoints", "domains", "ippolicies"] : []) {
    const names = (await kubectl.run(["get", kind, "--all-namespaces", "-o", "name"])).split("\n").filter(Boolean);
    expect(names).toHaveLength(objects.length / 3);
  }
}

async function namespacesGo({ stage, namespace, namespaces }: Scene): Promise<void> {
  const flags = ["--ignore-not-found", "--timeout=150s"];
  await stage.kubectl.run(["delete", "namespace", namespace, ...namespaces, ...flags]);
}
