// Everything that a forwarder has open: a listener per BoundEndpoint, the certificate by which this install proves who it
// is, and what is to be told about endpoints that connections do not reach.
import { createSecureContext, type SecureContext } from "node:tls";
import { muxCode } from "#ngrok/mux.ts";
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { Log } from "../runtime/log.ts";
import type { ConnectionMeter } from "../runtime/metrics.ts";
import { readableKey } from "./binding-key.ts";
import type { ConnectionLimits } from "./connection.ts";
import { type Identify, Listener, type Served } from "./listener.ts";

export interface ForwarderLimits extends ConnectionLimits {
  /** Connections of all endpoints together; one more is reset as it comes. */
  readonly connections: number;
  /** How long it is at least from one word about an endpoint to the next, milliseconds. */
  readonly tellMs: number;
}

export const LIMITS: ForwarderLimits = {
  // At 90 KB each and what is under way beside it, within the 512 MiB that the chart gives.
  connections: 2048,
  dialMs: 15_000,
  answerMs: 30_000,
  // As long as the pools of databases leave a connection alone; a peer that is gone is found by TCP in minutes.
  idleMs: 4 * 3_600_000,
  keepAliveMs: 30_000,
  tellMs: 10_000,
};

/** PEM, both. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface ForwarderOptions {
  readonly limits: ForwarderLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Authorities (PEM) of the ingress. */
  readonly ca: readonly string[];
  /** From an origin to the proxy that leads there, as whoever reads the environment found it (wire/proxy-from.ts). */
  readonly proxy?: (origin: string) => string | undefined;
  readonly meter?: ConnectionMeter;
}

interface Entry {
  readonly listener: Listener;
  failure: KnownError | undefined;
  /** The failure's code that was told last; undefined when all was well. */
  told: string | undefined;
  toldAt: number;
  isTelling: boolean;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #heard = new Set<(key: string | undefined) => void>();
  /** Removed, while connections of theirs still stand. */
  readonly #ending = new Set<Listener>();
  readonly #stopped = new AbortController();
  #pair: Pair | undefined;
  #context: SecureContext | undefined;
  #connections = 0;
  readonly #warnedAt = new Map<string, number>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Connections that have been taken on and not ended. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether there is a pair; without one no connection is taken on. */
  get hasPair(): boolean {
    return this.#pair !== undefined;
  }

