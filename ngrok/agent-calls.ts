// The calls on one session: one at a time, as the SDK makes them anyway, so that a deadline counts the call's own time. A
// call that is not answered blocks all later ones, so they fail at once until it is answered after all.
import type { Clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { agentError } from "./agent-errors.ts";
import type { Calls, Session } from "./agent-session.ts";

/** A call to ngrok's edge takes the way there and back, and up to 40 ms more; one that has not come back after this is not waited for. */
const CALL_MS = 15_000;

export class SessionCalls implements Calls {
  readonly session: Session;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #blockedSince: number | undefined;
  #isLive = true;

  /** @param changed is called when a call is late, and when it has come after all. */
  constructor(session: Session, clock: Clock, changed: () => void) {
    this.session = session;
    this.#clock = clock;
    this.#changed = changed;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  /** On the clock; undefined while calls are answered. */
  get blockedSince(): number | undefined {
    return this.#isLive ? this.#blockedSince : undefined;
  }

  /** The session is over. */
  end(): void {
    this.#isLive = false;
  }

  async call<T>(what: string, work: (session: Session) => Promise<T>, late?: (result: T) => void): Promise<T> {
    const turn = this.#last.then(async () => await this.#bounded(what, work, late));
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  async #bounded<T>(what: string, work: (session: Session) => Promise<T>, late?: (result: T) => void): Promise<T> {
    if (!this.#isLive) throw new KnownError("transient", `cannot ${what}: the session with ngrok is over`);
    if (this.#blockedSince !== undefined)
      throw new KnownError("transient", `cannot ${what}: ngrok does not answer an earlier call`);
    const began = this.#clock.now();
    const over = new AbortController();
    const working = work(this.session);
    const waited = this.#clock.sleep(CALL_MS, over.signal).then(
      () => "late" as const,
      () => "over" as const,
    );
    try {
      const first = await Promise.race([working.then((result) => ({ result })), waited]);
      if (typeof first === "object") return first.result;
    } catch (error) {
      throw agentError(error, what);
    } finally {
      over.abort(new Error("answered"));
    }
    this.#blocked(began, working, late);
    throw new KnownError("transient", `cannot ${what}: ngrok has not answered for ${CALL_MS / 1000} s`);
  }

  #blocked<T>(since: number, working: Promise<T>, late?: (result: T) => void): void {
    this.#blockedSince = since;
    this.#changed();
    const free = (): void => {
      this.#blockedSince = undefined;
      this.#changed();
    };
    working.then(
      (result) => {
        free();
        late?.(result);
      },
      () => free(),
    );
  }
}
