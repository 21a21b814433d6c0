// The provider `current`: whatever cluster the kubeconfig names. It makes nothing and ends nothing; it asks before it
// lets tests loose on a cluster that may be somebody's.
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { binaries } from "../binaries.ts";
import type { Tell } from "../cache.ts";
import { command, CommandFailed } from "../command.ts";
import type { Cluster, Finding, PartStatus, Provider, UpOptions } from "./provider.ts";
import { environmentOf, folderOf, forget, record, recorded, recordProvider } from "./record.ts";

export const current: Provider = { name: "current", up, down, find, status, doctor };

async function up({ name, tell, confirm, registry, hostIp }: UpOptions): Promise<Cluster> {
  const known = await find(name);
  if (known) {
    tell(`${name} is the cluster of ${known.kubeconfig}`);
    return known;
  }
  if (registry === undefined) {
    throw new Error(
      "--provider current needs --registry HOST[:PORT][/PATH]: a registry that we may push to and its nodes pull from",
    );
  }
  const bin = await binaries(tell);
  const { text, server } = await view(bin);
  const context = (await command(join(bin, "kubectl"), ["config", "current-context"])).trim();
  const question = `Use the cluster of context "${context}" (${server})? Releases, CRDs and namespaces will be made and deleted in it.`;
  if (!(await confirm?.(question)))
    throw new Error(`the cluster of context "${context}" is left alone: nobody said yes (--yes does)`);
  const address = hostIp ?? (await localAddress(server));
  await recordProvider(name, "current");
  const folder = folderOf(name);
  const kubeconfig = join(folder, "admin.kubeconfig");
  await writeFile(kubeconfig, text, { mode: 0o600 });
  const env = environmentOf({ name, kubeconfig, hostIp: address, registry });
  const cluster: Cluster = { name, provider: "current", kubeconfig, hostIp: address, registry, bin, folder, env };
  await record(cluster);
  return cluster;
}

/** The current context alone, with everything inline. */
async function view(bin: string): Promise<{ text: string; server: string }> {
  const args = ["config", "view", "--raw", "--minify", "--flatten", "-o", "json"];
  const text = await command(join(bin, "kubectl"), args).catch((error: unknown) => {
    const said = error instanceof CommandFailed ? error.stderr.trim() : String(error);
    throw new Error(
      `the kubeconfig cannot be used: ${said}. Set KUBECONFIG, or choose with: kubectl config use-context NAME`,
    );
  });
  const config = JSON.parse(text) as { clusters?: { cluster?: { server?: string } }[] | null };
  const server = config.clusters?.[0]?.cluster?.server;
  if (server === undefined)
    throw new Error("the kubeconfig names no cluster: set KUBECONFIG, or use --provider embedded");
  return { text, server };
}

/** The address from which this machine reaches the API server; what is on that way back is for the person to know. */
function localAddress(server: string): Promise<string> {
  const { hostname, port } = new URL(server);
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port) || 443, timeout: 5_000 });
    const unreachable = (why: string): void => {
      socket.destroy();
      fail(
        new Error(
          `the API server ${server} cannot be reached: ${why}. Is the cluster up, and the right context chosen?`,
        ),
      );
    };
    socket.once("connect", () => {
      const address = socket.localAddress ?? "";
      socket.destroy();
      if (!address.startsWith("127.") && address !== "::1") done(address);
      else
        fail(
          new Error(`${server} is reached over loopback, which pods are not: say --host-ip ADDRESS of this machine`),
        );
    });
    socket.once("timeout", () => unreachable("no answer in 5 s"));
    socket.once("error", (error) => unreachable(error.message));
  });
}

async function down(name: string, tell: Tell): Promise<boolean> {
  const cluster = await recorded(name);
  await forget(name);
  if (cluster) tell(`${cluster.kubeconfig} is forgotten; the cluster itself is left as it is`);
  return cluster !== undefined;
}

async function find(name: string): Promise<Cluster | undefined> {
  const cluster = await recorded(name);
  return cluster?.provider === "current" ? cluster : undefined;
}

async function status({ bin, kubeconfig }: Cluster): Promise<PartStatus[]> {
  const says = await command(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, "get", "--raw", "/readyz"], {
    timeout: 10_000,
  }).then(
    (text) => text.trim(),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return [{ part: "kube-apiserver", ok: says === "ok", says }];
}

async function doctor(): Promise<Finding[]> {
  return await Promise.resolve([
    {
      what: "cluster",
      ok: true,
      found: "whatever the kubeconfig's current context names; `cluster up` asks before it is used",
    },
  ]);
}
