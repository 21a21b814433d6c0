// Keeps an agent in a session with ngrok: connects, and connects anew when the session is over, whatever ended it. What was
// open on an old session is not open any more; whoever opened it hears of it and opens it on the new one.
import { unlessAborted } from "#wire/abort.ts";
import { type Backoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { SessionCalls } from "./agent-calls.ts";
import { type Dialled, flownOut } from "./agent-flight.ts";
import { openOn } from "./agent-open.ts";
import type { AgentPort, AgentSpec, AgentState, Opened } from "./agent-port.ts";
import type { Connect, OpenEndpoint } from "./agent-session.ts";
import { code } from "./errors.ts";

const AGAIN: Backoff = { baseMs: 500, capMs: 60_000 };
/** A session that has lived as long is not one of a row of failures. */
const LIVED_MS = 10_000;
/** An answer to the connect is waited for as long before the state says so; the SDK cannot be told to give up. */
const CONNECT_MS = 20_000;
/** So it looks where a firewall drops packets: the kernel gives up after two minutes, and only then there is an error to tell. */
const UNANSWERED = `ngrok has not answered for ${CONNECT_MS / 1000} s: check that the agents' pods reach serverAddr of the chart, or region's address, at its port, past firewalls and NetworkPolicies`;
/** What ngrok has not answered for as long, only a new process mends. */
const DEAD_MS = 120_000;
/**
 * Where visitors are served meanwhile, what a new process would cost is more than a change that waits: an outage of ngrok's calls
 * must not become one of the tunnels. After this, and up to twice as long, so that the replicas do not go together.
 */
const SERVING_MS = 900_000;
/** After a command to stop, as long as ngrok's own operator takes to go. */
const STOP_MS = 5_000;
/** After that, what runs may go on for as long: nobody has said when the process is ended. */
const COMMANDED_MS = 15_000;
const TROUBLE_MS = 10_000;
/** A session that is silent may still carry requests; it is cut after this. */
const SILENT_MS = 30_000;

export interface AgentOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random?: () => number;
  /** Of the cluster, as flownOut takes it: the API server's. */
  readonly service?: Dialled | undefined;
  /** One line about what has happened. */
  readonly tell: (line: { readonly is: AgentState["is"]; readonly why?: string; readonly hint?: string }) => void;
  /** One line about what costs visitors and ends neither session nor endpoint. */
  readonly trouble?: (why: string) => void;
}

