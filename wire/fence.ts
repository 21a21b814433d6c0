// The right to write, as a value that is asked in the send path of every write.
import { FenceLost } from "./errors.ts";

/** How a write that left ended: the server answered, or nobody knows whether it took effect. */
export type SentOutcome = "answered" | "unknown";

export interface Fence {
  /** Aborts when the right is gone: calls in flight end. */
  readonly signal: AbortSignal;
  /** Throws FenceLost when the deadline has passed; called as late as possible before bytes leave. */
  assertMayWrite(): void;
  /**
   * Told of each write as its bytes leave. Whoever frees the right waits for these first: until answered, or, when no
   * answer came, until `mayLastMs` after it was sent (the server may still be executing it).
   */
  sent?(outcome: Promise<SentOutcome>, mayLastMs: number): void;
}

/**
 * The fence of a writer that nobody rivals: the post-delete hook works after the operator, its Lease and its state
 * are gone. Said in these words wherever it is used, so that it can be found.
 */
export function afterUninstall(signal: AbortSignal): Fence {
  return {
    signal,
    assertMayWrite() {
      if (signal.aborted) throw new FenceLost("the run has ended");
    },
  };
}
