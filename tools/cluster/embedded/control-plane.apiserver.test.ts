// What the tier `apiserver` promises its tests: a real control plane, an audit log, and one that can be restarted.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";

const bin = await binaries(console.log);
const kubectl = async (kubeconfig: string, ...args: string[]): Promise<string> =>
  await command(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, ...args]);

test("the run's control plane creates a namespace whose ServiceAccount its controllers add", async () => {
  const kubeconfig = inject("kubeconfig");
  await kubectl(kubeconfig, "create", "namespace", "control-plane-test");
  await kubectl(
    kubeconfig,
    "wait",
    "--for=create",
    "serviceaccount/default",
    "-n",
    "control-plane-test",
    "--timeout=150s",
  );
  await kubectl(kubeconfig, "delete", "namespace", "control-plane-test", "--timeout=150s");
  expect(await kubectl(kubeconfig, "get", "namespaces", "-o", "name")).not.toContain("control-plane-test");
});

test("the audit log says who changed what, and hides what a Secret holds", async () => {
  const kubeconfig = inject("kubeconfig");
  const literal = "--from-literal=word=audited-by-nobody";
  await kubectl(kubeconfig, "create", "secret", "generic", "audit-test", literal);
  await kubectl(kubeconfig, "create", "configmap", "audit-test", "--from-literal=word=written-down");
  await kubectl(kubeconfig, "delete", "secret/audit-test", "configmap/audit-test");
  const log = await readFile(inject("auditLog"), "utf8");
  expect(log).toContain("written-down");
  expect(log).not.toContain("audited-by-nobody");
  const secret = log
    .split("\n")
    .find((line) => line.includes('"verb":"create"') && line.includes('"resource":"secrets"'));
  expect(JSON.parse(secret ?? "{}")).toMatchObject({ level: "Metadata", user: { username: "admin" } });
});

test("a control plane of one's own keeps its data over a restart of the API server", async () => {
  await using plane = await ownControlPlane({ apiServerFlags: ["--max-requests-inflight=77"] });
  await kubectl(plane.kubeconfig, "create", "configmap", "kept");
  await plane.stopApiServer();
  await expect(kubectl(plane.kubeconfig, "get", "configmap", "kept")).rejects.toThrow("refused");
  await plane.startApiServer();
  expect(await kubectl(plane.kubeconfig, "get", "configmap", "kept", "-o", "name")).toBe("configmap/kept\n");
});
