// The drain state as a replica asks for it. It holds no Lease whose renewals would read it anew, and a watch may be cut off
// without knowing: so it is read once more when nobody has for two seconds, by all who ask together.
import type { DrainState } from "#drain/state.ts";
import type { Clock } from "#wire/clock.ts";
import type { Gate } from "./gate.ts";

/** As often as the leader reads it. */
const RECENT_MS = 2_000;

export class Recent {
  readonly #gate: Gate;
  readonly #clock: Clock;
  #readAt = -Infinity;
  #reading: Promise<DrainState> | undefined;

  constructor(gate: Gate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  /** Whether something may be opened or changed: the state is Open, as of at most two seconds ago. */
  async isOpen(signal: AbortSignal): Promise<boolean> {
    const { phase } = this.#gate.state;
    // A mark needs no second look: who sees it late sees it by the watch.
    if (phase === "Draining" || phase === "Drained") return false;
    // An answer can take half a minute. Who waits for it opens nothing again that was lost; if it is Open, all are woken.
    if (phase === "Unknown" && this.#reading !== undefined) return false;
    if (phase === "Unknown" || this.#clock.now() - this.#readAt >= RECENT_MS) await this.#read(signal);
    return this.#gate.open && !signal.aborted;
  }

  async #read(signal: AbortSignal): Promise<void> {
    this.#reading ??= this.#gate.fresh(signal).finally(() => {
      this.#readAt = this.#clock.now();
      this.#reading = undefined;
    });
    await this.#reading;
  }
}
