// Calls over a stream: four bytes that say what it is for, then one JSON object each way without length or end.
import { word } from "./frames.ts";
import type { MuxStream } from "./mux-stream.ts";

/** What a stream is for; who opens it is in the name. */
export const streamType = {
  auth: 0,
  bind: 1,
  unbind: 2,
  proxyFromEdge: 3,
  restartFromEdge: 4,
  stopFromEdge: 5,
  updateFromEdge: 6,
  bindLabeled: 7,
  stopEndpointFromEdge: 9,
  heartbeat: 0xffffffff,
} as const;

export type Fields = Record<string, unknown>;

const longestCall = 4 * 1024 * 1024;

/** The type of a stream that the agent opened; undefined when it ended before it said. */
export async function readType(stream: MuxStream): Promise<number | undefined> {
  const bytes = await readExactly(stream, 4);
  return bytes?.readUInt32BE();
}

/** The next `count` bytes; undefined when the stream ends first. */
export async function readExactly(stream: MuxStream, count: number): Promise<Buffer | undefined> {
  for (;;) {
    const bytes = stream.read(count) as Buffer | null;
    if (bytes !== null) return bytes.length === count ? bytes : undefined;
    if (!(await readable(stream))) return undefined;
  }
}

/** One JSON object as soon as it is whole: who calls sends no end before it has its answer. Undefined when none comes. */
export async function readObject(stream: MuxStream): Promise<Fields | undefined> {
  let text = Buffer.alloc(0);
  for (;;) {
    const bytes = stream.read() as Buffer | null;
    if (bytes !== null) text = Buffer.concat([text, bytes]);
    const value = text.at(-1) === closingBrace ? parsed(text) : undefined;
    if (value !== undefined) return value;
    if (text.length > longestCall || !(await readable(stream))) return undefined;
  }
}

const closingBrace = 0x7d;

function parsed(text: Buffer): Fields | undefined {
  try {
    return JSON.parse(text.toString()) as Fields;
  } catch {
    return undefined; // a brace inside of it
  }
}

/** Answers a call of the agent; it waits for the end as well as for the object. */
export function answer(stream: MuxStream, value: object | string): void {
  stream.end(typeof value === "string" ? value : JSON.stringify(value));
}

/** Calls the agent and resolves to its answer, or undefined when it ends the stream without one. */
export async function callAgent(stream: MuxStream, type: number, value: object): Promise<Fields | undefined> {
  stream.write(Buffer.concat([word(type), Buffer.from(JSON.stringify(value))]));
  const reply = await readObject(stream);
  stream.end();
  stream.resume();
  return reply;
}

/** Resolves to whether there may be more to read. */
function readable(stream: MuxStream): Promise<boolean> {
  if (stream.destroyed || stream.readableEnded) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (more: boolean) => {
      stream.off("readable", go).off("end", end).off("close", end);
      resolve(more);
    };
    const go = () => settle(true);
    const end = () => settle(false);
    stream.on("readable", go).on("end", end).on("close", end);
  });
}
