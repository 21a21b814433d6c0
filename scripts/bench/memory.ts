// What memory a program has, as the kernel of this machine counts it: a pod's processes are ours to look at.
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { Kubectl } from "#test/support/kubectl.ts";

export interface Memory {
  /** MB of 1,000,000 bytes. */
  readonly residentMB: number;
  readonly peakMB: number;
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly uid: string } }[];
}

/** Of the largest process of the release's only pod of that component. Throws where its processes are not on this machine. */
export async function memoryOf(
  kubectl: Kubectl,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  component: string,
): Promise<Memory> {
  const selector = `app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`;
  const { items } = await kubectl.json<PodList>(["-n", namespace, "get", "pods", "-l", selector]);
  const uid = items[0]?.metadata.uid;
  if (uid === undefined || items.length > 1) throw new Error(`${items.length} pods of ${component}, one was expected`);
  const found: Memory[] = [];
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const cgroup = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
    if (!cgroup.includes(uid) && !cgroup.includes(uid.replaceAll("-", "_"))) continue;
    found.push(memoryIn(await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")));
  }
  const largest = found.toSorted((a, b) => b.residentMB - a.residentMB)[0];
  if (largest === undefined) throw new Error("the pod's processes are not on this machine");
  return largest;
}

export async function memoryOfProcess(pid: number): Promise<Memory> {
  return memoryIn(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** Seconds of processor that the process has used so far, in user and kernel mode. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name in the second field may have blanks and brackets; Linux counts in hundredths of a second.
  const [, , , , , , , , , , , user = "0", system = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(user) + Number(system)) / 100;
}

/** The kernel counts the process's peak anew from what is resident now. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

/** @param status the text of /proc/PID/status. */
export function memoryIn(status: string): Memory {
  const megabytes = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024) / 1e6;
  return { residentMB: megabytes("VmRSS"), peakMB: megabytes("VmHWM") };
}
