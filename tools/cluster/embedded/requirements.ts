// What an embedded cluster needs of the machine, looked at in well under a second: for the doctor, and for `up`, which
// says in its first second what cannot work.
import { access, constants, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { cacheFolder } from "../../cache.ts";
import { command } from "../../command.ts";
import { missingPackages, NODE_PACKAGES } from "../../debian.ts";
import type { Finding } from "../provider.ts";
import { hierarchies } from "./cgroups.ts";

/** The controllers without which the kubelet does not start. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];

/** The lines that say what is missing and what to do. */
export function unmet(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ ok }) => !ok)
    .map(({ what, found, remedy }) => `  ${what}: ${found}${remedy === undefined ? "" : `. ${remedy}`}`);
}

/** Linux, root, namespaces, cgroups: what no package brings. */
export async function requirements(): Promise<Finding[]> {
  const system: Finding = {
    what: "system",
    ok: process.platform === "linux",
    found: `${process.platform} ${process.arch}`,
    remedy: "The cluster needs Linux: use a Linux machine or VM, or --provider current",
  };
  if (!system.ok) return [system];
  const uid = process.getuid?.() ?? -1;
  const root: Finding = {
    what: "root",
    ok: uid === 0,
    found: uid === 0 ? "yes" : `uid ${uid}`,
    remedy: "Run it as root, for example with sudo -E",
  };
  // What else somebody without root may not do follows from that, and would be told with the wrong remedy.
  if (!root.ok) return [system, root, await folder()];
  return [system, root, await namespaces(), await cgroups(), await folder()];
}

/** The packages of the distribution, which `up` installs when it may. */
export async function packages(): Promise<Finding> {
  const missing = await missingPackages(NODE_PACKAGES);
  return {
    what: "packages",
    ok: missing.length === 0,
    found: missing.length === 0 ? NODE_PACKAGES.map(({ name }) => name).join(", ") : `missing: ${missing.join(", ")}`,
    remedy: `\`cluster up\` installs them on Debian as root: apt-get install ${missing.join(" ")}`,
  };
}

async function namespaces(): Promise<Finding> {
  const flags = ["--mount", "--pid", "--net", "--ipc", "--fork", "true"];
  const said = await command("unshare", flags, { timeout: 5_000 }).then(
    () => "",
    (error: unknown) => (error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : String(error)),
  );
  return {
    what: "namespaces",
    ok: said === "",
    found: said || "mount, pid, net and ipc can be made",
    remedy: "In a container it has to be privileged (docker run --privileged); else use --provider kind or current",
  };
}

async function cgroups(): Promise<Finding> {
  const mounts = hierarchies(await readFile("/proc/mounts", "utf8"));
  const v2 = await readFile("/sys/fs/cgroup/cgroup.controllers", "utf8").catch(() => undefined);
  const writable = await Promise.all(
    mounts.map(
      async (path) =>
        await access(path, constants.W_OK).then(
          () => true,
          () => false,
        ),
    ),
  );
  const there = (v2 ?? mounts.map((path) => path.split("/").at(-1)).join(" ")).split(/\s+/);
  const missing = CONTROLLERS.filter((controller) => !there.includes(controller));
  const ok = missing.length === 0 && writable.every(Boolean);
  const version = v2 === undefined ? "version 1" : "version 2";
  return {
    what: "cgroups",
    ok,
    found: missing.length > 0 ? `${version}, without ${missing.join(", ")}` : `${version}${ok ? "" : ", read-only"}`,
    remedy: "Mount the hierarchies at /sys/fs/cgroup, writable (docker run --privileged --cgroupns=host)",
  };
}

/** Pods' file systems are overlays, and an overlay cannot lie on an overlay. */
async function folder(): Promise<Finding> {
  let path = cacheFolder();
  while (
    !(await stat(path).then(
      () => true,
      () => false,
    ))
  )
    path = dirname(path);
  const type = (await command("stat", ["-f", "-c", "%T", path])).trim();
  return {
    what: "cache folder",
    ok: type !== "overlayfs" && type !== "nfs",
    found: `${cacheFolder()} on ${type}`,
    remedy: "Set NGROK_OPERATOR_CACHE to a folder on an ordinary disk, such as a volume of the container",
  };
}
