// What is not ours stays as it was: users' objects lose our finalizer and nothing else, and what others put on them, on
// our custom resources or into the cluster beside us is left alone.
import { expect } from "vitest";
import { aGateway, aGatewayClass, anHTTPRoute, anIngress, aService } from "#test/support/builders.ts";
import { hookLines } from "#test/support/helm.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { residue } from "#test/support/residue.ts";
import { NAMESPACE, RELEASE, test } from "#test/support/scene.ts";

const OURS = "k8s.ngrok.com/finalizer";
const CANONICAL = "ngrok.com/finalizer";
const FOREIGN = "example.com/hold";
const here = { metadata: { namespace: "demo-one" } };

/** Users' objects as the operator claims them, and one that another install has claimed. */
const claims = [
  { object: "ingress/shop", finalizers: [OURS], owner: `${NAMESPACE}/${RELEASE}` },
  { object: "service/database", finalizers: [FOREIGN, CANONICAL], owner: `${NAMESPACE}/${RELEASE}` },
  { object: "gateway/edge", finalizers: [OURS, FOREIGN], owner: `${NAMESPACE}/${RELEASE}` },
  { object: "httproute/shop", finalizers: [OURS, CANONICAL], owner: `${NAMESPACE}/${RELEASE}` },
  { object: "ingress/theirs", finalizers: [OURS], owner: "elsewhere/other" },
] as const;

test.for(["Retain", "Delete"] as const)(
  "under %s users' objects are freed and otherwise untouched, and a stranger's finalizer stays",
  async (policy, { scene }) => {
    const { stage, ngrok } = scene;
    const { kubectl } = stage;
    const release = await scene.install({ helm: policy === "Retain" ? 4 : 3, values: { drainPolicy: policy } });
    await scene.populate(3);
    const theirs = anIngress({ metadata: { ...here.metadata, name: "theirs" } });
    await kubectl.apply([anIngress(here), aService(here), aGatewayClass(), aGateway(here), anHTTPRoute(here), theirs]);
    const before = await snapshots(kubectl);
    for (const { object, finalizers, owner } of claims) await claim(kubectl, object, finalizers, owner);
    await kubectl.run(["-n", "demo-one", "patch", "cloudendpoint/demo-1", ...merge({ finalizers: [OURS, FOREIGN] })]);

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(await snapshots(kubectl)).toEqual(before);
    for (const { object, finalizers, owner } of claims) {
      const stays = owner.startsWith(NAMESPACE) ? finalizers.filter((entry) => entry === FOREIGN) : finalizers;
      expect(await finalizersOf(kubectl, object), object).toEqual(stays);
    }
    expect(await finalizersOf(kubectl, "cloudendpoint/demo-1")).toEqual([FOREIGN]);
    expect(ngrok.remote()).toBe(policy === "Retain" ? 3 : 0);
    const lines = hookLines(run).join("\n");
    expect(lines).toContain("cloudendpoint demo-one/demo-1 still carries example.com/hold");
    expect(lines).toContain("ingress demo-one/theirs");
    expect((await residue(kubectl)).lines).toEqual(["finalizer on ingress demo-one/theirs"]);
    for (const { object } of claims)
      await kubectl.run(["-n", "demo-one", "patch", object, ...merge({ finalizers: null })]);
    await kubectl.run(["-n", "demo-one", "patch", "cloudendpoint/demo-1", ...merge({ finalizers: null })]);
    await kubectl.run(["delete", "gatewayclass/ngrok"]);
  },
);

function merge(metadata: object): string[] {
  return ["--type=merge", "-p", JSON.stringify({ metadata })];
}

async function claim(kubectl: Kubectl, object: string, finalizers: readonly string[], owner: string): Promise<void> {
  const annotations = { "ngrok.com/drain-owner": owner };
  await kubectl.run(["-n", "demo-one", "patch", object, ...merge({ finalizers, annotations })]);
}

interface Whole {
  readonly metadata: Record<string, unknown> & { annotations?: Record<string, string>; finalizers?: string[] };
}

async function finalizersOf(kubectl: Kubectl, object: string): Promise<string[]> {
  return (await kubectl.json<Whole>(["-n", "demo-one", "get", object])).metadata.finalizers ?? [];
}

/** Each whole object without what a change of finalizers changes by itself; of another install's claim, without that. */
async function snapshots(kubectl: Kubectl): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const { object, owner } of claims) {
    const { metadata, ...rest } = await kubectl.json<Whole>(["-n", "demo-one", "get", object]);
    const { resourceVersion: _, managedFields: _fields, finalizers: _ours, annotations = {}, ...others } = metadata;
    const { "ngrok.com/drain-owner": stamp, ...notes } = annotations;
    const seen = stamp === undefined || (stamp === owner && !owner.startsWith(NAMESPACE)) ? notes : annotations;
    all[object] = { ...rest, metadata: { ...others, annotations: seen } };
  }
  return all;
}
