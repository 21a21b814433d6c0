// The wire of a watch: one JSON event a line, for as long as the server likes; a watch that says nothing is dead.
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { HttpStream } from "#wire/http.ts";
import type { WatchEvent } from "./connection.ts";
import { refusalError, watchError } from "./errors.ts";

/** The largest object that etcd takes is 1.5 MiB; a line beyond this is no event. */
const MAX_LINE = 16 * 1024 * 1024;

/** Events of a watch's answer. Throws KnownError for a refusal, an ERROR event, silence, and a line that is no event. */
export async function* watchLines(
  stream: HttpStream,
  path: string,
  silenceMs: number,
  clock: Clock,
): AsyncGenerator<WatchEvent> {
  const chunks = alive(stream, path, silenceMs, clock);
  if (stream.status >= 300) {
    const text = await textOf(chunks);
    throw refusalError({ method: "WATCH", path, status: stream.status, text, retryAfterMs: stream.retryAfterMs });
  }
  for await (const line of linesOf(chunks, path)) {
    const event = eventOf(line, path);
    if (event.type === "ERROR") throw watchError(event.object, path);
    yield event;
  }
}

/** One for all: an abort without a reason makes an exception with its stack, for every chunk of every watch. */
const HEARD = new Error("heard");

/** Ends with an error when nothing comes for `silenceMs`: a half-open connection never tells. */
async function* alive(stream: HttpStream, path: string, silenceMs: number, clock: Clock): AsyncGenerator<Buffer> {
  const iterator = stream.chunks[Symbol.asyncIterator]();
  try {
    while (true) {
      const heard = new AbortController();
      const silence = clock.sleep(silenceMs, heard.signal).then(
        () => "silent" as const,
        () => "heard" as const,
      );
      const next = iterator.next();
      next.catch(() => undefined);
      const first = await Promise.race([next, silence]).finally(() => heard.abort(HEARD));
      if (first === "silent" || first === "heard") {
        throw new KnownError("transient", `the watch of ${path} was silent for ${silenceMs} ms`, { code: "Silent" });
      }
      if (first.done === true) return;
      yield first.value;
    }
  } finally {
    stream.close();
  }
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString("utf8");
}

async function* linesOf(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)]);
      rest = [];
      bytes = 0;
      from = at + 1;
      if (line.length > 0) yield line.toString("utf8");
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > MAX_LINE) throw unreadable(path);
    }
  }
  // A last line without its end was cut off with the connection: what it told is told again by the next watch.
}

function eventOf(line: string, path: string): WatchEvent {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null && "type" in parsed && "object" in parsed)
      return parsed as WatchEvent;
  } catch {
    // Said below, without the line: it may hold a Secret.
  }
  throw unreadable(path);
}

function unreadable(path: string): KnownError {
  return new KnownError("transient", `the watch of ${path} sent a line that is no event`, { code: "Unreadable" });
}
