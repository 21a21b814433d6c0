// The one wire between a cluster and the host: a veth whose outer end the host has, with a /30 of its own. There is no
// default route inside, so what a pod asks of the internet fails at once instead of hanging.
import { command } from "../../command.ts";
import { freeSubnet, type Shape, type Subnet } from "./shape.ts";

/** Picks the cluster's subnet: by its name, unless an address of it is in use on this machine. */
export async function chooseSubnet({ slot, device }: Shape): Promise<Subnet> {
  const links: unknown = JSON.parse(await command("ip", ["-json", "-4", "address"]));
  const taken = new Set<string>();
  for (const link of Array.isArray(links) ? (links as LinkAddresses[]) : []) {
    if (link.ifname !== device) for (const { local } of link.addr_info ?? []) taken.add(local ?? "");
  }
  return freeSubnet(slot, taken);
}

interface LinkAddresses {
  readonly ifname?: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

/** Joins the network namespace of process `pid` to the host: eth0 inside, `device` outside. */
export async function join({ device }: Shape, { hostIp }: Subnet, pid: number): Promise<void> {
  await command("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", String(pid)]);
  await command("ip", ["address", "add", `${hostIp}/30`, "dev", device]);
  await command("ip", ["link", "set", device, "up"]);
}

/** Removes the outer end where the namespace's end did not take it along. */
export async function part({ device }: Shape): Promise<void> {
  await command("ip", ["link", "delete", device]).catch(() => {}); // gone already, as it should be
}
