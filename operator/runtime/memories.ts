// What one hold of the Lease remembers of each object: what was sent for it, and what may have been begun.
import { createHash } from "node:crypto";
import { isOwnKind } from "#api/define-kind.ts";
import { OWN_KEYS } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { LAST_APPLIED } from "./cache.ts";
import type { Clock } from "#wire/clock.ts";

/** One for each of 50,000 objects: all fields are there from the start, since one that comes later costs a list of its own. */
export class Memory {
  /** On the clock, when the object was first come to. */
  readonly metAt: number;
  /** Digest of what was sent last. */
  sent: string | undefined = undefined;
  /** When a change at ngrok was last begun whose result may not have come back. */
  begunAt: number | undefined = undefined;
  /** This hold has put the claim on, or a manifest brought it along: what it has not begun for the object nobody has. */
  claimedHere = false;

  constructor(now: number) {
    // A whole number takes no room of its own.
    this.metAt = Math.floor(now);
  }
}

export class Memories {
  readonly #clock: Clock;
  readonly #byUid = new Map<string, Memory>();
  readonly #withoutSpec = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of({ metadata: { uid = "" } }: KubeObject): Memory {
    const memory = this.#byUid.get(uid) ?? new Memory(this.#clock.now());
    this.#byUid.set(uid, memory);
    return memory;
  }

  /** Whether nobody has asked yet: that an object has no spec is news once, and not at each look. */
  isNewWithoutSpec({ metadata: { uid = "" } }: KubeObject): boolean {
    const isNew = !this.#withoutSpec.has(uid);
    this.#withoutSpec.add(uid);
    return isNew;
  }

  /** An object is gone: nothing about it is worth keeping. */
  forget(uid: string | undefined): void {
    if (uid === undefined) return;
    this.#byUid.delete(uid);
    this.#withoutSpec.delete(uid);
  }

  /** What was sent for the object is not relied on any more. */
  distrust(uid: string | undefined): void {
    const memory = uid === undefined ? undefined : this.#byUid.get(uid);
    if (memory !== undefined) memory.sent = undefined;
  }
}

/**
 * What was sent for an object, to compare: whoever annotates one of our kinds wants ngrok looked at again, as it is the only way
 * to ask for that. Not so on users' kinds, which any program annotates at any time.
 */
export function digestFor(kind: Kind, { metadata: { annotations } }: KubeObject, sent: string): string {
  if (!isOwnKind(kind) || annotations === undefined) return digest(sent);
  const others = Object.entries(annotations).filter(([key]) => !OWN_KEYS.has(key) && key !== LAST_APPLIED);
  return digest(others.length === 0 ? sent : sent + JSON.stringify(others));
}

/** Half of a SHA-256 is enough to tell two texts apart, and half to keep. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest().toString("latin1", 0, 16);
}
