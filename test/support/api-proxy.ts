// A proxy between pods and their API server that speaks TLS with the cluster's own authority, knows who calls by the token
// that it passes on, and does to chosen calls what a bad day does. Watches stream through.
import { readFile } from "node:fs/promises";
import { createServer, request, Agent } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { serverCertificate } from "#tools/cluster/embedded/certificates.ts";
import { CallFaults, type AddedCallFault, type CallEffect, type CallFault } from "./api-proxy-faults.ts";
import { callerOf, type Call, type Caller } from "./api-proxy-caller.ts";

export type { AddedCallFault, CallFault, Match } from "./api-proxy-faults.ts";
export type { Call, Caller } from "./api-proxy-caller.ts";

export interface ApiProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Values of the chart that send all its pods here. */
  readonly values: Readonly<Record<string, string | number>>;
  /** From now on; the newest added is asked last, and the first that matches hits. */
  add(fault: CallFault): AddedCallFault;
  /** The calls since the last reset, oldest first; the newest 20,000. */
  readonly calls: readonly Call[];
  /** How many calls this caller has made since the last reset. */
  count(caller: Caller): number;
  /** Takes all faults away, lets go of what is held, and forgets the calls; `random` is for faults that hit by chance. */
  reset(random?: () => number): void;
}

export interface ApiProxyOptions {
  /** The address that pods reach. */
  readonly host: string;
  /** Folder with ca.crt and ca.key of the authority that pods trust; the certificate is written there as api-proxy.crt. */
  readonly pki: string;
  /** The API server, `https://host:port`. */
  readonly target: string;
}

const KEPT = 20_000;

