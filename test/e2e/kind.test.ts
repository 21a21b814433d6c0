// The real kind CLI reads our config file and asks Docker for what it says; Docker is a program that writes down what
// it is asked. Where there is a real Docker, `npm run cluster -- up --provider kind` is the test.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { testTools } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { kindConfig } from "#tools/cluster/kind.ts";

const DOCKER = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
case "$*" in
  "network ls"*) echo abc ;;
  "info "*json*) echo '{"CgroupDriver":"cgroupfs","CgroupVersion":"2","OSType":"linux","MemoryLimit":true,"PidsLimit":true,"CPUShares":true,"SecurityOptions":[]}' ;;
esac
`;

test("kind asks Docker for one node that has our registry's hosts.toml files, under our name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kind-e2e-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  await writeFile(join(folder, "docker"), DOCKER);
  await chmod(join(folder, "docker"), 0o755);
  await writeFile(join(folder, "kind.json"), JSON.stringify(kindConfig(folder)));

  const { bin } = await testTools(console.log);
  const args = ["create", "cluster", "--name", "ngrok-demo", "--config", join(folder, "kind.json"), "--wait", "1s"];
  const created = command(join(bin, "kind"), [...args, "--kubeconfig", join(folder, "kubeconfig")], {
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    timeout: 90_000,
  });
  // The recorder has no node to show; up to there everything was in order.
  await expect(created).rejects.toThrow("could not find a log line");

  const calls = (await readFile(join(folder, "calls"), "utf8")).split("\n");
  const run = calls.filter((call) => call.startsWith("run "));
  expect(run).toHaveLength(1);
  expect(run[0]).toContain("--name ngrok-demo-control-plane ");
  expect(run[0]).toContain(`--volume=${folder}/certs.d:/etc/containerd/certs.d:ro `);
});
