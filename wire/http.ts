// Calls to one server over HTTP/1.1: one bounded pool of kept-alive connections, a deadline on every call, bodies of
// bounded size. What an answer means is said by kube/ and ngrok/; here only the ways in which there is none.
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import Pool from "undici/lib/dispatcher/pool.js";
import type { Dispatcher } from "undici";
import { systemClock, type Clock } from "./clock.ts";
import { KnownError } from "./errors.ts";
import { Exchange, type Headers } from "./exchange.ts";
import type { Fence } from "./fence.ts";
import { noProxyAddress } from "./proxy-address.ts";
import { retryAfterMs } from "./retry-after.ts";
import { unreachable } from "./unreachable.ts";

export interface Tls {
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly pfx?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface HttpOptions {
  /** `https://host:port`, no path. */
  readonly origin: string;
  /** Connections at most, default 64; streams and urgent calls have as many beside them, so that a crowd cannot block them. */
  readonly connections?: number;
  readonly tls?: Tls;
  /** `http://proxy:port`; the caller reads the environment and knows the exceptions. */
  readonly proxy?: string;
  /** Milliseconds for which an idle connection is kept, default 4,000; keep it under the server's own. */
  readonly idleMs?: number;
  readonly clock?: Clock;
  /** For metrics: each call as it ends, a stream as its head comes; `status` is undefined when no answer came. */
  readonly observe?: (call: { method: string; status: number | undefined; ms: number }) => void;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up, the wait for a free connection included. */
  readonly timeoutMs: number;
  readonly fence?: Fence | undefined;
  /** Bytes that the answer may have at most, default 64 MiB. */
  readonly maxBytes?: number;
  /** Goes beside the crowd: a Lease's renewal must not wait for sixty slow calls. */
  readonly urgent?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What Retry-After asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: Headers;
  readonly retryAfterMs: number | undefined;
  /** The body as it comes; ends with the server, throws when the connection breaks. Leaving the loop closes it. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Closes the connection; a reader that waits is woken with an error. */
  close(): void;
}

export interface Http extends AsyncDisposable {
  readonly origin: string;
  /** One call, whatever its status. Throws KnownError (transient, or invalid for TLS), FenceLost, or the signal's reason. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** An answer without an end; `timeoutMs` bounds the wait for its head only. */
  stream(request: HttpRequest): Promise<HttpStream>;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** A stream's reader that falls behind by this much stops the socket. */
const STREAM_BUFFER = 1024 * 1024;

/** Opens nothing: connections are made by the first calls. Throws KnownError invalid for an origin or a proxy that is no URL, or unreadable certificates. */
export async function http(options: HttpOptions): Promise<Http> {
  const { origin, clock = systemClock } = options;
  const crowd = await dispatcher(options);
  const beside = await dispatcher(options);

  const begin = (request: HttpRequest, pool: Dispatcher, exchange: Exchange) => {
    try {
      request.signal.throwIfAborted();
      request.fence?.signal.throwIfAborted();
      pool.dispatch(
        {
          origin,
          path: request.path,
          method: request.method,
          headers: request.headers ?? null,
          body: request.body ?? null,
          // Else undici closes the connection after each DELETE that has a body, which every guarded deletion has.
          reset: false,
        },
        exchange,
      );
    } catch (error) {
      exchange.fail(error instanceof Error ? error : unreachable(error, origin));
    }
  };

  const call = (request: HttpRequest, done: (exchange: Exchange) => void): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const started = clock.now();
      const maxBytes = request.maxBytes ?? MAX_BYTES;
      const chunks: Buffer[] = [];
      let status = 0;
      let headers: Headers = {};
      let bytes = 0;
      const exchange = new Exchange(
        { server: origin, signal: request.signal, fence: request.fence, deadlineMs: request.timeoutMs },
        {
          head: (code, named) => {
            status = code;
            headers = named;
          },
          data: (chunk) => {
            bytes += chunk.length;
            if (bytes > maxBytes) exchange.fail(tooLarge(origin, request.path, maxBytes));
            else chunks.push(chunk);
          },
          end: () => {
            options.observe?.({ method: request.method, status, ms: clock.now() - started });
            const text = chunks.length === 1 ? chunks[0]!.toString("utf8") : Buffer.concat(chunks).toString("utf8");
            resolve({ status, headers, text, retryAfterMs: waitOf(headers, clock) });
          },
          failed: (error) => {
            options.observe?.({ method: request.method, status: undefined, ms: clock.now() - started });
            reject(error);
          },
        },
      );
      done(exchange);
    });