  /** How connections that come prove who they are from now on. Throws KnownError invalid when it is no pair: then the pair before stays. */
  present(pair: Pair): void {
    if (pair.cert === this.#pair?.cert && pair.key === this.#pair.key) return;
    // Hundreds of authorities are parsed here, so this is done once for all connections of a pair.
    const ca = [...this.#options.ca];
    try {
      if (pair.cert === "" || pair.key === "") throw new Error("one of them is empty");
      const { cert } = pair;
      const key = readableKey(pair.key);
      this.#context = createSecureContext({ cert, key, ca, minVersion: "TLSv1.2" });
    } catch (error) {
      // OpenSSL's words name no part of a key.
      const why = error instanceof Error ? error.message : String(error);
      throw new KnownError("invalid", `the certificate and key of the binding do not work: ${why}`, {
        hint: "Delete the Secret: the operator makes a new key and has ngrok sign it.",
      });
    }
    this.#pair = pair;
  }

  /** Opens or changes the listener of a key. Throws KnownError when its port cannot be had; the port before goes on then. */
  async serve(key: string, served: Served, identify: Identify): Promise<void> {
    const entry = this.#entries.get(key) ?? this.#open(key);
    const { port } = entry.listener;
    await entry.listener.serve(served, identify);
    if (port !== undefined && port !== served.port) this.#tell(undefined);
  }

  /** Closes the port of a key; its connections go on. */
  rest(key: string): void {
    this.#entries.get(key)?.listener.rest();
  }

  /**
   * Closes the port of a key at once. Its connections go on and are counted until they end by themselves, nothing passes on
   * them any more, or the forwarder stops: an endpoint that is missing from one answer of ngrok's costs nobody a connection.
   */
  end(key: string): void {
    const listener = this.#entries.get(key)?.listener;
    if (listener === undefined) return;
    this.#entries.delete(key);
    this.#ending.add(listener);
    void listener.runOut().then(() => this.#ending.delete(listener));
    // Another endpoint may wait for the port.
    this.#tell(undefined);
  }

  /** Why the last connection to a key did not reach the endpoint; undefined when it did, or none came. */
  failure(key: string): KnownError | undefined {
    return this.#entries.get(key)?.failure;
  }

  /** Hears of keys about which there is something new, undefined for all. Returns the end of the listening. */
  onChange(heard: (key: string | undefined) => void): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  /** Takes no new connections, and resolves when the last has ended, or was cut off after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped.abort(new Error("the forwarder stops"));
    const open = [...this.#entries.values()].map(({ listener }) => listener);
    // Those that were removed before have no more time than the process.
    await Promise.all([...this.#ending, ...open].map(async (listener) => await listener.end(graceMs)));
    this.#entries.clear();
  }

  #open(key: string): Entry {
    const { limits, clock, proxy } = this.#options;
    const entry: Entry = {
      listener: new Listener({
        limits,
        clock,
        proxy,
        context: () => this.#context,
        admit: () => this.#admit(key),
        reached: () => this.#note(key, entry, undefined),
        missed: ({ message }) => {
          const hint = "give the forwarder more replicas, or its container more open files";
          this.#warn("a connection could not be accepted", { object: key, err: message, hint });
        },
        ended: (failure) => {
          this.#connections -= 1;
          this.#options.meter?.ended(failure === undefined ? "served" : "failed");
          if (failure?.code === muxCode.tooLarge)
            // The pod's own matter, whom the hint names: the endpoint serves all others.
            this.#warn("a pod is not served", { object: key, err: failure.message, hint: failure.hint }, failure.hint);
          else if (failure !== undefined) this.#note(key, entry, failure);
        },
      }),
      failure: undefined,
      told: undefined,
      toldAt: Number.NEGATIVE_INFINITY,
      isTelling: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #admit(key: string): boolean {
    const { limits, meter } = this.#options;
    if (this.#connections >= limits.connections) {
      meter?.refused();
      const hint = "give the forwarder more replicas: each takes as many";
      this.#warn("no connection more is taken", { object: key, connections: this.#connections, hint });
      return false;
    }
    this.#connections += 1;
    meter?.taken();
    return true;
  }

  /** Says it no more often than a failure, of each `whom` by itself: what is so for one connection is so for each that comes. */
  #warn(what: string, about: Readonly<Record<string, unknown>>, whom = ""): void {
    const { clock, limits, log } = this.#options;
    for (const [said, at] of this.#warnedAt) if (at + limits.tellMs <= clock.now()) this.#warnedAt.delete(said);
    if (this.#warnedAt.has(what + whom)) return;
    this.#warnedAt.set(what + whom, clock.now());
    log.warn(about, what);
  }

  /** Takes note of how a connection fared. Told is what is new, and not too often: connections fail by the thousand. */
  #note(key: string, entry: Entry, failure: KnownError | undefined): void {
    const { clock, limits, log } = this.#options;
    if (failure !== undefined) log.debug({ object: key, err: failure.message, code: failure.code }, "not reached");
    // The first failure of its kind stays the example, so that the status does not turn with each.
    if (codeOf(entry.failure) !== codeOf(failure)) entry.failure = failure;
    if (entry.isTelling || codeOf(entry.failure) === entry.told) return;
    entry.isTelling = true;
    const tell = (): void => {
      entry.isTelling = false;
      if (this.#entries.get(key) !== entry || codeOf(entry.failure) === entry.told) return;
      entry.told = codeOf(entry.failure);
      entry.toldAt = clock.now();
      this.#tell(key);
    };
    const wait = entry.toldAt + limits.tellMs - clock.now();
    if (wait <= 0) tell();
    else clock.sleep(wait, this.#stopped.signal).then(tell, () => {});
  }

  #tell(key: string | undefined): void {
    for (const heard of this.#heard) heard(key);
  }
}

function codeOf(failure: KnownError | undefined): string | undefined {
  return failure === undefined ? undefined : (failure.code ?? failure.class);
}
