// What is not ours stays as it was: users' objects lose our finalizer and nothing else, and what others put on them, on
// our custom resources or into the cluster beside us is left alone.
import { expect } from "vitest";
import { aGateway, aGatewayClass, anHTTPRoute, anIngress, aService } from "#test/support/builders.ts";
import { hookLines } from "#test/support/helm.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { RELEASE, test } from "#test/support/scene.ts";

const OURS = "k8s.ngrok.com/finalizer";
const CANONICAL = "ngrok.com/finalizer";
const FOREIGN = "example.com/hold";
const STAMP = "ngrok.com/drain-owner";

/** Users' objects and the finalizers with which the operator finds them; the last one is another install's. */
const claims = [
  { object: "ingress/shop", finalizers: [OURS], stays: [] },
  { object: "service/database", finalizers: [FOREIGN, CANONICAL], stays: [FOREIGN] },
  { object: "gateway/edge", finalizers: [OURS, FOREIGN], stays: [FOREIGN] },
  { object: "httproute/shop", finalizers: [OURS, CANONICAL], stays: [] },
  { object: "ingress/theirs", finalizers: [OURS], stays: [OURS], owner: "elsewhere/other" },
];

test.for(["Retain", "Delete"] as const)(
  "under %s users' objects are freed and otherwise untouched, and a stranger's finalizer stays (F14, F18, W3)",
  async (policy, { scene }) => {
    const { stage, ngrok, namespaces } = scene;
    const { kubectl } = stage;
    const [one] = namespaces;
    // Switched off is not unseen: what an earlier install has put on users' objects goes too.
    const off = { "ingress.enabled": false, "gateway.enabled": false };
    const values = { ...off, drainPolicy: policy };
    const release = await scene.install({ helm: policy === "Retain" ? 4 : 3, values });
    await scene.populate(3);
    const here = { metadata: { namespace: one } };
    const theirs = anIngress({ metadata: { ...here.metadata, name: "theirs" } });
    await kubectl.apply([anIngress(here), aService(here), aGatewayClass(), aGateway(here), anHTTPRoute(here), theirs]);
    const before = await snapshots(kubectl, one);
    for (const { object, finalizers, owner = `${scene.namespace}/${RELEASE}` } of claims) {
      await patch(kubectl, one, object, { finalizers, annotations: { [STAMP]: owner } });
    }
    await patch(kubectl, one, "cloudendpoint/demo-1", { finalizers: [OURS, FOREIGN] });

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(await snapshots(kubectl, one)).toEqual(before);
    for (const { object, stays } of claims) expect(await finalizersOf(kubectl, one, object), object).toEqual(stays);
    expect(await finalizersOf(kubectl, one, "cloudendpoint/demo-1")).toEqual([FOREIGN]);
    expect(ngrok.remote()).toBe(policy === "Retain" ? 3 : 0);
    const lines = hookLines(run).join("\n");
    expect(lines).toContain(`cloudendpoint ${one}/demo-1 still carries example.com/hold`);
    expect(lines).toContain(`ingress ${one}/theirs`);
    expect(await scene.residue()).toEqual([`finalizer on ingress ${one}/theirs`]);
    for (const { object } of [...claims, { object: "cloudendpoint/demo-1" }]) {
      await patch(kubectl, one, object, { finalizers: null });
    }
    await kubectl.run(["delete", "gatewayclass/ngrok"]);
  },
);

async function patch(kubectl: Kubectl, namespace: string, object: string, metadata: object): Promise<void> {
  await kubectl.run(["-n", namespace, "patch", object, "--type=merge", "-p", JSON.stringify({ metadata })]);
}

interface Whole {
  readonly metadata: Record<string, unknown> & { annotations?: Record<string, string>; finalizers?: string[] };
}

async function finalizersOf(kubectl: Kubectl, namespace: string, object: string): Promise<string[]> {
  return (await kubectl.json<Whole>(["-n", namespace, "get", object])).metadata.finalizers ?? [];
}

/** Each whole object without what a change of finalizers changes by itself; the other install's without its stamp. */
async function snapshots(kubectl: Kubectl, namespace: string): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const { object, owner } of claims) {
    const { metadata, ...rest } = await kubectl.json<Whole>(["-n", namespace, "get", object]);
    const { resourceVersion: _, managedFields: _fields, finalizers: _ours, annotations = {}, ...others } = metadata;
    const { [STAMP]: _stamp, ...notes } = annotations;
    all[object] = { ...rest, metadata: { ...others, annotations: owner === undefined ? annotations : notes } };
  }
  return all;
}
