// What Helm prints after an install: short enough to be read, whatever is set and whatever it warns of.
import { join } from "node:path";
import { expect, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { CHART, valuesFiles } from "./helm.ts";

/** Everything that is warned of, and the most that is said beside it. */
const WARNED_OF = [
  "drainPolicy=Delete",
  "agent.enabled=false",
  "installCRDs=false",
  "rbac.cluster=false",
  "watchNamespace=shop",
  "controllerName=example.com/old",
  "ingressClass.name=old",
  "metaData.team=edge",
  "cleanupHook.timeout=600",
  "cleanupHook.image.repository=bitnami/kubectl",
  "cleanupHook.resources.limits.cpu=200m",
  "serviceAccount.create=false",
  "proxy.httpsProxy=http://user:word@proxy:3128",
  "proxy.httpProxy=http://user:word@proxy:3128",
].flatMap((value) => ["--set", value]);

/** Without a cluster, which Helm 3 cannot; what is counted in one is a line more. */
async function notes(flags: readonly string[]): Promise<string[]> {
  const program = join(await binaries(() => {}), "helm4");
  const args = ["install", "edge", CHART, "--namespace", "ngrok-operator", "--dry-run=client", ...flags];
  const said = await command(program, args, { timeout: 30_000, env: { KUBECONFIG: "/dev/null" } });
  const [, text = ""] = said.split("\nNOTES:\n");
  return text.trimEnd().split("\n");
}

test.for(valuesFiles())("are under 30 lines with $name, and say how to look, to try and to go", async ({ path }) => {
  const lines = await notes(["--values", path]);
  expect(lines.length).toBeLessThan(30);
  const words = lines.map((line) => line.trim().split(" ")[0]);
  expect(words).toEqual(expect.arrayContaining(["Check", "Uninstall", "ready?", "preview"]));
});

test("are under 30 lines with every warning there is", async () => {
  const lines = await notes(WARNED_OF);
  expect(lines.filter((line) => line.startsWith("Warning: ")).length).toBeGreaterThanOrEqual(10);
  expect(lines.length).toBeLessThan(30 - 1);
});
