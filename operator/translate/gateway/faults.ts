// What is wrong with a Gateway or one of its listeners, told once: as a condition of its status and as a problem.

export type FaultType = "Accepted" | "Conflicted" | "Programmed" | "ResolvedRefs";

export interface Fault {
  /** The condition that it turns to the bad side. */
  readonly type: FaultType;
  /** In the words of Gateway API. */
  readonly reason: string;
  readonly message: string;
  /** Path in the Gateway. */
  readonly field: string;
  /** Whether the listener is not served at all; else it serves what is left of it. */
  readonly blocks: boolean;
}

/** What keeps a listener from being served. */
export function blocks(type: FaultType, reason: string, field: string, message: string): Fault {
  return { type, reason, message, field, blocks: true };
}

/** What is left out of a listener that is served. */
export function lacks(type: FaultType, reason: string, field: string, message: string): Fault {
  return { type, reason, message, field, blocks: false };
}
