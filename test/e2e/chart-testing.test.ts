// chart-testing installs and uninstalls the chart with every ci values file that stands for an install as people do it.
import { join } from "node:path";
import { expect } from "vitest";
import { testTools } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { residue } from "#test/support/residue.ts";
import { test } from "#test/support/scene.ts";
import { TOP } from "#test/support/stage.ts";

test("ct install takes the chart through install, test and uninstall with its default values", async ({ scene }) => {
  const { stage, ngrok } = scene;
  const { bin, kubeconfig, hostIp } = stage.cluster;
  const { bin: tools } = await testTools(() => {});
  const path = `${tools}:${bin}:${process.env["PATH"]}`;
  const sets = [...stage.imageFlags.filter((flag) => flag !== "--set-string"), `apiURL=http://${hostIp}:${ngrok.port}`];
  // It waits for all pods, and there is no edge here that agents would reach.
  const account = ["credentials.apiKey=stand-in-key", "credentials.authtoken=unused", "agent.enabled=false"];
  const values = [...sets, ...account];
  const extra = values.map((value) => `--set ${value}`).join(" ");
  const args = [
    "install",
    "--config",
    "ct.yaml",
    "--all",
    "--helm-extra-set-args",
    extra,
    "--helm-extra-args",
    "--timeout 120s",
  ];
  const said = await command(join(tools, "ct"), args, {
    cwd: TOP,
    env: { PATH: path, KUBECONFIG: kubeconfig },
    timeout: 300_000,
  });
  expect(said).not.toContain("No chart changes detected");
  expect(said).toContain("All charts installed successfully");
  expect(said).toContain("default-values.yaml");
  expect((await residue(stage.kubectl)).lines).toEqual([]);
  expect(ngrok.objects("kubernetes_operators")).toEqual([]);
});
