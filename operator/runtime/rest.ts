// When the watches rest. A drain lists past every cache and no controller acts beside it, so that 50,000 objects in the
// stores would be memory for nothing, and following them work for the API server that the drain needs itself.
import type { DrainState } from "#drain/state.ts";

/** Rests from a mark on until an explicit Open, but never while somebody works from the stores. */
export class Rest {
  #isMarked = false;
  #users = 0;
  #isResting = false;
  #awake = new AbortController();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isResting(): boolean {
    return this.#isResting;
  }

  /** Aborts as the next rest begins. */
  get begins(): AbortSignal {
    return this.#awake.signal;
  }

  /** What nobody can read is no reason to list everything again: after a mark only Open ends the rest. */
  hear({ phase }: DrainState): void {
    if (phase === "Unknown") return;
    this.#isMarked = phase !== "Open";
    this.#settle();
  }

  /** From now on somebody works from the stores, whatever has been heard of the state; returns the end of that. */
  use(): () => void {
    this.#users += 1;
    this.#settle();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#users -= 1;
      this.#settle();
    };
  }

  #settle(): void {
    const isResting = this.#isMarked && this.#users === 0;
    if (isResting === this.#isResting) return;
    this.#isResting = isResting;
    if (isResting) this.#awake.abort(new Error("the watches rest during a drain"));
    else this.#awake = new AbortController();
    this.#changed();
  }
}
