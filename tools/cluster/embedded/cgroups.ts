// The cgroup directories of a cluster, which outlive its processes and are removed by hand.
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Where cgroup hierarchies are mounted, version 1 and 2. */
export function hierarchies(mounts: string): string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "")
    .filter((path) => path !== "");
}

/** The directories of `cgroup` that exist now. */
export async function cgroupDirectories(cgroup: string): Promise<string[]> {
  const found: string[] = [];
  for (const hierarchy of hierarchies(await readFile("/proc/mounts", "utf8"))) {
    const directory = join(hierarchy, cgroup);
    if (
      await readdir(directory).then(
        () => true,
        () => false,
      )
    )
      found.push(directory);
  }
  return found;
}

/** Removes them; the kernel lets go of a cgroup shortly after its last process has ended, and tells nobody. */
export async function removeCgroups(cgroup: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (const directory of await cgroupDirectories(cgroup)) {
    while (!(await removed(directory))) {
      if (Date.now() > deadline) throw new Error(`${directory} is still in use after 10 s: see cgroup.procs in it`);
      await pause(20);
    }
  }
}

async function removed(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  let all = true;
  for (const entry of entries) if (entry.isDirectory()) all = (await removed(join(directory, entry.name))) && all;
  return await rmdir(directory).then(
    () => all,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}
