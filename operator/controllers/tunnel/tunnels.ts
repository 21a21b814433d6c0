// What this agent has open, by AgentEndpoint. A change opens the new endpoint before the old one is closed, so that there is
// no moment without one, and a new one that cannot be opened leaves the old one serving.
import type { AgentPort, AgentSpec, Opened } from "#ngrok/agent-port.ts";
import type { Clock } from "#wire/clock.ts";
import { sameEndpoint } from "./plan.ts";

interface Tunnel {
  readonly spec: AgentSpec;
  readonly opened: Opened;
  /** Replaced, but not closed yet: ngrok did not answer. */
  readonly leaving: readonly Opened[];
}

export class Tunnels {
  readonly agent: AgentPort;
  readonly #clock: Clock;
  readonly #tunnels = new Map<string, Tunnel>();
  /** Wait for a session. */
  readonly #waiting = new Set<string>();
  #downSince: number | undefined;

  constructor(agent: AgentPort, clock: Clock) {
    this.agent = agent;
    this.#clock = clock;
    this.#downSince = clock.now();
    agent.onChange(() => {
      if (agent.state.is === "up") this.#downSince = undefined;
      else this.#downSince ??= clock.now();
    });
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

  /** There is no session, so the endpoint has to come again. */
  wait(key: string): void {
    this.#waiting.add(key);
  }

  /** As it is, no session helps the endpoint: it is not waited for. */
  waitNoMore(key: string): void {
    this.#waiting.delete(key);
  }

  /** Makes the endpoint what the spec says. Throws KnownError; then what was open before is open still. */
  async become(key: string, spec: AgentSpec, signal: AbortSignal): Promise<Opened> {
    try {
      const before = this.#tunnels.get(key);
      if (before?.opened.isOpen === true && sameEndpoint(before.spec, spec)) {
        await this.#leave(key, before.spec, before.opened, before.leaving);
        return before.opened;
      }
      const opened = await this.agent.open(spec, signal);
      await this.#leave(key, spec, opened, before === undefined ? [] : [...before.leaving, before.opened]);
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
    for (const one of [...tunnel.leaving, tunnel.opened]) await one.close();
    this.#tunnels.delete(key);
  }

  async #leave(key: string, spec: AgentSpec, opened: Opened, leaving: readonly Opened[]): Promise<void> {
    this.#tunnels.set(key, { spec, opened, leaving });
    for (const one of leaving) await one.close();
    if (leaving.length > 0) this.#tunnels.set(key, { spec, opened, leaving: [] });
  }
}
