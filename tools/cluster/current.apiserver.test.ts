// The provider `current` uses what the kubeconfig names, after a yes, and leaves it as it was.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { command } from "../command.ts";
import { current } from "./current.ts";
import { recordedProvider } from "./record.ts";

const name = "current-test";
const quiet = (): void => {};
const yes = async (): Promise<boolean> => await Promise.resolve(true);
const given = { name, tell: quiet, registry: "registry.example/team", hostIp: "192.0.2.1" };

beforeEach(async () => {
  vi.stubEnv("KUBECONFIG", inject("kubeconfig"));
  await current.down(name, quiet);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await current.down(name, quiet);
});

test("up asks with the context's name and server, keeps a kubeconfig of its own, and down leaves the cluster alone", async () => {
  const asked: string[] = [];
  const confirm = async (question: string): Promise<boolean> => {
    asked.push(question);
    return await Promise.resolve(true);
  };
  const cluster = await current.up({ ...given, confirm });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/context "cluster" \(https:\/\/127\.0\.0\.1:\d+\)/);
  expect(cluster.env).toEqual({
    KUBECONFIG: cluster.kubeconfig,
    HOST_IP: "192.0.2.1",
    REGISTRY: "registry.example/team",
    CLUSTER_NAME: name,
  });
  expect(await current.status(cluster)).toEqual([{ part: "kube-apiserver", ok: true, says: "ok" }]);
  vi.stubEnv("KUBECONFIG", "/nowhere");
  expect(await current.up({ ...given, confirm })).toEqual(cluster);
  expect(asked).toHaveLength(1);

  expect(await current.down(name, quiet)).toBe(true);
  expect(await current.find(name)).toBeUndefined();
  const kubectl = join(cluster.bin, "kubectl");
  expect(await command(kubectl, ["--kubeconfig", inject("kubeconfig"), "get", "--raw", "/readyz"])).toBe("ok");
});

test("nobody's yes is a no, and nothing is kept", async () => {
  await expect(current.up(given)).rejects.toThrow(/context "cluster" is left alone.*--yes/);
  await expect(current.up({ ...given, confirm: async () => await Promise.resolve(false) })).rejects.toThrow(
    "is left alone",
  );
  expect(await current.find(name)).toBeUndefined();
});

test("what is missing or wrong is said with what to do", async () => {
  await expect(current.up({ name, tell: quiet, confirm: yes })).rejects.toThrow("--registry HOST");
  const loopback = current.up({ name, tell: quiet, confirm: yes, registry: "registry.example" });
  await expect(loopback).rejects.toThrow(/reached over loopback.*--host-ip ADDRESS/);

  const folder = inject("kubeconfig").replace(/[^/]+$/, "");
  const broken = join(folder, "broken.kubeconfig");
  await writeFile(broken, "clusters: [");
  vi.stubEnv("KUBECONFIG", broken);
  await expect(current.up({ ...given, confirm: yes })).rejects.toThrow(
    /the kubeconfig cannot be used.*broken\.kubeconfig.*Set KUBECONFIG/,
  );

  const gone = join(folder, "gone.kubeconfig");
  const text = await readFile(inject("kubeconfig"), "utf8");
  await writeFile(gone, text.replace(/https:\/\/127\.0\.0\.1:\d+/, "https://127.0.0.1:1"));
  vi.stubEnv("KUBECONFIG", gone);
  const unreachable = current.up({ name, tell: quiet, confirm: yes, registry: "registry.example" });
  await expect(unreachable).rejects.toThrow(
    /API server https:\/\/127\.0\.0\.1:1 cannot be reached: .*Is the cluster up/,
  );
  expect(await recordedProvider(name)).toBeUndefined();
});
