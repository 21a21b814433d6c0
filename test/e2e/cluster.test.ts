// The embedded cluster itself: several beside each other, pods from images by digest, an end that leaves nothing, and a
// start that cleans what a killed one has left.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeEach, expect, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { down, find, load, status, up } from "#tools/cluster/cluster.ts";
import { cgroupDirectories } from "#tools/cluster/embedded/cgroups.ts";
import { health } from "#tools/cluster/embedded/health.ts";
import { findRoot, members, type Root } from "#tools/cluster/embedded/members.ts";
import { shapeOf } from "#tools/cluster/embedded/shape.ts";
import type { Cluster } from "#tools/cluster/provider.ts";

const quiet = (): void => {};
const names = ["cluster-test-a", "cluster-test-b"] as const;
const bin = await binaries(console.log);

const clear = async (): Promise<void> => {
  for (const name of names) await down(name, quiet);
};
beforeEach(clear);
afterAll(clear);

const kubectl = async ({ kubeconfig }: Cluster, ...args: string[]): Promise<string> =>
  await command(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, ...args]);

/** What the host would still show of a cluster. */
async function traces(cluster: Cluster, processes: readonly number[]): Promise<string[]> {
  const shape = shapeOf(cluster.name);
  const [mounts, links, rules] = await Promise.all([
    readFile("/proc/mounts", "utf8"),
    command("ip", ["-oneline", "address"]),
    command("iptables-save", []),
  ]);
  const mentions = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => [shape.folder, shape.id, `${cluster.hostIp}/`].some((word) => line.includes(word)));
  return [
    ...mentions(mounts),
    ...mentions(links),
    ...mentions(rules),
    ...(await cgroupDirectories(shape.cgroup)),
    ...processes.filter((pid) => existsSync(`/proc/${pid}`)).map((pid) => `process ${pid}`),
    ...(existsSync(shape.folder) ? [shape.folder] : []),
  ];
}

async function rootOf(name: string): Promise<Root> {
  const root = await findRoot(shapeOf(name));
  if (root === undefined) throw new Error(`cluster ${name} has no process`);
  return root;
}

test("two clusters run side by side, each pulls by digest from its own registry, and both end without a trace", async () => {
  const clusters = await Promise.all(names.map((name) => up({ name, tell: quiet, bound: true })));
  const [a, b] = clusters;
  if (a === undefined || b === undefined) throw new Error("two clusters were asked for");
  expect(a.hostIp).not.toBe(b.hostIp);
  for (const cluster of clusters) {
    const image = await load(cluster, join(bin, "pause"), "some/image");
    expect(image).toMatch(/^10\.89\.\d+\.\d+:5000\/some\/image@sha256:[0-9a-f]{64}$/);
    // By the registry's name and by any other: no image of ours is ever asked for outside.
    const elsewhere = image.replace(/^[^/]+/, "registry.example");
    await kubectl(cluster, "run", "here", `--image=${image}`);
    await kubectl(cluster, "run", "elsewhere", `--image=${elsewhere}`);
    await kubectl(cluster, "wait", "--for=condition=Ready", "pod/here", "pod/elsewhere", "--timeout=150s");
    expect((await status(cluster)).filter(({ ok }) => !ok)).toEqual([]);
  }
  expect(await kubectl(a, "get", "nodes", "-o", "jsonpath={.items[*].status.addresses[0].address}")).toBe(
    a.registry.split(":")[0],
  );

  const processes = await Promise.all(
    clusters.map(async ({ name }) => (await members(await rootOf(name))).map(({ pid }) => pid)),
  );
  for (const [index, cluster] of clusters.entries()) {
    expect((await traces(cluster, processes[index] ?? [])).length).toBeGreaterThan(10);
    expect(await down(cluster.name, quiet)).toBe(true);
    expect(await traces(cluster, processes[index] ?? [])).toEqual([]);
    expect(await down(cluster.name, quiet)).toBe(false);
  }
});

