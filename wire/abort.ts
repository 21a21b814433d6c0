// Waiting for work that a signal may make pointless. No listener outlives the wait: some signals live as long as the process.
import { asError } from "./errors.ts";

/** The work's outcome, or the signal's reason as soon as it aborts. The work itself is not ended by this. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const end = (): void => ended.reject(asError(signal.reason));
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
