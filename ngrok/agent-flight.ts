// What is still under way between this agent and its upstreams. The SDK says nothing of it, so the kernel is asked, which
// knows a connection for each that has not ended.
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { BlockList, connect } from "node:net";
import { unlessAborted } from "#wire/abort.ts";
import type { Clock } from "#wire/clock.ts";

/** Where the SDK connects to. */
export interface Dialled {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

const LOOK_MS = 100;
/** A visitor who is between ngrok and the upstream just now is seen the next time. */
const QUIET_LOOKS = 3;
/** A name that DNS does not tell in this time is one of any address. */
const DNS_MS = 500;
/** A Service that has not answered in this time is not asked again. */
const SERVICE_MS = 500;
/** Where the kernel does not tell, what runs has as long. */
const BLIND_MS = 5_000;
/** Of Linux: established, both ways of being half closed, and the peer's end. */
const OPEN_STATES: ReadonlySet<string> = new Set(["01", "04", "05", "08"]);

/**
 * Resolves when nothing is under way to any of these places, after `withinMs` at the latest.
 *
 * @param service of the cluster, which answers connections; undefined outside of one. By it is known whether the kernel tells
 * of Services: a load balancer at the socket (Cilium's, in place of kube-proxy) connects to a pod instead, and the tables
 * show that one, whose address nobody here knows.
 */
export async function flownOut(
  places: readonly Dialled[],
  clock: Clock,
  withinMs: number,
  service?: Dialled,
): Promise<void> {
  const began = clock.now();
  const until = began + withinMs;
  const left = (ms: number): number => Math.max(0, Math.min(ms, until - clock.now()));
  const told = new AbortController();
  const anywhere = new Map(places.map(({ port }) => [port, undefined]));
  const late = clock.sleep(left(DNS_MS), told.signal).then(
    () => anywhere,
    () => anywhere,
  );
  const addresses = await Promise.race([addressesOf(places), late]);
  told.abort(new Error("the addresses are known"));
  const isBlind = service !== undefined && !(await isTold(service));
  for (let quiet = 0; quiet < QUIET_LOOKS && clock.now() < until;) {
    const open = await connectionsTo(addresses);
    if (open === undefined) {
      await clock.sleep(left(BLIND_MS));
      return;
    }
    quiet = open === 0 ? quiet + 1 : 0;
    if (quiet < QUIET_LOOKS) await clock.sleep(left(LOOK_MS));
  }
  if (isBlind) await clock.sleep(left(began + BLIND_MS - clock.now()));
}

/** Whether the kernel tells of a connection to this place as it was dialled. */
async function isTold(place: Dialled): Promise<boolean> {
  const socket = connect({ ...place }).on("error", () => socket.destroy());
  const told = async (): Promise<boolean> => {
    await once(socket, "connect");
    return ((await connectionsTo(await addressesOf([place]))) ?? 0) > 0;
  };
  try {
    return await unlessAborted(AbortSignal.timeout(SERVICE_MS), told());
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** By port; undefined stands for all addresses. */
type Addresses = ReadonlyMap<number, BlockList | undefined>;

async function addressesOf(places: readonly Dialled[]): Promise<Addresses> {
  const found = new Map<number, BlockList | undefined>();
  const all = places.map(async ({ host, port }) => {
    const addresses = await lookup(host, { all: true }).catch(() => undefined);
    const known = found.has(port) ? found.get(port) : new BlockList();
    found.set(port, addresses === undefined ? undefined : known);
    if (addresses !== undefined)
      for (const { address, family } of addresses) known?.addAddress(address, family === 6 ? "ipv6" : "ipv4");
  });
  await Promise.all(all);
  return found;
}

/** Undefined where there is no such kernel. */
async function connectionsTo(addresses: Addresses): Promise<number | undefined> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map(async (table) => await readFile(`/proc/self/net/${table}`, "utf8").catch(() => undefined)),
  );
  if (tables.every((table) => table === undefined)) return undefined;
  const found = tables.flatMap((table = "") => socketsIn(table, addresses));
  if (found.length === 0) return 0;
  // The tables show all of the pod's network, which is the node's where the pod has none of its own.
  const own = await ownSockets();
  return found.filter((socket) => own.has(socket)).length;
}

async function ownSockets(): Promise<ReadonlySet<string>> {
  const open = await readdir("/proc/self/fd");
  const targets = await Promise.all(open.map(async (one) => await readlink(`/proc/self/fd/${one}`).catch(() => "")));
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

/**
 * The inodes of sockets that are connected to one of the addresses.
 * @param table as Linux writes it: after a head a line each, with the addresses in hexadecimal.
 */
export function socketsIn(table: string, addresses: Addresses): string[] {
  return table.split("\n").flatMap((line) => {
    const [, , remote = "", state = "", , , , , , inode = "0"] = line.trim().split(/\s+/);
    // One without an inode belongs to no process any more.
    if (!OPEN_STATES.has(state) || inode === "0") return [];
    const [address = "", port = ""] = remote.split(":");
    const at = Number.parseInt(port, 16);
    if (!addresses.has(at)) return [];
    return (addresses.get(at)?.check(...readAddress(address)) ?? true) ? [inode] : [];
  });
}

/** Linux writes four bytes at a time, each four the wrong way round. */
function readAddress(hex: string): [address: string, family: "ipv4" | "ipv6"] {
  const bytes = Buffer.from(hex, "hex");
  bytes.swap32();
  if (bytes.length === 4) return [bytes.join("."), "ipv4"];
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return [groups.join(":"), "ipv6"];
}
