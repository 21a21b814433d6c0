// Which loops of a process are alive: one that ends by itself is a bug, and the process starts anew.
import { known } from "#wire/errors.ts";

export class Pulse {
  why: string | undefined;
  readonly #broken = Promise.withResolvers<"broken">();
  readonly #ending: AbortSignal;

  /** After `ending` a loop may end as it likes. */
  constructor(ending: AbortSignal) {
    this.#ending = ending;
  }

  get broken(): Promise<"broken"> {
    return this.#broken.promise;
  }

  async keep<T>(name: string, loop: Promise<T>): Promise<T | "stopped"> {
    try {
      return await loop;
    } catch (error) {
      if (!this.#ending.aborted) {
        this.why ??= `${name}: ${known(error).message}`;
        this.#broken.resolve("broken");
      }
      return "stopped";
    }
  }
}
