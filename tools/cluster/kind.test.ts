// What the provider `kind` sends to Docker and to the kind CLI, and that it cleans up after itself.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { kindConfig, kindProvider, type Hands } from "./kind.ts";

let cache = "";
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "kind-test-"));
  vi.stubEnv("NGROK_OPERATOR_CACHE", cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

/** A machine with a Docker that writes down what it is told; `says` answers by the first words of a command. */
function recorder(says: Record<string, string | Error> = {}): { hands: Hands; calls: string[] } {
  const calls: string[] = [];
  const answers: Record<string, string | Error> = {
    "docker info": "29.1.0\n",
    "docker network inspect": "fc00:f853:ccd::1 172.18.0.1 ",
    ...says,
  };
  const hands: Hands = {
    run: async (program, args) => {
      const line = [program, ...args].join(" ");
      calls.push(line.replaceAll(cache, "CACHE"));
      const answer = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1] ?? "";
      return await (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
    },
    serve: async (crane, address) => {
      calls.push(`serve ${crane} ${address}`);
      return await Promise.resolve(4711);
    },
    stop: (pid) => void calls.push(`stop ${pid}`),
    tools: async () => await Promise.resolve({ bin: "/bin-folder", kind: "kind" }),
  };
  return { hands, calls };
}

const tell = (): void => {};

test("up starts the registry on the host's end of Docker's network, then the cluster with our config", async () => {
  const { hands, calls } = recorder();
  const cluster = await kindProvider(hands).up({ name: "demo", tell });
  expect(calls).toEqual([
    "docker info --format {{.ServerVersion}}",
    "docker network inspect kind --format {{range .IPAM.Config}}{{.Gateway}} {{end}}",
    "serve /bin-folder/crane 172.18.0.1:5000",
    "kind create cluster --name ngrok-demo --config CACHE/clusters/demo/kind.json --kubeconfig CACHE/clusters/demo/admin.kubeconfig --wait 120s",
  ]);
  expect(cluster).toMatchObject({ provider: "kind", hostIp: "172.18.0.1", registry: "172.18.0.1:5000" });
  expect(cluster.env["KUBECONFIG"]).toBe(cluster.kubeconfig);
  const hosts = await readFile(join(cluster.folder, "certs.d/_default/hosts.toml"), "utf8");
  expect(hosts).toContain('[host."http://172.18.0.1:5000"]');
});

test("the node's containerd looks for hosts.toml where the folder with them is mounted", () => {
  const text = JSON.stringify(kindConfig("/folder"));
  expect(text).toContain('"hostPath":"/folder/certs.d","containerPath":"/etc/containerd/certs.d"');
  expect(text).toContain('config_path = \\"/etc/containerd/certs.d\\"');
});

test("a running cluster is found and not started again", async () => {
  const { hands, calls } = recorder({ "docker inspect": "running\n" });
  const provider = kindProvider(hands);
  const cluster = await provider.up({ name: "demo", tell });
  calls.length = 0;
  expect(await provider.up({ name: "demo", tell })).toEqual(cluster);
  expect(calls).toEqual(["docker inspect --format {{.State.Status}} ngrok-demo-control-plane"]);
});

test("an up after one that failed halfway ends what that has left", async () => {
  const failing = recorder({ "kind create": new Error("no space left") });
  await expect(kindProvider(failing.hands).up({ name: "demo", tell })).rejects.toThrow("no space left");
  const { hands, calls } = recorder();
  await kindProvider(hands).up({ name: "demo", tell });
  expect(calls.slice(1, 3)).toEqual(["stop 4711", "kind delete cluster --name ngrok-demo"]);
});

test("down ends the registry and the cluster and forgets them; a second one does nothing", async () => {
  const { hands, calls } = recorder();
  const provider = kindProvider(hands);
  const { folder } = await provider.up({ name: "demo", tell });
  calls.length = 0;
  expect(await provider.down("demo", tell)).toBe(true);
  expect(calls).toEqual(["stop 4711", "kind delete cluster --name ngrok-demo"]);
  expect(existsSync(folder)).toBe(false);
  expect(await provider.down("demo", tell)).toBe(false);
  expect(calls).toHaveLength(2);
});

test("without a Docker that answers, up says so before it makes anything", async () => {
  const { hands } = recorder({ "docker info": new Error("Cannot connect to the Docker daemon") });
  await expect(kindProvider(hands).up({ name: "demo", tell })).rejects.toThrow(
    /needs a Docker that answers.*--provider embedded/,
  );
  expect(existsSync(join(cache, "clusters"))).toBe(false);
  expect(await kindProvider(hands).doctor()).toMatchObject([{ what: "docker", ok: false }]);
});
