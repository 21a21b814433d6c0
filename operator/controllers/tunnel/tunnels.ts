// What this agent has open, by AgentEndpoint. A change opens the new endpoint before the old one is closed, so that there is
// no moment without one, and a new one that cannot be opened leaves the old one serving.
import type { AgentPort, AgentSpec, Opened } from "#ngrok/agent-port.ts";
import type { Clock } from "#wire/clock.ts";
import { sameEndpoint } from "./plan.ts";

/** What has been open for as long did not end because it was opened. */
const LIVED_MS = 10_000;
const REST_MS = 1_000;
const REST_CAP_MS = 60_000;

interface Tunnel {
  readonly spec: AgentSpec;
  readonly opened: Opened;
  readonly openedAt: number;
  /** When it was first seen to have ended by itself. */
  endedAt?: number;
  /** How often in a row it has ended as soon as it was open. */
  readonly short: number;
  /** The session ended, and with it all that was open. */
  excused?: true;
  /** Replaced, but not closed yet: ngrok did not answer. */
  readonly leaving: readonly Opened[];
}

export class Tunnels {
  readonly agent: AgentPort;
  readonly #clock: Clock;
  readonly #tunnels = new Map<string, Tunnel>();
  /** Wait for a session. */
  readonly #waiting = new Set<string>();
  readonly #heard = new Set<(key: string | undefined) => void>();
  #downSince: number | undefined;

  constructor(agent: AgentPort, clock: Clock) {
    this.agent = agent;
    this.#clock = clock;
    this.#downSince = clock.now();
    agent.onChange(() => {
      if (agent.state.is === "up") this.#downSince = undefined;
      else {
        this.#downSince ??= clock.now();
        for (const tunnel of this.#tunnels.values()) tunnel.excused = true;
      }
      this.#tell(undefined);
    });
  }

  /** Hears of an endpoint that ngrok has ended, by its key; of undefined when the session, and so all, is concerned. Returns the end of the listening. */
  onChange(heard: (key: string | undefined) => void): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  #tell(key: string | undefined): void {
    for (const heard of this.#heard) heard(key);
  }

  /** Milliseconds since there was a session; 0 while there is one. */
  get downFor(): number {
    return this.agent.state.is === "up" ? 0 : this.#clock.now() - (this.#downSince ?? this.#clock.now());
  }

  /** Endpoints that are wanted and wait for a session, or for their turn on a new one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Where the endpoint is served now, whatever its newest spec is. */
  urlOf(key: string): string | undefined {
    const opened = this.#tunnels.get(key)?.opened;
    return opened?.isOpen === true ? opened.url : undefined;
  }

  /** What was open for the endpoint and has ended, though nobody has closed it. */
  lostSpec(key: string): AgentSpec | undefined {
    const tunnel = this.#tunnels.get(key);
    return tunnel?.opened.isOpen === false ? tunnel.spec : undefined;
  }

  /**
   * How long to leave an endpoint alone that ngrok has ended as soon as it was open, milliseconds: opened again at once it
   * would be ended at once, for ever. 0 where there is no reason to wait.
   */
  restOf(key: string, spec: AgentSpec): number {
    const tunnel = this.#tunnels.get(key);
    if (tunnel === undefined || tunnel.opened.isOpen || tunnel.excused === true) return 0;
    tunnel.endedAt ??= this.#clock.now();
    if (!sameEndpoint(tunnel.spec, spec) || !wasShort(tunnel)) return 0;
    const rest = Math.min(REST_CAP_MS, REST_MS * 2 ** tunnel.short);
    return Math.max(0, tunnel.endedAt + rest - this.#clock.now());
  }

  /** There is no session, so the endpoint has to come again. */
  wait(key: string): void {
    this.#waiting.add(key);
  }

  /** As it is, no session helps the endpoint: it is not waited for. */
  waitNoMore(key: string): void {
    this.#waiting.delete(key);
  }

  /**
   * Makes the endpoint what the spec says. Throws KnownError; then what was open before is open still.
   *
   * @param shown the address by which people know it, where the spec leaves it to ngrok.
   */
  async become(key: string, spec: AgentSpec, signal: AbortSignal, shown?: string): Promise<Opened> {
    try {
      const before = this.#tunnels.get(key);
      if (before?.opened.isOpen === true && sameEndpoint(before.spec, spec)) {
        await this.#leave(key, before, before.leaving);
        return before.opened;
      }
      const had = before === undefined ? shown : hadBy(before, spec);
      const opened = await this.agent.open(spec, signal, had, () => this.#tell(key));
      const short = before !== undefined && wasShort(before) ? before.short + 1 : 0;
      const after = { spec, opened, openedAt: this.#clock.now(), short };
      await this.#leave(key, after, before === undefined ? [] : [...before.leaving, before.opened]);
      return opened;
    } finally {
      this.#waiting.delete(key);
    }
  }

  /** Closes whatever is open for the endpoint. Throws KnownError when ngrok does not answer. */
  async close(key: string): Promise<void> {
    this.#waiting.delete(key);
    const tunnel = this.#tunnels.get(key);
    if (tunnel === undefined) return;
    await closeAll([tunnel.opened, ...tunnel.leaving]);
    this.#tunnels.delete(key);
  }

  async #leave(key: string, tunnel: Omit<Tunnel, "leaving">, leaving: readonly Opened[]): Promise<void> {
    this.#tunnels.set(key, { ...tunnel, leaving });
    await closeAll(leaving);
    if (leaving.length > 0) this.#tunnels.set(key, { ...tunnel, leaving: [] });
  }
}

/** Tries each, whatever comes of the others; throws the first failure. */
async function closeAll(all: readonly Opened[]): Promise<void> {
  const closed = await Promise.allSettled(all.map(async (one) => await one.close()));
  const failed = closed.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Under another URL it was where that said, not where ngrok chose. */
function hadBy(before: Tunnel, { url }: AgentSpec): string | undefined {
  return before.spec.url === url ? before.opened.url : undefined;
}

function wasShort({ openedAt, endedAt, excused }: Tunnel): boolean {
  return excused !== true && endedAt !== undefined && endedAt - openedAt < LIVED_MS;
}
