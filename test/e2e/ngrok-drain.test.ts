// ngrok-drain where people use it: in the operator's pod, with no more than `kubectl exec`, and the day after as kubectl's
// plugin, when nothing of the install is left but its report.
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type AuditEvent, eventsSince, podOf, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { FULLNAME, RELEASE, type Scene, test } from "#test/support/scene.ts";
import { TOP } from "#test/support/stage.ts";

interface Answer {
  readonly code: number;
  readonly out: string;
}

/** kubectl as a person types it, with `PATH` before its own; exit code and what it printed. */
async function kubectl({ stage }: Scene, args: readonly string[], path = ""): Promise<Answer> {
  const { bin, kubeconfig } = stage.cluster;
  const env = { ...process.env, KUBECONFIG: kubeconfig, PATH: `${path}:${process.env["PATH"]}` };
  return await new Promise((done) => {
    execFile(join(bin, "kubectl"), args, { env, timeout: 180_000 }, (error, out) => {
      done({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out });
    });
  });
}

test("in the operator's pod: plan, status, a relaxed policy, a cancelled mark; no run; and the day after, the report", async ({
  scene,
}) => {
  const { stage, namespace, namespaces, auditLog } = scene;
  const inPod = async (...args: string[]): Promise<Answer> =>
    await kubectl(scene, ["-n", namespace, "exec", `deploy/${FULLNAME}-manager`, "--", "ngrok-drain", ...args]);
  const state = async (): Promise<unknown> => {
    const name = `${FULLNAME}-drain-state`;
    return (await stage.kubectl.json<{ data?: unknown }>(["-n", namespace, "get", "configmap", name])).data;
  };
  const release = await scene.install({ helm: 4, values: { drainPolicy: "Delete" } });
  await scene.populate(6);
  // The operator's own last word for now.
  const told = ["wait", "--for=condition=UninstallReady", `kubernetesoperator/${RELEASE}`, "--timeout=150s"];
  await stage.kubectl.run(["-n", namespace, ...told]);

  const looked = await scene.auditPosition();
  const plan = await inPod("plan");
  expect(plan.out).toMatch(
    new RegExp(`^release ${namespace}/${RELEASE} {2}policy Delete \\(from the chart\\) {2}CRDs kept$`, "m"),
  );
  expect(plan.out).toMatch(/^Domain +2 +2 +stays, domain stays +deleted; at ngrok 2 deleted$/m);
  expect(plan.out).toMatch(/^Ready +Retain: yes\. Delete: yes$/m);
  // The operator beside it renews its Lease, tells late of what it made, and counts that a minute after it counted last.
  const operators = ["leases", "events"];
  const changes = writes(await eventsSince(auditLog, looked)).filter(
    (event) => podOf(event) !== undefined && !operators.includes(event.objectRef?.resource ?? "") && !isCount(event),
  );
  expect({ code: plan.code, changes: changes.map(said) }).toEqual({ code: 0, changes: [] });
  expect((await inPod("status")).out).toMatch(/^state +open: no drain$/m);

  // The operator's ServiceAccount may not drain: it says so, what to type instead, and changes nothing.
  const run = await inPod("run");
  expect(run.out).toMatch(/^refused +this login may not .*Nothing was changed$/m);
  expect(run.out).toContain(`kubectl ngrok-drain run -n ${namespace}`);
  expect(run.out).toContain(`helm uninstall ${RELEASE} -n ${namespace}`);
  expect([run.code, (await inPod("report")).code, await state()]).toEqual([2, 3, undefined]);

  expect(await inPod("policy", "Retain")).toMatchObject({ code: 0 });
  expect(await state()).toEqual({ policy: "Retain" });
  const mark = JSON.stringify({
    data: { phase: "Draining", driver: "hook", by: "pod/gone/1", since: new Date().toISOString() },
  });
  await stage.kubectl.run([
    "-n",
    namespace,
    "patch",
    "configmap",
    `${FULLNAME}-drain-state`,
    "--type=merge",
    "-p",
    mark,
  ]);
  expect(await inPod("cancel")).toMatchObject({ code: 0 });
  expect(await state()).toEqual({ phase: "Open" });
  const metadata = { name: "afterwards", namespace: namespaces[0] };
  await stage.kubectl.apply([aCloudEndpoint({ metadata, spec: { url: "https://afterwards.internal" } })]);
  const served = ["wait", "--for=condition=Ready", "cloudendpoint/afterwards", "--timeout=150s"];
  await stage.kubectl.run(["-n", namespaces[0], ...served]);

  expect(await inPod("policy", "Retain")).toMatchObject({ code: 0 });
  const uninstalled = await release.uninstall();
  expect(uninstalled.code, uninstalled.stderr).toBe(0);
  const folder = await mkdtemp(join(tmpdir(), "kubectl-plugin-"));
  await symlink(join(TOP, "scripts/ngrok-drain.js"), join(folder, "kubectl-ngrok_drain"));
  const report = await kubectl(scene, ["ngrok-drain", "report", "-n", namespace, "-o", "json"], folder);
  await rm(folder, { recursive: true });
  const { kept, complete, policy } = JSON.parse(report.out) as { kept: object[]; complete: boolean; policy: string };
  expect({ code: report.code, complete, policy }).toEqual({ code: 0, complete: true, policy: "Retain" });
  expect(kept).toHaveLength(7);
});

/** What the leader writes of UninstallReady, under a name of its own. */
function isCount({ requestURI = "" }: AuditEvent): boolean {
  return requestURI.includes("fieldManager=ngrok-operator-uninstall-ready");
}
