// What one hold of the Lease remembers of each object: what was sent for it, and what may have been begun.
import { createHash } from "node:crypto";
import type { KubeObject } from "#kube/kind.ts";
import type { Clock } from "#wire/clock.ts";

/** One for each of 50,000 objects: all fields are there from the start, since one that comes later costs a list of its own. */
export class Memory {
  /** On the clock, when the object was first come to. */
  readonly metAt: number;
  /** Digest of what was sent last. */
  sent: string | undefined = undefined;
  /** When a change at ngrok was last begun whose result may not have come back. */
  begunAt: number | undefined = undefined;

  constructor(now: number) {
    // A whole number takes no room of its own.
    this.metAt = Math.floor(now);
  }
}

export class Memories {
  readonly #clock: Clock;
  readonly #byUid = new Map<string, Memory>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of({ metadata: { uid = "" } }: KubeObject): Memory {
    const memory = this.#byUid.get(uid) ?? new Memory(this.#clock.now());
    this.#byUid.set(uid, memory);
    return memory;
  }

  /** An object is gone: nothing about it is worth keeping. */
  forget(uid: string | undefined): void {
    if (uid !== undefined) this.#byUid.delete(uid);
  }

  /** What was sent is not relied on any more. */
  distrust(): void {
    for (const memory of this.#byUid.values()) memory.sent = undefined;
  }
}

/** Half of a SHA-256 is enough to tell two texts apart, and half to keep. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest().toString("latin1", 0, 16);
}
