// What happens while a drain goes on: people see it, newcomers are left alone, and pods that come back keep still.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { eventsSince, podOf, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint, anIngress } from "#test/support/builders.ts";
import { podsAreReady } from "#test/support/pods.ts";
import { carriers } from "#test/support/residue.ts";
import { FULLNAME, RELEASE, test, type Scene } from "#test/support/scene.ts";

const selector = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=controller`;
const HOLD = {
  kind: "status",
  status: 429,
  retryAfter: 1,
  match: { method: "DELETE", path: /^\/reserved_domains/ },
} as const;

test("the drain is seen on the KubernetesOperator, newcomers get no finalizer, and a pod that comes back writes nothing (W6, W13, W16)", async ({
  scene,
}) => {
  const { stage, ngrok, auditLog, namespaces } = scene;
  const { kubectl } = stage;
  const at = ["--namespace", scene.namespace];
  const pods = [...at, "--selector", selector];
  const [one] = namespaces;
  const release = await scene.install({ helm: 4, values: { drainPolicy: "Delete", replicaCount: 2 } });
  await scene.populate(30);
  using watch = watchOperator(scene);
  // ngrok asks to wait as long as the test has something to look at.
  const hold = ngrok.faults.add({ ...HOLD, times: Number.POSITIVE_INFINITY });
  const begun = await scene.auditPosition();
  const uninstall = release.uninstall();

  const state = `configmap/${FULLNAME}-drain-state`;
  await kubectl.run([...at, "wait", "--for=jsonpath={.data.phase}=Draining", state, "--timeout=150s"]);
  await kubectl.run([
    ...at,
    "wait",
    "--for=jsonpath={.status.drain.phase}=Draining",
    `kubernetesoperator/${RELEASE}`,
    "--timeout=150s",
  ]);
  await kubectl.run(["delete", "pods", ...pods, "--timeout=150s"]);
  const newcomer = { name: "newcomer", namespace: one };
  const url = "https://newcomer.internal";
  await kubectl.apply([aCloudEndpoint({ metadata: newcomer, spec: { url } }), anIngress({ metadata: newcomer })]);
  await podsAreReady(kubectl, pods);
  expect(await carriers(kubectl)).not.toEqual([]);
  hold.remove();
  const run = await uninstall;

  expect(run.code, run.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await carriers(kubectl)).toEqual([]);
  for (const object of ["cloudendpoint/newcomer", "ingress/newcomer"]) {
    expect(await kubectl.run(["-n", one, "get", object, "-o", "jsonpath={.metadata.finalizers}"])).toBe("");
  }
  // Who holds the Lease is the only one who writes: neither the old leader nor the pods that came in its place.
  const all = writes(await eventsSince(auditLog, begun));
  const hook = `system:serviceaccount:${scene.namespace}:${FULLNAME}-drain`;
  const taken = all.findIndex(({ user, objectRef }) => objectRef?.resource === "leases" && user.username === hook);
  expect(taken).toBeGreaterThanOrEqual(0);
  const others = all.slice(taken).filter((event) => podOf(event)?.includes("-manager-"));
  expect(others.map(said)).toEqual([]);

  // Another program's lines, which come when it gets a processor.
  const seen = (): string => watch.lines.join("\n");
  await expect.poll(seen).toMatch(/^Drained +30 +30 +False +DrainCompleted$/m);
  expect(seen()).toMatch(/^Draining +\d+ +30 +True +DrainInProgress$/m);
});

/** `kubectl get -w` as a person would have it beside the uninstall. */
function watchOperator({ stage, namespace }: Scene): { readonly lines: readonly string[] } & Disposable {
  const condition = '.status.conditions[?(@.type=="Draining")]';
  const drain = "PHASE:.status.drain.phase,DONE:.status.drain.drainedResources,OF:.status.drain.totalResources";
  const columns = `${drain},DRAINING:${condition}.status,REASON:${condition}.reason`;
  const args = [
    "--namespace",
    namespace,
    "get",
    "kubernetesoperator",
    RELEASE,
    "--watch",
    "-o",
    `custom-columns=${columns}`,
  ];
  const { bin, kubeconfig } = stage.cluster;
  const child = spawn(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line.trimEnd()));
  return { lines, [Symbol.dispose]: () => void child.kill() };
}
