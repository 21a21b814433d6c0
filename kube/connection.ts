// One way to the API server: configuration and authentication, one bounded pool, a deadline on every request.
import { join } from "node:path";
import { existsSync } from "node:fs";
import { type Backoff, waitBefore } from "#wire/backoff.ts";
import { systemClock, type Clock } from "#wire/clock.ts";
import { isClass, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import { http, type Http, type HttpRequest } from "#wire/http.ts";
import { refusalError } from "./errors.ts";
import { inCluster } from "./in-cluster.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { Login, LoginSource } from "./login.ts";
import { watchLines } from "./watch-lines.ts";
import { USER_AGENT } from "./written.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type PatchType = "application/json-patch+json" | "application/merge-patch+json" | "application/apply-patch+yaml";

export interface KubeRequest {
  readonly method: Method;
  /** Path below the server's base, e.g. `/api/v1/namespaces`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: PatchType;
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up; default 30,000 for reads (repetitions included), writes carry `?timeout=4s`, if the query has none, and 5,000. */
  readonly timeoutMs?: number;
  /** A write that needs the token is asked for it as its bytes leave. */
  readonly fence?: Fence;
  /** Goes past the crowd of other calls: the Lease's renewals. */
  readonly urgent?: boolean;
  /** The answer to a success is not looked at: it is not parsed, and undefined is returned. */
  readonly discard?: boolean;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

export type WatchRequest = Omit<KubeRequest, "method" | "body" | "contentType" | "fence" | "urgent" | "discard"> & {
  /** Milliseconds without any byte after which the watch counts as dead; default 90,000 (bookmarks come each minute). */
  readonly silenceMs?: number;
  /** Called when the server has accepted the watch, before its first event. */
  readonly opened?: () => void;
};

export interface Connection extends AsyncDisposable {
  /** One call, its JSON answer. Throws KnownError, or FenceLost. */
  request(request: KubeRequest): Promise<unknown>;
  /**
   * A watch: events as they come, until the server ends it or the signal aborts (throws its reason). An ERROR event is
   * thrown as a KnownError (410: gone, code "Expired"); silence is a KnownError transient, code "Silent".
   */
  watch(request: WatchRequest): AsyncIterable<WatchEvent>;
  /** The server's address, for messages. */
  readonly server: string;
}

export interface ConnectOptions {
  /** A kubeconfig's path or its parsed content; without it KUBECONFIG of `env`, then the pod's ServiceAccount, then ~/.kube/config. */
  readonly kubeconfig?: string | object | undefined;
  readonly context?: string | undefined;
  /** The process's environment, handed in by main. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the pod's token and CA are; for tests. */
  readonly serviceAccountDir?: string;
  /** Connections at most, default 64. */
  readonly connections?: number;
  readonly userAgent?: string;
  readonly clock?: Clock;
  /** For the metrics rest_client_*: each call as it ends. */
  readonly observe?: (call: { method: string; status: number | undefined; ms: number }) => void;
}

const READ_TIMEOUT_MS = 30_000;
const WRITE_TIMEOUT_MS = 5_000;
/** The server gives up a write this much before we do: what we call unanswered is not still executing. */
const WRITE_MARGIN_MS = 1_000;
/** How long a login is taken for current; client-go reads token files once a minute. */
const LOGIN_MS = 30_000;
/** A server that is too busy for a write for longer than this is told to the caller. */
const WRITE_WAITS_MS = 20_000;

/** How often a question is asked again: a third of lost calls must not lose one of the eighty that a preflight makes. */
const REPEATS = 6;
const REPEAT: Backoff = { baseMs: 200, capMs: 2_000 };
/** One try for a single object or a review. Of a page a third of its time, since it may hang, then the rest, since it may be slow. */
const QUESTION_MS = 10_000;

/** Reads the configuration, talks to nobody. Throws KnownError invalid that names what is missing and the remedy. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const source = await sourceOf(options);
  const first = await source();
  const line = new Line(source, first, options, await pool(first, options));
  return {
    server: `${first.origin}${first.basePath}`,
    request: async (request) => await line.request(request),
    watch: (request) => line.watch(request),
    [Symbol.asyncDispose]: async () => await line.close(),
  };
}

async function sourceOf({
  kubeconfig: given,
  context,
  env = {},
  serviceAccountDir,
}: ConnectOptions): Promise<LoginSource> {
  const from = given ?? env["KUBECONFIG"]?.split(":").find((path) => path !== "");
  if (from !== undefined) return await kubeconfig(from, context);
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (host !== undefined && port !== undefined) return inCluster(host, port, serviceAccountDir);
  const home = env["HOME"] === undefined ? undefined : join(env["HOME"], ".kube", "config");
  if (home !== undefined && existsSync(home)) return await kubeconfig(home, context);
  throw new KnownError("invalid", "no Kubernetes cluster is named", {
    code: "Kubeconfig",
    hint: "Set KUBECONFIG or --kubeconfig, or run inside a pod with a ServiceAccount token.",
  });
}

async function pool(login: Login, options: ConnectOptions): Promise<Http> {
  return await http({
    origin: login.origin,
    tls: login.tls,
    // An API server keeps idle connections for 90 s.
    idleMs: 30_000,
    ...(login.proxy === undefined ? {} : { proxy: login.proxy }),
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  });
}

/** The login as it is now and the pool that fits its certificates. */
class Line {
  readonly #source: LoginSource;
  readonly #options: ConnectOptions;
  readonly #clock: Clock;
  /** Pools of earlier certificates: their calls end, their idle connections close themselves. */
  readonly #pools: Http[];
  #login: Login;
  #http: Http;
  #readAt: number;
  #reading: Promise<void> | undefined;

  constructor(source: LoginSource, login: Login, options: ConnectOptions, first: Http) {
    this.#source = source;
    this.#login = login;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#readAt = this.#clock.now();
    this.#http = first;
    this.#pools = [first];
  }

  /**
   * What passes by itself is asked again: a question, which changes nothing, for as long as the one call may take; a write
   * only where the server refused it with a wait, so that nothing was carried out (client-go does the same). The fence is
   * asked anew each time. The Lease's own calls count each try themselves.
   */
  async request(request: KubeRequest): Promise<unknown> {
    if (request.urgent === true) return await this.#call(request);
    const question = isQuestion(request);
    const over = this.#clock.now() + (question ? (request.timeoutMs ?? READ_TIMEOUT_MS) : WRITE_WAITS_MS);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#call(question ? { ...request, timeoutMs: this.#oneTry(request, over) } : request);
      } catch (error) {
        const passes = question ? isClass(error, "transient", "throttled") : refusedForNow(error);
        if (request.signal.aborted || attempt === REPEATS || !passes) throw error;
        const ms = waitBefore(error, attempt, REPEAT, Math.random);
        if (ms === "never" || this.#clock.now() + ms >= over) throw error;
        await this.#clock.sleep(ms, request.signal);
      }
    }
  }

  #oneTry({ query, timeoutMs = READ_TIMEOUT_MS }: KubeRequest, over: number): number {
    const left = over - this.#clock.now();
    if (query?.["limit"] === undefined) return Math.min(left, QUESTION_MS);
    return left > (timeoutMs * 2) / 3 ? Math.ceil(timeoutMs / 3) : left;
  }

  async #call(request: KubeRequest): Promise<unknown> {
    await this.#refresh();
    const login = this.#login;
    let answer = await this.#http.send(this.#wire(request));
    if (answer.status === 401) {
      // Nothing was executed: a token that has just rotated may be read and tried once.
      await this.#renew();
      if (this.#login !== login) answer = await this.#http.send(this.#wire(request));
    }
    if (answer.status >= 300) throw refusalError({ ...answer, method: request.method, path: request.path });
    return request.discard === true ? undefined : parse(answer.text, `${request.method} ${request.path}`);
  }

  async *watch(request: WatchRequest): AsyncGenerator<WatchEvent> {
    await this.#refresh();
    const query = { allowWatchBookmarks: true, ...request.query, watch: true };
    let stream = await this.#http.stream(this.#wire({ ...request, query, method: "GET" }));
    if (stream.status === 401) {
      stream.close();
      await this.#renew();
      stream = await this.#http.stream(this.#wire({ ...request, query, method: "GET" }));
    }
    if (stream.status < 300) request.opened?.();
    yield* watchLines(stream, request.path, request.silenceMs ?? 90_000, this.#clock);
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map(async (each) => await each[Symbol.asyncDispose]()));
  }

  /** By age: a login that cannot be read just now may still be good, the server decides. */
  async #refresh(): Promise<void> {
    if (this.#clock.now() - this.#readAt > LOGIN_MS) await this.#renew().catch(() => undefined);
  }

  async #renew(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    this.#readAt = this.#clock.now();
    const login = await this.#source();
    if (JSON.stringify(login) === JSON.stringify(this.#login)) return;
    if (JSON.stringify(login.tls) !== JSON.stringify(this.#login.tls)) {
      this.#http = await pool(login, this.#options);
      this.#pools.push(this.#http);
    }
    this.#login = login;
  }

  #wire(request: KubeRequest): HttpRequest {
    const isRead = request.method === "GET";
    const timeoutMs = request.timeoutMs ?? (isRead ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS);
    const query = isRead ? request.query : { timeout: serverTimeout(timeoutMs), ...request.query };
    return {
      method: request.method,
      path: `${this.#login.basePath}${request.path}${queryOf(query)}`,
      headers: {
        accept: "application/json",
        "user-agent": this.#options.userAgent ?? USER_AGENT,
        ...this.#login.headers,
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: request.signal,
      timeoutMs,
      fence: request.fence,
      ...(request.urgent === true ? { urgent: true } : {}),
    };
  }
}

/** Reads, and the reviews that are asked by a POST. */
function isQuestion({ method, path }: KubeRequest): boolean {
  return method === "GET" || path.endsWith("/selfsubjectaccessreviews");
}

/** 429 with a wait: turned away at the door. Without one it may be a refusal of the object's own. */
function refusedForNow(error: unknown): boolean {
  return isClass(error, "throttled") && error.retryAfterMs !== undefined;
}

function serverTimeout(timeoutMs: number): string {
  const ms = Math.max(timeoutMs - WRITE_MARGIN_MS, Math.floor(timeoutMs / 2));
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function queryOf(query: KubeRequest["query"]): string {
  if (query === undefined) return "";
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parts.push(`${key}=${encodeURIComponent(value)}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KnownError("invalid", `${what}: the answer is not JSON`, {
      hint: "This does not look like a Kubernetes API server: check the address.",
      cause: error,
    });
  }
}
