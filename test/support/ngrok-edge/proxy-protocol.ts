// The PROXY header, by which an upstream behind an agent learns where its visitor came from (versions 1 and 2).
import { isIPv6 } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** The header's bytes for one connection, to be sent before its own. */
export function proxyHeader(version: 1 | 2, from: Address, to: Address): Buffer {
  const v6 = isIPv6(from.host) || isIPv6(to.host);
  if (version === 1) {
    return Buffer.from(`PROXY TCP${v6 ? 6 : 4} ${from.host} ${to.host} ${from.port} ${to.port}\r\n`);
  }
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  const addresses = Buffer.concat([addressBytes(from.host, v6), addressBytes(to.host, v6), ports]);
  const head = Buffer.alloc(4);
  head.writeUInt8(0x21, 0); // version 2, on behalf of a connection
  head.writeUInt8(v6 ? 0x21 : 0x11, 1); // TCP over IPv6 or IPv4
  head.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([signature, head, addresses]);
}

function addressBytes(host: string, v6: boolean): Buffer {
  if (!v6) return Buffer.from(host.split(".").map(Number));
  const bytes = Buffer.alloc(16);
  if (!isIPv6(host)) {
    bytes.writeUInt16BE(0xffff, 10);
    bytes.set(host.split(".").map(Number), 12);
    return bytes;
  }
  const [head = "", tail] = host.replace(/%.*$/, "").split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  before.forEach((group, i) => bytes.writeUInt16BE(group, i * 2));
  after.forEach((group, i) => bytes.writeUInt16BE(group, 16 - (after.length - i) * 2));
  return bytes;
}
