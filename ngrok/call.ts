// One call to ngrok's API: its headers, its deadline, and the retries that cannot do a thing twice.
import type { Clock } from "#wire/clock.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import type { Http, HttpAnswer } from "#wire/http.ts";
import { ambiguous, errorOf, unreadable, type Asked } from "./errors.ts";
import { isShort, type Pace, type Turn } from "./pace.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the API's base: `/endpoints/ep_1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; fields that are undefined are left out, empty ones are not. */
  readonly body?: object;
  readonly signal: AbortSignal;
}

/** Returns the JSON of the answer, undefined when it has no body. Throws KnownError, FenceLost or the signal's reason. */
export type Caller = (call: Call) => Promise<unknown>;

export interface CallerOptions {
  readonly send: Http["send"];
  readonly base: Base;
  readonly apiKey: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Milliseconds for one call, its retries and waits included; a wait for the first turn is not. */
  readonly timeoutMs: number;
  /** Between 0 and 1: spreads retries. */
  readonly random: () => number;
  readonly fence: Fence | undefined;
  /** The life of the client. */
  readonly signal: AbortSignal;
}

/** Where the API is: `path` is "" or starts with a slash, and does not end with one. */
export interface Base {
  readonly origin: string;
  readonly path: string;
}

/** How often a call is tried anew after it failed without ngrok asking for a pause. */
const RETRIES = 2;
const FIRST_RETRY_MS = 200;

export function caller(options: CallerOptions): Caller {
  const { clock, pace, random, timeoutMs } = options;
  return async (call) => {
    const fence = call.method === "GET" ? undefined : (options.fence ?? noRight());
    const signal = AbortSignal.any([call.signal, options.signal]);
    let until: number | undefined;
    let retries = 0;
    while (true) {
      const turn = await pace.turn(signal, until);
      until ??= clock.now() + timeoutMs;
      const tried = await inTurn(turn, attempt(options, { ...call, signal }, fence, until - clock.now()));
      if ("json" in tried) return tried.json;
      const { error, sent } = tried;
      const safe = call.method !== "POST" || !sent || error.class === "throttled";
      if (!safe) throw isRefusal(error) ? error : ambiguous(error, askedOf(call, options.base));
      if (asksToWait(error)) {
        if (!isShort(error.retryAfterMs, until, clock)) throw error;
        continue;
      }
      const pause = FIRST_RETRY_MS * 3 ** retries * (0.5 + random() / 2);
      const may = error.class === "transient" && !isRefusal(error) && retries < RETRIES;
      if (!may || clock.now() + pause >= until) throw error;
      retries += 1;
      await clock.sleep(pause, signal);
    }
  };
}

/** Gives the place back, and tells the pace when ngrok asked to wait. */
async function inTurn(turn: Turn, attempted: Promise<Tried>): Promise<Tried> {
  let waitMs: number | "unsaid" | undefined;
  try {
    const tried = await attempted;
    if ("error" in tried && asksToWait(tried.error)) waitMs = tried.error.retryAfterMs ?? "unsaid";
    return tried;
  } finally {
    turn.end(waitMs);
  }
}

/** What an attempt came to. `sent` is true when bytes may have reached ngrok. */
type Tried = { readonly json: unknown } | { readonly error: KnownError; readonly sent: boolean };

async function attempt(
  options: CallerOptions,
  call: Call,
  fence: Fence | undefined,
  timeoutMs: number,
): Promise<Tried> {
  const asked = askedOf(call, options.base);
  if (timeoutMs <= 0) return { error: noTime(asked, options.timeoutMs), sent: false };
  const witness = witnessOf(fence);
  let answer: HttpAnswer;
  try {
    answer = await options.send({
      method: call.method,
      path: options.base.path + call.path + queryOf(call),
      headers: headersOf(call, options),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: call.signal,
      timeoutMs,
      fence: witness?.fence,
    });
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { error, sent: witness?.sent() ?? true };
  }
  if (answer.status >= 200 && answer.status < 300) return read(answer, asked);
  const redact = (text: string) => text.replaceAll(options.apiKey, "[API key]");
  return { error: errorOf(answer, asked, redact), sent: true };
}

function read(answer: HttpAnswer, asked: Asked): Tried {
  if (answer.text.trim() === "") return { json: undefined };
  try {
    const json: unknown = JSON.parse(answer.text);
    return { json };
  } catch {
    return { error: unreadable(`${asked.method} ${asked.path} got no JSON`, answer.status), sent: true };
  }
}

/** The fence, and whether it saw bytes leave: only that tells a creation that never left from one that may exist. */
function witnessOf(fence: Fence | undefined): { readonly fence: Fence; sent(): boolean } | undefined {
  if (fence === undefined) return undefined;
  let left = false;
  return {
    fence: {
      signal: fence.signal,
      assertMayWrite: () => fence.assertMayWrite(),
      sent(outcome, mayLastMs) {
        left = true;
        fence.sent?.(outcome, mayLastMs);
      },
    },
    sent: () => left,
  };
}

function headersOf(call: Call, { apiKey, userAgent }: CallerOptions): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    "user-agent": userAgent,
    "ngrok-version": "2",
    ...(call.body === undefined ? {} : { "content-type": "application/json" }),
  };
}

function queryOf({ query }: Call): string {
  return query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
}

function askedOf(call: Call, base: Base): Asked {
  return { server: base.origin + base.path, method: call.method, path: call.path };
}

function asksToWait(error: KnownError): boolean {
  return error.class === "throttled" || (error.class === "transient" && error.retryAfterMs !== undefined);
}

/** ngrok answered and means it: nothing was done, and trying again at once changes nothing. */
function isRefusal({ status }: KnownError): boolean {
  return status !== undefined && status >= 300 && status < 500 && status !== 408 && status !== 425;
}

function noTime(asked: Asked, timeoutMs: number): KnownError {
  return new KnownError("transient", `${asked.method} ${asked.path} did not succeed within ${timeoutMs} ms`, {
    code: "Timeout",
    hint: `Check that ${asked.server} is reachable from here and not overloaded.`,
  });
}

function noRight(): never {
  throw new FenceLost("this client of ngrok's API was given no right to write");
}