  return {
    origin,
    send: async (request) =>
      await call(request, (exchange) => begin(request, request.urgent === true ? beside : crowd, exchange)),
    stream: async (request) => await stream(request, options, clock, (exchange) => begin(request, beside, exchange)),
    async [Symbol.asyncDispose]() {
      const closed = new KnownError("transient", `${origin}: the connection was closed on our side`, {
        code: "Closed",
      });
      await Promise.all([crowd.destroy(closed), beside.destroy(closed)]);
    },
  };
}

async function stream(
  request: HttpRequest,
  { origin, observe }: HttpOptions,
  clock: Clock,
  begin: (exchange: Exchange) => void,
): Promise<HttpStream> {
  const queue: Buffer[] = [];
  let queued = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const started = clock.now();
  let isObserved = false;
  /** As its head comes, or does not: the end of what has none says nothing. */
  const observed = (status: number | undefined): void => {
    if (!isObserved) observe?.({ method: request.method, status, ms: clock.now() - started });
    isObserved = true;
  };

  return await new Promise((resolve, reject) => {
    const exchange = new Exchange(
      { server: origin, signal: request.signal, fence: request.fence, deadlineMs: request.timeoutMs },
      {
        head: (status, headers) => {
          exchange.liftDeadline();
          observed(status);
          resolve({ status, headers, retryAfterMs: waitOf(headers, clock), chunks: chunks(), close });
        },
        data: (chunk) => {
          queue.push(chunk);
          queued += chunk.length;
          if (queued > STREAM_BUFFER) exchange.pause();
          wake();
        },
        end: () => {
          ended = true;
          wake();
        },
        failed: (error) => {
          failure = error;
          observed(undefined);
          reject(error);
          wake();
        },
      },
    );
    async function* chunks(): AsyncGenerator<Buffer> {
      try {
        while (true) {
          const chunk = queue.shift();
          if (chunk !== undefined) {
            queued -= chunk.length;
            if (queued <= STREAM_BUFFER) exchange.resume();
            yield chunk;
          } else if (failure !== undefined) throw failure;
          else if (ended) return;
          else await new Promise<void>((next) => (wake = next));
        }
      } finally {
        close();
      }
    }
    function close(): void {
      exchange.fail(new KnownError("transient", `${origin}: the stream was left`, { code: "Closed" }));
    }
    begin(exchange);
  });
}

async function dispatcher(options: HttpOptions): Promise<Dispatcher> {
  if (!URL.canParse(options.origin)) {
    throw new KnownError("invalid", `"${options.origin}" is not a server address`, {
      hint: "It looks like https://host:port.",
    });
  }
  const connect = { ...secured(options), timeout: 10_000, keepAliveInitialDelay: 15_000 };
  const common = {
    connections: options.connections ?? 64,
    allowH2: false,
    pipelining: 1,
    // Deadlines are ours: undici's own would end a quiet watch.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: options.idleMs ?? 4_000,
  };
  if (options.proxy === undefined) return new Pool(options.origin, { ...common, connect });
  const { proxyAgent } = await import("./proxy-agent.ts");
  try {
    return proxyAgent({ ...common, uri: options.proxy, proxyTunnel: true, requestTls: connect });
  } catch {
    throw noProxyAddress();
  }
}

/** One context for all connections: read anew for each of them, CAs and keys would cost a millisecond and 100 kB every time. */
function secured({ origin, tls = {} }: HttpOptions) {
  if (!origin.startsWith("https:")) return {};
  const { ca, servername, rejectUnauthorized, ...identity } = tls;
  const authorities = ca === undefined ? {} : { ca: typeof ca === "string" || Buffer.isBuffer(ca) ? ca : [...ca] };
  return {
    secureContext: contextOf(origin, { ...identity, ...authorities }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

function contextOf(origin: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new KnownError("invalid", `${origin}: the certificates for it cannot be read: ${why}`, {
      code: "Certificates",
      hint: "Check the CA, the client certificate and its key: each is PEM, and the two belong together.",
      cause: error,
    });
  }
}

function waitOf(headers: Headers, clock: Clock): number | undefined {
  return retryAfterMs(one(headers["retry-after"]), one(headers["date"]), clock);
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function tooLarge(origin: string, path: string, maxBytes: number): KnownError {
  return new KnownError("invalid", `${origin}${path}: the answer is larger than ${maxBytes} bytes`, {
    code: "AnswerTooLarge",
  });
}
