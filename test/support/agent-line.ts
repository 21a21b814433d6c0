// An agent in place of the SDK's: its endpoints are policies in a list, and it refuses what a test says.
import type { AgentPort, AgentSpec, AgentState, Opened } from "#ngrok/agent-port.ts";
import { KnownError } from "#wire/errors.ts";

export class AgentLine implements AgentPort {
  state: AgentState = { is: "up" };
  /** Policies of what is open; two of one policy are two. */
  readonly live: { readonly policy: string; readonly ended: (() => void) | undefined }[] = [];
  readonly story: string[] = [];
  /** `open` or `close`, of all or of one policy (`open 1`). */
  refuses: string | undefined;
  refusal = new KnownError("transient", "no");
  /** What it was asked to have again, of each opening. */
  readonly had: (string | undefined)[] = [];
  readonly #listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  turn(state: AgentState): void {
    this.state = state;
    for (const listener of this.#listeners) listener();
  }

  /** ngrok ends what is open under this policy; its session goes on. */
  end(policy: string): void {
    for (const one of this.live.filter((each) => each.policy === policy)) {
      this.live.splice(this.live.indexOf(one), 1);
      one.ended?.();
    }
  }

  /** A new session in place of the one that takes along what is open. */
  loseSession(): void {
    this.live.length = 0;
    this.turn({ is: "down", why: "lost" });
    this.turn({ is: "up" });
  }

  async open({ trafficPolicy }: AgentSpec, _signal: AbortSignal, had?: string, ended?: () => void): Promise<Opened> {
    this.had.push(had);
    if (this.#refuses("open", trafficPolicy)) throw this.refusal;
    this.story.push(`open ${trafficPolicy}`);
    const own = { policy: trafficPolicy, ended };
    this.live.push(own);
    const { live, story } = this;
    const refuses = (): boolean => this.#refuses("close", trafficPolicy);
    return await Promise.resolve({
      url: "https://web.test",
      get isOpen() {
        return live.includes(own);
      },
      async close() {
        if (refuses()) throw new KnownError("transient", `ngrok does not answer: ${trafficPolicy}`);
        if (live.includes(own)) story.push(`close ${trafficPolicy}`);
        live.splice(0, live.length, ...live.filter((one) => one !== own));
        await Promise.resolve();
      },
    });
  }

  get policies(): string[] {
    return this.live.map(({ policy }) => policy);
  }

  #refuses(call: "open" | "close", policy: string): boolean {
    return this.refuses === call || this.refuses === `${call} ${policy}`;
  }
}
