// One request to ngrok's own paths, from its arrival to its answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Account } from "./account.ts";
import * as refuse from "./errors.ts";
import { ApiError } from "./errors.ts";
import type { Blow, Effect, Faults } from "./faults.ts";
import type { Keys } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import type { RateLimit } from "./rate-limit.ts";
import { act, type Request } from "./routes.ts";

/** All that a request meets. */
export interface Hub {
  account: Account;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly keys: Keys;
  readonly rate: RateLimit | undefined;
  readonly latencyMs: number;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly retryAfter?: number | undefined;
  readonly id?: string | undefined;
  readonly changed: boolean;
}

/** Answers a request, or does to it what a fault says. Never rejects. */
export async function serve(hub: Hub, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request: Request = readHead(incoming);
  const raw = hasBody(incoming) ? await readText(incoming) : "";
  // The client went away while it was still sending.
  if (raw === undefined) return;
  const hit = hub.faults.take(request.method, request.path);
  if (hub.latencyMs > 0) await delay(hub.latencyMs);
  await linger(hit?.before);
  const first = hit?.before.effect;
  let answer = first ? ofFault(first) : await handle(hub, incoming, request, raw);
  await linger(hit?.after);
  const effect = first ?? hit?.after.effect;
  if (effect?.kind === "status") answer = { ...ofFault(effect), id: answer.id, changed: answer.changed };
  const whole = effect === undefined || effect.kind === "status";
  const slowed = hit && hit.before.ms + hit.after.ms > 0 ? "latency" : undefined;
  // Before the answer leaves: whoever has read it finds it in the ledger.
  record(hub.ledger, request, { ...answer, status: whole ? answer.status : 0 }, effect?.kind ?? slowed);
  if (effect?.kind === "hang") return;
  if (effect?.kind === "reset") incoming.socket.resetAndDestroy();
  else if (effect?.kind === "partial") sendHalf(response, answer);
  else send(response, answer);
}

/** The latency that was asked for; over before its time when its fault is removed. */
async function linger({ ms, over }: Blow = { ms: 0 }): Promise<void> {
  if (ms === 0) return;
  const gone = new AbortController();
  void over?.then(() => gone.abort());
  await delay(ms, undefined, { signal: gone.signal }).catch(() => {});
}

function record(ledger: Ledger, request: Request, answer: Answer, fault: string | undefined): void {
  const { at, method, path, query } = request;
  const { id, status, changed } = answer;
  const ms = performance.now() - at;
  ledger.add({
    at,
    method,
    path,
    query,
    ...(id !== undefined && { id }),
    status,
    ms,
    ...(fault && { fault }),
    changed,
  });
}

function readHead(incoming: IncomingMessage): Request {
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  return {
    at: performance.now(),
    method: incoming.method ?? "GET",
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? "" : url.slice(mark + 1),
    base: `http://${incoming.headers.host ?? "localhost"}`,
  };
}

async function handle(hub: Hub, incoming: IncomingMessage, request: Request, raw: string | ApiError): Promise<Answer> {
  try {
    const action = act(hub.account.resources, request);
    const { authorization, "ngrok-version": version } = incoming.headers;
    hub.keys.check(authorization, request.method);
    checkVersion(version);
    const seconds = hub.rate?.exceeded();
    if (hub.rate && seconds !== undefined) return ofError(refuse.tooManyRequests(hub.rate.perMinute), seconds);
    const body = action.takesBody ? parse(raw, incoming.headers["content-type"]) : refuseBody(raw, request.method);
    const running = action.run(body);
    const { status, value, id } = running instanceof Promise ? await running : running;
    const text = value === undefined ? "" : JSON.stringify(value);
    return { status, body: text, id, changed: request.method !== "GET" };
  } catch (error) {
    if (error instanceof ApiError) return ofError(error);
    // A defect of the stand-in must not look like one of ngrok's refusals.
    console.error("ngrok-api: defect in the stand-in", error);
    return ofError(new ApiError(500, undefined, `defect in the stand-in: ${String(error)}`));
  }
}

function checkVersion(version: string | string[] | undefined): void {
  if (version === undefined) throw refuse.missingVersion();
  if (version !== "2") throw refuse.wrongVersion(String(version));
}

function parse(raw: string | ApiError, type: string | undefined): unknown {
  if (raw instanceof ApiError) throw raw;
  if (raw === "") return {};
  if (!/^application\/json\b/i.test(type ?? "")) throw refuse.wrongContentType(type ?? "");
  try {
    return JSON.parse(raw);
  } catch {
    throw refuse.unreadableBody("it is not JSON");
  }
}

function refuseBody(raw: string | ApiError, method: string): undefined {
  if (raw !== "") throw refuse.unexpectedBody(method);
}

const maxBody = 1_048_576;

function hasBody(incoming: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}

/** The body; the refusal when it is too large; undefined when the client went away. */
async function readText(incoming: IncomingMessage): Promise<string | ApiError | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Read on, so that the client can hear the refusal.
      if (size <= maxBody) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return size > maxBody ? refuse.bodyTooLarge(maxBody) : Buffer.concat(chunks).toString("utf8");
}

function ofError(error: ApiError, retryAfter?: number): Answer {
  return { status: error.status, body: JSON.stringify(error.body()), retryAfter, changed: false };
}

function ofFault(effect: Effect): Answer {
  if (effect.kind !== "status") return { status: 0, body: "", changed: false };
  const { status, text, retryAfter, code } = effect;
  if (text !== undefined) return { status, body: text, type: "text/html", retryAfter, changed: false };
  return ofError(
    new ApiError(status, code ?? (status === 429 ? 1214 : undefined), `fault on demand: ${status}`),
    retryAfter,
  );
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, headersOf(answer));
  response.end(answer.body);
}

function sendHalf(response: ServerResponse, answer: Answer): void {
  // An answer without a body (204) has no half: promise one that never comes.
  const body = answer.body === "" ? "{}" : answer.body;
  response.writeHead(answer.status === 204 ? 200 : answer.status, headersOf({ ...answer, body }));
  response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
}

function headersOf({ body, type, retryAfter }: Answer): Record<string, string | number> {
  const headers: Record<string, string | number> = {};
  if (body !== "") {
    headers["content-type"] = type ?? "application/json";
    headers["content-length"] = Buffer.byteLength(body);
  }
  if (retryAfter !== undefined) headers["retry-after"] = retryAfter;
  return headers;
}
