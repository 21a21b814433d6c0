// How a process of the model reaches the API server and ngrok: as messages that take their time, with the deadlines of the
// real connections. Here a process dies, is stopped, or loses an answer, at the n-th request that it makes.
import { refusalError } from "#kube/errors.ts";
import type { Connection, KubeRequest, WatchEvent } from "#kube/connection.ts";
import { addresses } from "#ngrok/addresses.ts";
import { caller } from "#ngrok/call.ts";
import type { NgrokClient, NgrokPort } from "#ngrok/client.ts";
import { domains } from "#ngrok/domains.ts";
import { endpoints } from "#ngrok/endpoints.ts";
import { ipPolicies } from "#ngrok/ip-policies.ts";
import { operators } from "#ngrok/operators.ts";
import { pace } from "#ngrok/pace.ts";
import { asError, KnownError } from "#wire/errors.ts";
import type { Fence, SentOutcome } from "#wire/fence.ts";
import type { HttpAnswer, HttpRequest } from "#wire/http.ts";
import type { ApiServer, Heard } from "./api-server.ts";
import { Refused } from "./api-server.ts";
import type { Ngrok } from "./ngrok.ts";
import type { Process, Time } from "./time.ts";

/** What happens to a process at one of its requests. */
export type Fault =
  /** SIGKILL before the request leaves, or after it took effect. */
  | { readonly is: "killed before" | "killed after" }
  /** SIGSTOP as it leaves. */
  | { readonly is: "stopped"; readonly ms: number }
  /** As stopped, and the bytes leave only when it goes on. */
  | { readonly is: "frozen"; readonly ms: number }
  /** It takes effect; its answer never comes. */
  | { readonly is: "answer lost" }
  | { readonly is: "slow"; readonly ms: number }
  | { readonly is: "refused with 503" };

/** One request as it is executed. */
export interface Sent {
  readonly from: Line;
  readonly what: string;
  readonly sentAt: number;
  /** It was sent under a write token, or what stands for one. */
  readonly fenced: boolean;
  /** The hold of the Lease that its sender had last taken when it sent it. */
  readonly hold: number;
}

export interface Wires {
  readonly time: Time;
  readonly server: ApiServer;
  readonly ngrok: Ngrok;
  readonly random: () => number;
  /** The fault of this process at its next request, if any. */
  fault(line: Line, fenced: boolean): Fault | undefined;
  /** The last hold of the Lease that this process took. */
  holdOf(line: Line): number;
  /** Around the execution of each request. */
  executing(sent: Sent | undefined): void;
  /** With each answer as it reaches a process. */
  answered(from: Line, answer: unknown): void;
  note(text: string): void;
  /** Milliseconds by which a watch's event is late. */
  lag(line: Line, path: string): number;
}

/** Why the API server does not know who asks any more, or undefined. */
export type Login = () => string | undefined;

/** The connections of one process. */
export class Line {
  readonly process: Process;
  readonly role: string;
  readonly #wires: Wires;
  readonly #login: Login;

  constructor(wires: Wires, process: Process, role: string, login: Login = () => undefined) {
    this.#wires = wires;
    this.process = process;
    this.role = role;
    this.#login = login;
  }

  readonly connection: Connection = {
    server: "https://model",
    request: async (request) => await this.#request(request),
    watch: (request) => this.#watch(request),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };

  /** ngrok's API by our own client, down to where it would use a socket. */
  ngrok(signal: AbortSignal): NgrokClient {
    const { clock } = this.process;
    const under = (fence: Fence | undefined): NgrokPort => {
      const call = caller({
        send: async (request) => await this.#toNgrok(request),
        base: { origin: "https://ngrok", path: "" },
        apiKey: "key",
        userAgent: "model",
        clock,
        pace: pace({ clock, concurrency: 32, rate: undefined }),
        timeoutMs: 10_000,
        random: this.#wires.random,
        fence,
        signal,
      });
      const ground = { call, clock, signal };
      return {
        domains: domains(ground),
        endpoints: endpoints(ground),
        ipPolicies: ipPolicies(ground),
        operators: operators(ground),
        addresses: addresses(ground),
        verifyKey: async (until) => void (await call({ method: "GET", path: "/api_keys", signal: until })),
      };
    };
    return { ...under(undefined), under, [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async #request(request: KubeRequest): Promise<unknown> {
    const { method, path } = request;
    // Questions and words for people change nothing and are interesting to nobody.
    if (path.includes("selfsubjectaccessreviews")) return { status: { allowed: true } };
    if (path.includes("/events.k8s.io/")) return {};
    const timeoutMs = request.timeoutMs ?? (method === "GET" ? 30_000 : 5_000);
    const answer = await this.#exchange({ ...request, timeoutMs, what: `${method} ${path}` }, () => {
      const stranger = this.#login();
      if (stranger !== undefined) throw new Refused(401, "Unauthorized", stranger);
      return this.#wires.server.answer(request);
    });
    if (answer instanceof Refused)
      throw refusalError({ method, path, status: answer.status, text: JSON.stringify(answer.body) });
    return request.discard === true ? undefined : answer;
  }

  async #toNgrok(request: HttpRequest): Promise<HttpAnswer> {
    const what = `${request.method} ngrok${request.path}`;
    const answer = await this.#exchange({ ...request, what }, () => this.#wires.ngrok.answer(request));
    if (answer instanceof Refused) return { status: answer.status, headers: {}, text: "{}", retryAfterMs: undefined };
    return { status: 200, headers: {}, text: JSON.stringify(answer), retryAfterMs: undefined };
  }

