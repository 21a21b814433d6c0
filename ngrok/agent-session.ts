// One session with ngrok's edge as the agent sees it, whatever carries it (agent.ts: the SDK), and the endpoint that is
// made of listeners on it: one a binding, behind a bridge where the SDK alone is not enough.
import type { Proto } from "./agent-addresses.ts";
import type { Bridge } from "./agent-bridge.ts";
import type { Dialled } from "./agent-flight.ts";
import type { Binding, Opened } from "./agent-port.ts";

/** One listener as it is bound. All values have been validated: the SDK aborts the process on some wrong ones. */
export interface Bind {
  readonly proto: Proto;
  /** `host`, `host:port`, or "" for any. */
  readonly place: string;
  readonly binding: Binding | undefined;
  /** With scheme, host and port. */
  readonly to: string;
  readonly upstreamProtocol: "http1" | "http2" | undefined;
  readonly proxyProtocol: "1" | "2" | undefined;
  readonly metadata: string;
  readonly trafficPolicy: string;
}

export interface Listening {
  readonly url: string;
  /** Resolves to why, when it has ended without us. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Calls have no deadline, and one that is not answered blocks all later ones. */
export interface Session {
  bind(bind: Bind): Promise<Listening>;
  /** Everything that runs through it is cut; the edge is told nothing. */
  close(): Promise<void>;
}

export interface SessionEvents {
  /** It is over: it does not come back by itself. */
  lost(why: string): void;
  /** The edge has not answered the heart's beat for 25 seconds, or there is none; the session stays as it is. */
  silent(): void;
  commanded(command: "stop" | "restart"): void;
}

/** Has no deadline, and no other is begun while one waits. Throws KnownError. */
export type Connect = (events: SessionEvents) => Promise<Session>;

/** The session's calls, one after the other, each with a deadline. */
export interface Calls {
  /** False once the session is over. */
  readonly isLive: boolean;
  /** `late` is what the call came to when nobody waited for it any more. Throws KnownError. */
  call<T>(what: string, work: (session: Session) => Promise<T>, late?: (result: T) => void): Promise<T>;
}

/** An endpoint made of listeners. */
export class OpenEndpoint implements Opened {
  readonly url: string;
  /** Where the SDK takes its visitors. */
  readonly to: Dialled;
  readonly #calls: Calls;
  readonly #bridge: Bridge | undefined;
  readonly #listening: Set<Listening>;
  readonly #closed: () => void;
  #hasEnded = false;
  #isClosing = false;

  constructor(
    calls: Calls,
    listening: readonly [Listening, ...Listening[]],
    way: { readonly to: Dialled; readonly bridge: Bridge | undefined },
    told: { readonly ended: () => void; readonly closed: () => void },
  ) {
    this.#calls = calls;
    this.to = way.to;
    this.#bridge = way.bridge;
    this.#listening = new Set(listening);
    this.#closed = told.closed;
    this.url = listening[0].url;
    for (const one of listening)
      void one.ended.then(() => {
        if (this.#isClosing || this.#hasEnded || !calls.isLive) return;
        this.#hasEnded = true;
        told.ended();
      });
  }

  get isOpen(): boolean {
    return this.#calls.isLive && !this.#hasEnded && !this.#isClosing;
  }

  /** Tries each listener, whatever comes of the others; throws the first failure. Called again it tries those that are left. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const failed: unknown[] = [];
    for (const one of this.#listening) {
      try {
        if (this.#calls.isLive) await this.#calls.call(`close ${this.url}`, async () => await one.close());
      } catch (error) {
        if (this.#calls.isLive) {
          failed.push(error);
          continue;
        }
      }
      // With a session that is lost all of it is gone; one that has fallen silent may carry visitors until it is cut.
      if (!this.#calls.isLive) void one.close().catch(() => undefined);
      this.#listening.delete(one);
    }
    // Visitors of one that ngrok has not closed still come through the bridge.
    if (this.#listening.size > 0) throw failed[0];
    this.#bridge?.close();
    this.#closed();
  }
}
