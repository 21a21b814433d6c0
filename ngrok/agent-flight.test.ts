// What the kernel's table says of connections, read as the agent reads it.
import { BlockList } from "node:net";
import { expect, test } from "vitest";
import { socketsIn } from "./agent-flight.ts";

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