  /** A message there, its effect, a message back. What the server refused is returned as Refused. */
  async #exchange(
    request: { signal: AbortSignal; fence?: Fence | undefined; timeoutMs: number; what: string },
    effect: () => unknown,
  ): Promise<unknown> {
    const { time } = this.#wires;
    const { signal, fence, timeoutMs, what } = request;
    if (!this.process.alive) return await new Promise(() => undefined);
    signal.throwIfAborted();
    fence?.signal.throwIfAborted();
    fence?.assertMayWrite();
    const ended = Promise.withResolvers<unknown>();
    const outcome = Promise.withResolvers<SentOutcome>();
    fence?.sent?.(outcome.promise, timeoutMs);
    const over = new AbortController();
    const fail = (error: Error): void => {
      outcome.resolve("unknown");
      over.abort(error);
      ended.reject(error);
    };
    const late = new KnownError("transient", `${what} was not answered within ${timeoutMs} ms`, { code: "Timeout" });
    this.process.clock.sleep(timeoutMs, over.signal).then(
      () => fail(late),
      () => undefined,
    );
    const onAbort = (): void => fail(asError(signal.reason));
    const onFence = (): void => fail(asError(fence?.signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    fence?.signal.addEventListener("abort", onFence, { once: true });
    const sent: Sent = {
      from: this,
      what,
      sentAt: time.now,
      fenced: fence !== undefined,
      hold: this.#wires.holdOf(this),
    };
    void this.#travel(sent, timeoutMs, effect).then((answer) => {
      this.process.reach(() => {
        if (over.signal.aborted) return;
        over.abort(new Error("answered"));
        this.#wires.answered(this, answer);
        outcome.resolve("answered");
        ended.resolve(answer);
      });
    });
    try {
      return await ended.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      fence?.signal.removeEventListener("abort", onFence);
    }
  }

  /** Never ends when the message or its answer does not arrive. */
  async #travel(sent: Sent, timeoutMs: number, effect: () => unknown): Promise<unknown> {
    const { time } = this.#wires;
    const { process } = this;
    const drawn = this.#wires.fault(this, sent.fenced);
    // ngrok knows no token that dies with a pod: what would leave for it after a thaw nobody can refuse, here as there.
    const fault =
      drawn?.is === "frozen" && sent.what.includes(" ngrok/") ? { ...drawn, is: "stopped" as const } : drawn;
    const lost = new Promise<never>(() => undefined);
    if (fault !== undefined) this.#wires.note(`${process.name} ${fault.is} at ${sent.what}`);
    if (fault?.is === "killed before") {
      process.kill();
      return await lost;
    }
    if (fault?.is === "stopped" || fault?.is === "frozen") process.stop(fault.ms);
    if (fault?.is === "slow") await time.sleep(fault.ms);
    if (fault?.is === "frozen") await process.running();
    if (!process.alive && fault?.is === "frozen") return await lost;
    await time.arrival(`${process.name} ${sent.what}`);
    // Whoever gave up has closed its connection, and the server ends what it executes within its own, shorter deadline.
    if (fault?.is !== "frozen" && time.now - sent.sentAt > timeoutMs) return await lost;
    const answer =
      fault?.is === "refused with 503"
        ? new Refused(503, "ServiceUnavailable", "not now")
        : this.#execute(sent, effect);
    if (fault?.is === "killed after") process.kill();
    if (fault?.is === "answer lost") return await lost;
    await time.arrival(`${process.name} answer to ${sent.what}`);
    return answer;
  }

  #execute(sent: Sent, effect: () => unknown): unknown {
    this.#wires.executing(sent);
    let answer: unknown;
    try {
      answer = effect();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer = error;
    } finally {
      this.#wires.executing(undefined);
    }
    if (!sent.what.startsWith("GET")) {
      this.#wires.note(
        `${this.process.name} ${sent.what} ${answer instanceof Refused ? `${answer.status} ${answer.message}` : "ok"}`,
      );
    }
    return answer;
  }

  async *#watch(request: Parameters<Connection["watch"]>[0]): AsyncGenerator<WatchEvent> {
    const { server, time } = this.#wires;
    const { signal, path, query = {} } = request;
    const hears = await this.#begin(request);
    const queue: WatchEvent[] = [];
    let wake: () => void = () => undefined;
    let last: Promise<void> = Promise.resolve();
    const hear = (event: Heard): void => {
      const told = hears(event);
      if (told === undefined) return;
      const due = time.now + this.#wires.lag(this, path);
      // One event after the other, each in its own time.
      last = last.then(async () => {
        if (due > time.now) await time.sleep(due - time.now);
        await time.arrival(`${this.process.name} hears of ${told.type} ${path}`);
        this.process.reach(() => {
          queue.push(told);
          wake();
        });
      });
    };
    const from = Number(query["resourceVersion"] ?? 0);
    for (const event of server.history) if (event.version > from) hear(event);
    server.listeners.add(hear);
    const onAbort = (): void => wake();
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        signal.throwIfAborted();
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      server.listeners.delete(hear);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #begin({
    path,
    query = {},
    signal,
  }: Parameters<Connection["watch"]>[0]): Promise<(event: Heard) => WatchEvent | undefined> {
    const answer = await this.#exchange({ signal, timeoutMs: 30_000, what: `GET ${path} (watch)` }, () => {
      const stranger = this.#login();
      if (stranger !== undefined) throw new Refused(401, "Unauthorized", stranger);
      return this.#wires.server.matches(path, query);
    });
    if (answer instanceof Refused)
      throw refusalError({ method: "WATCH", path, status: answer.status, text: JSON.stringify(answer.body) });
    return answer as (event: Heard) => WatchEvent | undefined;
  }
}