export class Agent implements AgentPort {
  readonly #options: AgentOptions;
  readonly #listeners = new Set<() => void>();
  readonly #open = new Set<OpenEndpoint>();
  #base: AgentState = { is: "connecting" };
  #calls: SessionCalls | undefined;
  #connectingSince: number | undefined;
  #commanded: string | undefined;
  #troubledAt = Number.NEGATIVE_INFINITY;
  readonly #patienceMs: number;
  readonly #stopped = new AbortController();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#patienceMs = SERVING_MS * (1 + (options.random ?? Math.random)());
  }

  get state(): AgentState {
    const blockedSince = this.#calls?.blockedSince;
    return this.#base.is === "up" && blockedSince !== undefined
      ? { is: "down", why: `ngrok does not answer a call for ${this.#secondsSince(blockedSince)} s` }
      : this.#base;
  }

  /** Why the process has to start anew; undefined while it is alive. */
  get dead(): string | undefined {
    if (this.#commanded !== undefined) return this.#commanded;
    const blockedSince = this.#calls?.blockedSince;
    const since = blockedSince ?? this.#connectingSince;
    // What was open on a session before stays listed until it is closed, and serves nobody.
    const isServing = [...this.#open].some(({ isOpen }) => isOpen);
    const patienceMs = blockedSince !== undefined && isServing ? this.#patienceMs : DEAD_MS;
    if (since === undefined || this.#options.clock.now() - since < patienceMs) return undefined;
    return `ngrok has not answered for ${this.#secondsSince(since)} s, and the agent's library waits for ever`;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async open(spec: AgentSpec, signal: AbortSignal, had?: string, ended?: () => void): Promise<Opened> {
    const { state } = this;
    const calls = this.#calls;
    if (state.is === "stopped") throw new KnownError("transient", `the agent is shutting down: ${state.why}`);
    if (calls === undefined || state.is !== "up") {
      const why = state.is === "down" ? state.why : "it is being connected";
      throw new KnownError("transient", `there is no session with ngrok: ${why}`, { code: code.noSession });
    }
    const told = {
      ended: () => ended?.(),
      closed: (one: OpenEndpoint) => void this.#open.delete(one),
      trouble: (why: string) => this.#trouble(`${spec.url}: ${why}`),
    };
    const opened = await openOn(calls, spec, had, signal, told);
    this.#open.add(opened);
    return opened;
  }

  /** Keeps a session until the signal, or a command to stop. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    const ending = AbortSignal.any([signal, this.#stopped.signal]);
    for (let failures = 0; !ending.aborted;) {
      const began = clock.now();
      let error: unknown;
      try {
        await this.#session(ending);
      } catch (thrown) {
        error = thrown;
      }
      if (ending.aborted) return;
      if (clock.now() - began >= LIVED_MS) failures = 0;
      this.#down(error);
      await clock.sleep(waitInLoop(error, failures, AGAIN, random), ending).catch(() => undefined);
      failures += 1;
    }
  }

  /** Said no more often than every ten seconds: where the process has no files left, it is so for each that comes. */
  #trouble(why: string): void {
    const { clock, trouble } = this.#options;
    if (clock.now() < this.#troubledAt + TROUBLE_MS) return;
    this.#troubledAt = clock.now();
    trouble?.(why);
  }

  /**
   * For the end of the process: nothing new comes in, and when what runs has ended the session does.
   * @param withinMs after which it does whatever still runs.
   */
  async shutDown(withinMs: number): Promise<void> {
    await this.#goAway("the pod is stopping", withinMs);
  }

  /** One session, from the connect to its end; throws why it has ended, or the signal's reason. */
  async #session(ending: AbortSignal): Promise<never> {
    const { clock, connect } = this.#options;
    const over = Promise.withResolvers<KnownError>();
    const late = new AbortController();
    this.#connectingSince = clock.now();
    clock.sleep(CONNECT_MS, late.signal).then(
      // What the last try has said is more than that this one takes its time, and each change of it is a write an endpoint.
      () => this.#base.is !== "down" && this.#set({ is: "down", why: UNANSWERED }),
      () => undefined,
    );
    let isSilent = false;
    const connecting = connect({
      lost: (why) => over.resolve(new KnownError("transient", `the session with ngrok was lost: ${why}`)),
      silent: () => {
        isSilent = true;
        over.resolve(new KnownError("transient", "ngrok does not answer the agent's heartbeat any more"));
      },
      commanded: (command) => void this.#obey(command),
    });
    try {
      const session = await unlessAborted(ending, connecting).catch((error: unknown) => {
        // Whose coming nobody waits for any more.
        connecting.then(async (unwanted) => await unwanted.close()).catch(() => undefined);
        throw error;
      });
      this.#connectingSince = undefined;
      late.abort(new Error("connected"));
      const calls = new SessionCalls(session, clock, () => this.#changed());
      this.#calls = calls;
      this.#set({ is: "up" });
      const why = await unlessAborted(ending, over.promise);
      calls.end();
      if (isSilent)
        clock
          .sleep(SILENT_MS)
          .then(
            () => session.close(),
            () => undefined,
          )
          .catch(() => undefined);
      throw why;
    } finally {
      this.#connectingSince = undefined;
      late.abort(new Error("over"));
    }
  }

  /** ngrok's edge asks: the kubelet starts the pod anew. */
  async #obey(command: "stop" | "restart"): Promise<void> {
    if (this.#commanded !== undefined) return;
    this.#commanded = `ngrok has asked the agent to ${command}`;
    this.#set({ is: "stopped", why: this.#commanded });
    await this.#options.clock.sleep(STOP_MS);
    await this.#goAway(this.#commanded, COMMANDED_MS);
  }

  async #goAway(why: string, withinMs: number): Promise<void> {
    const { clock, service } = this.#options;
    const until = clock.now() + withinMs;
    const calls = this.#calls;
    this.#set({ is: "stopped", why });
    this.#stopped.abort(new Error(why));
    const open = [...this.#open].filter(({ isOpen }) => isOpen);
    if (calls === undefined || !calls.isLive) return;
    const over = new AbortController();
    const closed = Promise.all(open.map(async (one) => await one.close().catch(() => undefined)));
    // One by one, which takes its time. Visitors come through the last of them until then, so nobody looks before.
    const late = clock.sleep(withinMs, over.signal).catch(() => undefined);
    await Promise.race([closed, late]);
    over.abort(new Error("closed"));
    const left = Math.max(0, until - clock.now());
    if (open.length > 0)
      await flownOut(
        open.map(({ to }) => to),
        clock,
        left,
        service,
      );
    calls.end();
    await calls.session.close().catch(() => undefined);
  }

  #down(error: unknown): void {
    const { message, hint } = error instanceof KnownError ? error : new KnownError("transient", String(error));
    this.#calls = undefined;
    this.#set({ is: "down", why: hint === undefined ? message : `${message}: ${hint}` });
  }

  #set(state: AgentState): void {
    if (this.#base.is === "stopped") return;
    const before = this.#base;
    this.#base = state;
    if (before.is === state.is && ("why" in before ? before.why : "") === ("why" in state ? state.why : "")) return;
    this.#options.tell(state);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #secondsSince(since: number): number {
    return Math.round((this.#options.clock.now() - since) / 1000);
  }
}
