// The whole way of a release: published to a registry, mirrored into one that the cluster reaches, installed from there by
// digest on a node that reaches nothing else, and uninstalled.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { VERSION } from "#api/version.ts";
import { release, type Released } from "#scripts/release/release.ts";
import { throwawayKey } from "#scripts/release/signing.ts";
import { command } from "#tools/command.ts";
import { serveRegistry } from "#tools/cluster/registry.ts";
import { releaseOf } from "#test/support/release.ts";
import { RELEASE, test } from "#test/support/scene.ts";
import { TOP } from "#test/support/stage.ts";

test("a release is signed, holds two architectures, is mirrored without the internet and installs by digest from there", async ({
  scene,
}) => {
  const { stage, ngrok, namespace } = scene;
  const { bin, registry: mirror, hostIp } = stage.cluster;
  const out = await mkdtemp(join(tmpdir(), "release-"));
  onTestFinished(async () => await rm(out, { recursive: true, force: true }));
  await using published = await serveRegistry(bin);
  await using key = await throwawayKey(() => {});
  const address = { address: published.address, plainHttp: true };
  const options = { top: TOP, out, programs: bin, registry: address, key, tell: () => {} };

  const released = await release(options);
  await expect(release(options)).rejects.toThrow(`has ${VERSION} already: releases are not replaced`);
  await command("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: out });
  await command(join(bin, "helm3"), ["verify", released.chart.archive, "--keyring", key.publicKeyring ?? ""]);
  // e_machine of ELF: x86-64 and AArch64.
  expect(await machinesOf(released)).toEqual({ amd64: [62, 62], arm64: [183, 183] });

  const from = `oci://${published.address}/charts/ngrok-operator`;
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  const said = await command(join(TOP, "scripts/mirror.sh"), ["--plain-http", from, VERSION, mirror], { env });
  const [, , name = "", chart = "", ...flags] = said.trim().split(" ");
  expect([name, chart]).toEqual(["ngrok-operator", `oci://${mirror}/charts/ngrok-operator`]);
  const account = { apiURL: `http://${hostIp}:${ngrok.port}`, "credentials.apiKey": "stand-in-key" };
  const values = { ...account, "credentials.authtoken": "unused", "agent.enabled": false };
  const sets = Object.entries(values).flatMap(([path, value]) => ["--set", `${path}=${value}`]);
  const at = ["--namespace", namespace, "--create-namespace", "--plain-http", "--wait", "--timeout", "300s"];
  const install = await stage.helm(4, ["install", RELEASE, chart, ...flags, ...at, ...sets]);
  const place = { name: RELEASE, namespace, helm: 4, apiURL: account.apiURL } as const;
  const why = install.code === 0 ? "" : await releaseOf(stage, place).diagnosis();
  expect(install.code, `${install.stderr}\n${why}`).toBe(0);
  const images = await stage.kubectl.run([
    "-n",
    namespace,
    "get",
    "pods",
    "-o",
    "jsonpath={..status.containerStatuses..imageID}",
  ]);
  expect(images).toBe(`${mirror}/ngrok-operator@${released.image.digest}`);

  const uninstall = await stage.helm(4, ["uninstall", RELEASE, "--namespace", namespace]);
  expect(uninstall.code, uninstall.stderr).toBe(0);
  expect(await scene.residue()).toEqual([]);
});

/** Of each architecture in the index: for which processor its Node and its SDK are made. */
async function machinesOf({ layout }: Released): Promise<Record<string, number[]>> {
  const read = async <T>(digest: string): Promise<T> =>
    JSON.parse(await readFile(join(layout.folder, "blobs", digest.replace(":", "/")), "utf8")) as T;
  const index = JSON.parse(await readFile(join(layout.folder, "index.json"), "utf8")) as {
    manifests: { digest: string; platform: { architecture: string } }[];
  };
  const found: Record<string, number[]> = {};
  for (const { digest, platform } of index.manifests) {
    const { layers } = await read<{ layers: { digest: string }[] }>(digest);
    found[platform.architecture] = [];
    for (const layer of layers) {
      const archive = join(layout.folder, "blobs", layer.digest.replace(":", "/"));
      for (const path of (await command("tar", ["-tzf", archive])).split("\n")) {
        if (path !== "usr/local/bin/node" && !path.endsWith(".node")) continue;
        const head = await command("sh", [
          "-c",
          'tar -xzOf "$0" "$1" | head -c 20 | od -An -tu2 -j18 -N2',
          archive,
          path,
        ]);
        found[platform.architecture]?.push(Number(head));
      }
    }
  }
  return found;
}
