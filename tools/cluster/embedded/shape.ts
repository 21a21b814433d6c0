// What names one embedded cluster on this machine: all of it follows from the cluster's folder, so that clusters run
// side by side and a later command finds what an earlier one made.
import { createHash } from "node:crypto";
import { cacheFolder } from "../../cache.ts";
import { folderOf } from "../record.ts";

export interface Shape {
  readonly name: string;
  /** On the host; /run/cluster inside. */
  readonly folder: string;
  /** Eight hex digits of the folder's hash. */
  readonly id: string;
  /** The host's end of the veth. */
  readonly device: string;
  /** The directory in every cgroup hierarchy. */
  readonly cgroup: string;
  /** Which /30 it would like to have. */
  readonly slot: number;
}

/** The two ends of a cluster's own /30. */
export interface Subnet {
  readonly hostIp: string;
  readonly nodeIp: string;
}

/** 10.89.0.0/16 as /30 subnets. */
export const SLOTS = 1 << 14;

/** The shape of a cluster; throws on a name that is none. */
export function shapeOf(name: string, cache: string = cacheFolder()): Shape {
  const folder = folderOf(name, cache);
  const hash = createHash("sha256").update(folder).digest();
  const id = hash.toString("hex").slice(0, 8);
  const slot = hash.readUInt32BE(8) % SLOTS;
  return { name, folder, id, device: `ngrok-${id}`, cgroup: `ngrok-operator-${id}`, slot };
}

/** The addresses of a slot. */
export function subnetOf(slot: number): Subnet {
  const prefix = `10.89.${slot >> 6}`;
  const first = (slot & 63) << 2;
  return { hostIp: `${prefix}.${first + 1}`, nodeIp: `${prefix}.${first + 2}` };
}

/** The first free subnet from the wanted slot on; `taken` are the IPv4 addresses that this machine has. */
export function freeSubnet(wanted: number, taken: ReadonlySet<string>): Subnet {
  for (let step = 0; step < SLOTS; step += 1) {
    const subnet = subnetOf((wanted + step) % SLOTS);
    if (!taken.has(subnet.hostIp) && !taken.has(subnet.nodeIp)) return subnet;
  }
  throw new Error("no /30 of 10.89.0.0/16 is free on this machine");
}
