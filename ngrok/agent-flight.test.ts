// What the kernel's table says of connections, read as the agent reads it.
import { once } from "node:events";
import { BlockList, connect } from "node:net";
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { tcpEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { type Clock, systemClock } from "#wire/clock.ts";
import { flownOut, socketsIn } from "./agent-flight.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

function line(remote: string, state = "01", inode = 4711): string {
  return `   0: 0100007F:9C40 ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0\n`;
}

const only = (address: string, family: "ipv4" | "ipv6" = "ipv4"): BlockList => {
  const list = new BlockList();
  list.addAddress(address, family);
  return list;
};

test.for([
  ["one that is established", line("0A00600A:1F90"), 1],
  ["one whose other side has ended", line("0A00600A:1F90", "08"), 1],
  ["one that waits for the other side's end", line("0A00600A:1F90", "05"), 1],
  ["one that nobody has any more", line("0A00600A:1F90", "05", 0), 0],
  ["one that is over", line("0A00600A:1F90", "06"), 0],
  ["one that listens", line("00000000:0000", "0A"), 0],
  ["one to another port", line("0A00600A:1F91"), 0],
  ["one to another address", line("0B00600A:1F90"), 0],
] as const)("%s to 10.96.0.10:8080 counts as that", ([, table, count], { expect }) => {
  expect(socketsIn(HEAD + table, new Map([[8080, only("10.96.0.10")]]))).toHaveLength(count);
});

test("an address of IPv6 is read, and where a name's addresses are not known, the port is enough", () => {
  const table = HEAD + line("B80D0120000000000000000001000000:1F90");
  expect(socketsIn(table, new Map([[8080, only("2001:db8::1", "ipv6")]]))).toEqual(["4711"]);
  expect(socketsIn(table, new Map([[8080, only("2001:db8::2", "ipv6")]]))).toEqual([]);
  expect(socketsIn(table, new Map([[8080, undefined]]))).toEqual(["4711"]);
});

/** Whoever sleeps moves its time on, as soon as the machine has done what is at hand. */
function hurryingClock(): Clock {
  const clock = testClock({ hurry: true });
  return {
    ...clock,
    sleep: async (ms, signal) => {
      await systemClock.sleep(5, signal);
      await clock.sleep(ms, signal);
    },
  };
}

/** Linux connects who dials this to the loopback, and tells of that: as a load balancer at the socket tells of a pod. */
const REWRITTEN = "0.0.0.0";

test("where the kernel tells of a Service what was dialled, nobody is waited for when nothing runs", async () => {
  await using service = await tcpEcho();
  const took = async (): Promise<number> => {
    const clock = hurryingClock();
    await flownOut([{ host: "10.96.0.10", port: 80 }], clock, 60_000, { host: "127.0.0.1", port: service.port });
    return clock.now();
  };
  // A machine that takes half a second to connect to itself is taken for one that tells nothing: then once more.
  await expect.poll(took).toBeLessThan(1_000);
});

test("where it tells of a pod instead, what runs unseen has five seconds, and never more than the grace", async () => {
  await using service = await tcpEcho();
  await using upstream = await tcpEcho();
  const flying = connect({ host: REWRITTEN, port: upstream.port });
  await once(flying, "connect");
  const took = async (withinMs: number): Promise<number> => {
    const clock = hurryingClock();
    const place = { host: REWRITTEN, port: upstream.port };
    await flownOut([place], clock, withinMs, { host: REWRITTEN, port: service.port });
    return clock.now();
  };
  expect(await took(60_000)).toBe(5_000);
  expect(await took(3_000)).toBe(3_000);
  flying.destroy();
});

test("so it has where the Service does not answer: nobody knows then what the kernel would tell", async () => {
  const { port } = await tcpEcho().then(async (gone) => (await gone[Symbol.asyncDispose](), gone));
  const clock = hurryingClock();
  await flownOut([{ host: "10.96.0.10", port: 80 }], clock, 60_000, { host: "127.0.0.1", port });
  expect(clock.now()).toBe(5_000);
});