test("a second up finds the cluster, pods reach the host at HOST_IP, and a killed API server comes back", async () => {
  const [name] = names;
  const cluster = await up({ name, tell: quiet, bound: true });
  expect(await up({ name, tell: quiet })).toEqual(cluster);
  expect(await find(name)).toEqual(cluster);

  await using server = createServer((_, response) => response.end("host here"));
  const port = await new Promise<number>((done) => {
    server.listen(0, cluster.hostIp, () => done((server.address() as AddressInfo).port));
  });
  await kubectl(cluster, "run", "asks", `--image=${await load(cluster, join(bin, "pause"))}`);
  await kubectl(cluster, "wait", "--for=condition=Ready", "pod/asks", "--timeout=150s");
  const pod = (await members(await rootOf(name))).find(({ program }) => program === "pause");
  const url = `http://${cluster.hostIp}:${port}/`;
  expect(await command("nsenter", ["-t", String(pod?.pid), "-n", "curl", "-s", "--max-time", "5", url])).toBe(
    "host here",
  );

  const apiServer = (await members(await rootOf(name))).find(({ program }) => program === "kube-apiserver");
  const readyz = `https://${cluster.registry.replace(/:\d+$/, "")}:6443/readyz`;
  const killed = apiServer?.pid ?? 0;
  process.kill(killed, "SIGKILL");
  // Not until it does not answer: who looks late may see the next one answer only.
  await expect.poll(() => existsSync(`/proc/${killed}`), { interval: 20 }).toBe(false);
  await expect.poll(async () => await health(readyz), { interval: 200, timeout: 180_000 }).toBe("ok");
  expect(await kubectl(cluster, "get", "pod", "asks", "-o", "name")).toBe("pod/asks\n");
  await down(name, quiet);
});

/** The program of another process that starts the cluster; `tell` is the text of what it does with each line. */
function starting(name: string, bound: boolean, tell: string): string[] {
  const code = `
    const { up } = await import(${JSON.stringify(join(import.meta.dirname, "../../tools/cluster/cluster.ts"))});
    await up({ name: ${JSON.stringify(name)}, bound: ${bound}, tell: ${tell} });
    console.log("up");
    setInterval(() => {}, 1000);`;
  return ["--input-type=module", "--eval", code];
}

/** A process that has started the cluster, and goes on. */
async function starter(name: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, starting(name, true, "console.log"), { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((done, fail) => {
    child.once("exit", (status) => fail(new Error(`the starter ended with ${status}`)));
    createInterface({ input: child.stdout }).on("line", (text) => text === "up" && done());
  });
  return child;
}

/** A start that is killed at this line, by itself: another process may only hear of the line when the cluster is up. */
async function killedStart(name: string, line: RegExp): Promise<void> {
  const kill = `(text) => ${String(line)}.test(text) && process.kill(process.pid, "SIGKILL")`;
  const child = spawn(process.execPath, starting(name, false, kill), { stdio: ["ignore", "ignore", "inherit"] });
  const by = await new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (_, signal) => done(signal));
  });
  expect(by).toBe("SIGKILL");
}

test.for([/certificates/, /namespaces and network/, /kube-apiserver/])(
  "an up that is killed after it has said %s is cleaned by the next",
  async (line, { expect }) => {
    const [, name] = names;
    await killedStart(name, line);
    await expect.poll(async () => await findRoot(shapeOf(name)), { interval: 50 }).toBeUndefined();
    expect(await find(name)).toBeUndefined();

    const said: string[] = [];
    const cluster = await up({ name, tell: (text) => said.push(text) });
    expect(said).toContain(`cleaned what an earlier start of ${name} had left`);
    expect((await status(cluster)).filter(({ ok }) => !ok)).toEqual([]);
    expect(await down(name, quiet)).toBe(true);
    expect(await traces(cluster, [])).toEqual([]);
  },
);

test("a cluster that is bound to its process ends with it, even when that is killed", async () => {
  const [, name] = names;
  const child = await starter(name);
  const processes = await members(await rootOf(name));
  expect(processes.length).toBeGreaterThan(8);
  child.kill("SIGKILL");
  await expect.poll(async () => await findRoot(shapeOf(name)), { interval: 50 }).toBeUndefined();
  expect(await find(name)).toBeUndefined();
  expect(await down(name, quiet)).toBe(true);
});

test("a cluster whose API server cannot start says why, keeps its logs, and leaves nothing else", async () => {
  const [, name] = names;
  const failing = up({ name, tell: quiet, apiServerFlags: ["--no-such-flag"], deadline: 40_000 });
  await expect(failing).rejects.toThrow(
    /kube-apiserver does not become ready[^]*unknown flag: --no-such-flag[^]*kube-apiserver ended with 1[^]*logs are in/,
  );
  expect(await readFile(`${shapeOf(name).folder}.failed/kube-apiserver.log`, "utf8")).toContain("no-such-flag");
  expect(await down(name, quiet)).toBe(false);
  expect(existsSync(`${shapeOf(name).folder}.failed`)).toBe(false);
});
