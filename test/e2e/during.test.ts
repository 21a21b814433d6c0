// What happens while a drain goes on: people see it, newcomers are left alone, and pods that come back keep still.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { eventsSince, podOf, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint, anIngress } from "#test/support/builders.ts";
import { carriers } from "#test/support/residue.ts";
import { NAMESPACE, RELEASE, test } from "#test/support/scene.ts";
import type { Stage } from "#test/support/stage.ts";

const at = ["--namespace", NAMESPACE];
const pods = [...at, "--selector", `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=controller`];
const HOLD = {
  kind: "status",
  status: 429,
  retryAfter: 1,
  match: { method: "DELETE", path: /^\/reserved_domains/ },
} as const;

test("the drain is seen on the KubernetesOperator, newcomers get no finalizer, and a pod that comes back writes nothing", async ({
  scene,
}) => {
  const { stage, ngrok, auditLog } = scene;
  const { kubectl } = stage;
  const release = await scene.install({ helm: 4, values: { drainPolicy: "Delete", replicaCount: 2 } });
  await scene.populate(30);
  using watch = watchOperator(stage);
  // ngrok asks to wait as long as the test has something to look at.
  const hold = ngrok.faults.add({ ...HOLD, times: Number.POSITIVE_INFINITY });
  const begun = await scene.auditPosition();
  const uninstall = release.uninstall();

  const state = `configmap/${RELEASE}-ngrok-operator-drain-state`;
  await kubectl.run([...at, "wait", "--for=jsonpath={.data.phase}=Draining", state, "--timeout=60s"], {
    timeout: 70_000,
  });
  await kubectl.run([
    ...at,
    "wait",
    "--for=jsonpath={.status.drain.phase}=Draining",
    `kubernetesoperator/${RELEASE}`,
    "--timeout=60s",
  ]);
  const marked = await scene.auditPosition();
  await kubectl.run(["delete", "pods", ...pods, "--timeout=60s"], { timeout: 70_000 });
  const newcomer = { name: "newcomer", namespace: "demo-one" };
  const url = "https://newcomer.internal";
  await kubectl.apply([aCloudEndpoint({ metadata: newcomer, spec: { url } }), anIngress({ metadata: newcomer })]);
  await kubectl.run(["wait", "--for=condition=Ready", "pods", ...pods, "--timeout=60s"], { timeout: 70_000 });
  expect(await carriers(kubectl)).not.toEqual([]);
  hold.remove();
  const run = await uninstall;

  expect(run.code, run.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await carriers(kubectl)).toEqual([]);
  for (const object of ["cloudendpoint/newcomer", "ingress/newcomer"]) {
    expect(await kubectl.run(["-n", "demo-one", "get", object, "-o", "jsonpath={.metadata.finalizers}"])).toBe("");
  }
  // After the mark the old leader only frees the Lease; the pods that came in its place write nothing at all.
  const events = writes(await eventsSince(auditLog, begun)).filter((event) => podOf(event)?.includes("-manager-"));
  const later = writes(await eventsSince(auditLog, marked)).filter((event) => podOf(event)?.includes("-manager-"));
  expect(later.map(said)).toEqual([]);
  expect(events.filter(({ objectRef }) => objectRef?.resource !== "leases").map(said)).toEqual([]);

  const seen = watch.lines.join("\n");
  expect(seen).toMatch(/phase=Draining .*of=30 .*Draining=True\/DrainInProgress/);
  expect(seen).toMatch(/phase=Drained done=30 of=30 .*Draining=False\/DrainCompleted/);
});

/** `kubectl get -w` as a person would have it beside the uninstall. */
function watchOperator({ cluster }: Stage): { readonly lines: readonly string[] } & Disposable {
  const drain = "phase={.status.drain.phase} done={.status.drain.drainedResources} of={.status.drain.totalResources}";
  const conditions = "{range .status.conditions[*]} {.type}={.status}/{.reason}{end}";
  const args = [...at, "get", "kubernetesoperator", RELEASE, "--watch", "-o", `jsonpath=${drain}${conditions}{"\\n"}`];
  const child = spawn(join(cluster.bin, "kubectl"), ["--kubeconfig", cluster.kubeconfig, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { lines, [Symbol.dispose]: () => void child.kill() };
}
