// Work beside the queue: what may take seconds for one object and must hold up no other. Few at once, one an object, never
// once the drain state is not Open; it ends with the term.
import type { Clock } from "#wire/clock.ts";

export interface BesideParts {
  readonly clock: Clock;
  /** Ends what is under way, and begins nothing more. */
  readonly signal: AbortSignal;
  /** Whether anything may be begun: what waited for its turn asks again. */
  mayBegin(): boolean;
}

/** One piece of work for an object. */
export interface Aside<R> {
  /** What the result depends on: where it is another, the work begins anew and what was found out before is forgotten. */
  readonly of: string;
  readonly work: (signal: AbortSignal) => Promise<R>;
  /** Milliseconds after which a result is looked for again; until the new one is there the old one stands. */
  readonly goodFor: (result: R) => number;
}

interface Slot {
  readonly of: string;
  readonly ends: AbortController;
  isRunning: boolean;
  last?: { readonly result: unknown; readonly at: number };
}

/** Pieces of work at once; the others wait for their turn. */
const AT_ONCE = 16;

export class Beside {
  readonly #parts: BesideParts;
  readonly #slots = new Map<string, Slot>();
  /** Who wait for their turn: those of whose objects nothing is known, and those that look again. */
  readonly #first: (() => void)[] = [];
  readonly #again: (() => void)[] = [];
  #running = 0;

  constructor(parts: BesideParts) {
    this.#parts = parts;
  }

  /**
   * What the work has come to, undefined until it has; it is begun when that is not known or too old. What it throws is
   * nothing found out, and is begun again by the next call.
   * @param again called when there is something new to be had here.
   */
  ask<R>(uid: string, { of, work, goodFor }: Aside<R>, again: () => void): R | undefined {
    let slot = this.#slots.get(uid);
    if (slot?.of !== of) {
      this.forget(uid);
      slot = { of, ends: new AbortController(), isRunning: false };
      this.#slots.set(uid, slot);
    }
    const { last } = slot;
    // Sound: a slot holds what its own work has returned.
    const result = last?.result as R | undefined;
    const isFresh = last !== undefined && this.#parts.clock.now() - last.at < goodFor(last.result as R);
    if (!isFresh && !slot.isRunning) void this.#run(slot, work, again);
    return result;
  }

  /** The object is gone, or its work not wanted any more. */
  forget(uid: string): void {
    this.#slots.get(uid)?.ends.abort(new Error("not wanted any more"));
    this.#slots.delete(uid);
  }

  async #run<R>(slot: Slot, work: Aside<R>["work"], again: () => void): Promise<void> {
    const signal = AbortSignal.any([slot.ends.signal, this.#parts.signal]);
    slot.isRunning = true;
    await this.#turn(slot);
    try {
      if (signal.aborted || !this.#parts.mayBegin()) return;
      const result = await work(signal);
      if (signal.aborted) return;
      slot.last = { result, at: this.#parts.clock.now() };
      again();
    } catch {
      // Nothing is known: whoever asks next has it done again.
    } finally {
      slot.isRunning = false;
      this.#pass();
    }
  }

  async #turn({ last }: Slot): Promise<void> {
    if (this.#running < AT_ONCE) {
      this.#running += 1;
      return;
    }
    const line = last === undefined ? this.#first : this.#again;
    await new Promise<void>((resolve) => line.push(resolve));
  }

  /** The place goes to whoever has waited longest, and to a first look before all others: its object is not Ready without. */
  #pass(): void {
    const next = this.#first.shift() ?? this.#again.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