export async function startApiProxy(options: ApiProxyOptions): Promise<ApiProxy> {
  const { host, pki, target } = options;
  await serverCertificate(pki, "api-proxy", [host]);
  const [cert, key, ca] = await Promise.all(
    ["api-proxy.crt", "api-proxy.key", "ca.crt"].map(async (file) => await readFile(join(pki, file))),
  );
  const line = new Line(target, new Agent({ keepAlive: true, ca }));
  const server = createServer({ cert, key }, (incoming, response) => void line.serve(incoming, response));
  // A server that closes an idle connection just as it is used again would be a fault that nobody asked for.
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  server.on("connection", (socket: Socket) => line.met(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    values: { "extraEnv.KUBERNETES_SERVICE_HOST": host, "extraEnv.KUBERNETES_SERVICE_PORT": port },
    add: (fault) => line.faults.add(fault),
    get calls() {
      return line.calls;
    },
    count: (caller) => line.counts.get(caller) ?? 0,
    reset: (random) => line.reset(random),
    [Symbol.asyncDispose]: async () => {
      line.reset();
      line.agent.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** What the API server is asked and answers, on the way of one call. */
interface Passing {
  readonly call: Call;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

class Line {
  readonly faults = new CallFaults();
  readonly agent: Agent;
  readonly counts = new Map<Caller, number>();
  calls: Call[] = [];
  /** The last answer to each list that may be old (resourceVersion=0), for stale answers. */
  readonly #remembered = new Map<string, { status: number; type: string; body: Buffer }>();
  /** By the client's port. */
  readonly #sockets = new Map<number, Socket>();
  readonly #target: URL;

  constructor(target: string, agent: Agent) {
    this.#target = new URL(target);
    this.agent = agent;
  }

  reset(random: () => number = Math.random): void {
    this.faults.clear();
    this.faults.random = random;
    this.counts.clear();
    this.calls = [];
    this.#remembered.clear();
  }

  /** Below TLS: a connection that is to be reset. */
  met(socket: Socket): void {
    const port = socket.remotePort ?? 0;
    this.#sockets.set(port, socket);
    socket.on("close", () => this.#sockets.delete(port));
    socket.on("error", () => socket.destroy());
  }

  /** A reset, and not the orderly end that TLS would make of it. */
  #reset({ socket }: IncomingMessage): void {
    const below = this.#sockets.get(socket.remotePort ?? 0);
    if (below === undefined) socket.destroy();
    else below.resetAndDestroy();
  }

  /** Never rejects. */
  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeBody(incoming);
    if (body === undefined) return; // the caller went away while it was still sending
    const call = this.#note(incoming, body);
    const passing: Passing = { call, incoming, response, body };
    const hit = this.faults.take(call);
    try {
      if (hit === undefined) this.#forward(passing);
      else await this.#suffer(passing, hit.effect, hit.fault.after === "commit");
    } catch {
      this.#reset(incoming);
    }
  }

  #note(incoming: IncomingMessage, body: Buffer): Call {
    const who = callerOf(incoming.headers.authorization);
    const n = (this.counts.get(who.caller) ?? 0) + 1;
    this.counts.set(who.caller, n);
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    const query = mark === -1 ? "" : url.slice(mark + 1);
    const call: Call = {
      ...who,
      at: performance.timeOrigin + performance.now(),
      n,
      method: incoming.method ?? "GET",
      path: mark === -1 ? url : url.slice(0, mark),
      query,
      watch: /(^|&)watch=(true|1)(&|$)/.test(query),
      body: body.toString("utf8"),
    };
    this.calls.push(call);
    if (this.calls.length > KEPT) this.calls.shift();
    return call;
  }

  async #suffer(passing: Passing, effect: CallEffect, afterCommit: boolean): Promise<void> {
    const { call, incoming, response } = passing;
    if (afterCommit) {
      // The change is made; what becomes of the answer is the fault's.
      await this.#ask(passing);
      if (effect.kind === "do") await effect.run(call);
      if (effect.kind === "status") return refuse(response, effect);
      if (effect.kind !== "hang") this.#reset(incoming);
      return;
    }
    switch (effect.kind) {
      case "status":
        return refuse(response, effect);
      case "hang":
        return;
      case "reset":
        this.#reset(incoming);
        return;
      case "delay":
        await pause(effect.ms);
        return this.#forward(passing);
      case "hold":
        await effect.released;
        return this.#forward(passing, "arrives");
      case "do":
        await effect.run(call);
        if (effect.drop) return this.#reset(incoming);
        return this.#forward(passing);
      case "stale":
        return await this.#stale(passing, effect.released);
    }
  }

  /** A cache that lags: what may be old is as it was, watches are silent; what must be new passes. */
  async #stale(passing: Passing, released: Promise<void>): Promise<void> {
    const { call, response, incoming } = passing;
    if (call.watch) {
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      await Promise.race([released, new Promise((done) => response.once("close", done))]);
      // The watcher begins again, from where it was.
      response.end();
      return;
    }
    const old = this.#remembered.get(incoming.url ?? "");
    if (old === undefined) return this.#forward(passing);
    response.writeHead(old.status, { "content-type": old.type });
    response.end(old.body);
  }

  /** Passes the call and its answer on; what breaks on one side breaks on the other, unless the call arrives in any case. */
  #forward({ call, incoming, response, body }: Passing, arrives?: "arrives"): void {
    const upstream = request(this.#optionsOf(incoming, body), (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on("error", () => response.destroy());
      answer.on("close", () => answer.complete || response.destroy());
      answer.pipe(response);
      if (!call.watch && /(^|&)resourceVersion=0(&|$)/.test(call.query)) this.#remember(incoming, answer);
    });
    upstream.on("error", () => this.#reset(incoming));
    if (arrives === undefined) response.on("close", () => response.writableFinished || upstream.destroy());
    upstream.end(body);
  }

  /** Makes the call whoever still listens; resolves when the API server has answered. */
  async #ask({ incoming, body }: Passing): Promise<void> {
    await new Promise<void>((done, fail) => {
      const upstream = request(this.#optionsOf(incoming, body), (answer) => {
        answer.resume();
        answer.on("end", done);
        answer.on("error", fail);
      });
      upstream.on("error", fail);
      upstream.end(body);
    });
  }

  #optionsOf(incoming: IncomingMessage, body: Buffer): object {
    const { hostname, port } = this.#target;
    const headers = { ...incoming.headers, "content-length": body.length };
    if (body.length === 0) Reflect.deleteProperty(headers, "content-length");
    Reflect.deleteProperty(headers, "transfer-encoding");
    return { agent: this.agent, hostname, port, method: incoming.method, path: incoming.url, headers };
  }

  #remember(incoming: IncomingMessage, answer: IncomingMessage): void {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("end", () => {
      const type = answer.headers["content-type"] ?? "application/json";
      this.#remembered.set(incoming.url ?? "", {
        status: answer.statusCode ?? 200,
        type,
        body: Buffer.concat(chunks),
      });
    });
  }
}

async function wholeBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

/** A refusal in the API server's own form. */
function refuse(response: ServerResponse, effect: CallEffect & { kind: "status" }): void {
  const { status, retryAfter, reason = REASONS[status] ?? "InternalError" } = effect;
  const message = effect.message ?? `fault on demand: ${status}`;
  const body = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code: status });
  response.setHeader("content-type", "application/json");
  if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
  response.writeHead(status);
  response.end(body);
}

const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
