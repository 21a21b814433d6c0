// The header of the PROXY protocol at the beginning of a connection, taken off as it is: version 1 is a line of text,
// version 2 is binary. https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
import type { Socket } from "node:net";

const V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
const V1 = Buffer.from("PROXY ");
const LONGEST_V1 = 107;

/** The header's bytes; undefined when the connection does not begin with one. What follows it stays to be read. */
export async function readProxyHeader(from: Socket): Promise<Buffer | undefined> {
  let read = Buffer.alloc(0);
  for (;;) {
    const length = lengthOf(read);
    if (length === "none") {
      from.unshift(read);
      return undefined;
    }
    if (length !== undefined && read.length >= length) {
      from.unshift(read.subarray(length));
      return read.subarray(0, length);
    }
    const chunk = await more(from);
    if (chunk === undefined) return undefined;
    read = Buffer.concat([read, chunk]);
  }
}

/** Of the whole header; undefined while that cannot be said. */
export function lengthOf(read: Buffer): number | "none" | undefined {
  if (begins(read, V2)) return read.length < 16 ? undefined : 16 + read.readUInt16BE(14);
  if (!begins(read, V1)) return "none";
  const end = read.indexOf("\r\n");
  if (end >= 0) return end + 2;
  return read.length > LONGEST_V1 ? "none" : undefined;
}

function begins(read: Buffer, mark: Buffer): boolean {
  const length = Math.min(read.length, mark.length);
  return read.subarray(0, length).equals(mark.subarray(0, length));
}

/** What comes next; undefined when the connection ends. */
async function more(from: Socket): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = from.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (from.readableEnded || from.destroyed) return undefined;
    await new Promise<void>((resolve) => {
      const events = ["readable", "end", "close"] as const;
      const go = (): void => {
        for (const event of events) from.off(event, go);
        resolve();
      };
      for (const event of events) from.on(event, go);
    });
  }
}
