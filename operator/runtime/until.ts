// Waiting for something that others bring about, and call us for.
import { asError } from "#wire/errors.ts";

/** Resolves once it holds; asked again whenever those in `waiting` are called. Throws the signal's reason. */
export async function until(holds: () => boolean, waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  while (!holds()) {
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        waiting.delete(go);
        reject(asError(signal.reason));
      };
      const go = (): void => {
        waiting.delete(go);
        signal.removeEventListener("abort", end);
        resolve();
      };
      waiting.add(go);
      signal.addEventListener("abort", end, { once: true });
    });
  }
  signal.throwIfAborted();
}
