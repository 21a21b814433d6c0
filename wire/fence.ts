// The right to write, as a value that is asked in the send path of every write.
import { FenceLost } from "./errors.ts";

export interface Fence {
  /** Aborts when the right is gone: calls in flight end. */
  readonly signal: AbortSignal;
  /** Throws FenceLost when the monotonic deadline has passed; called as late as possible before bytes leave. */
  assertMayWrite(): void;
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
