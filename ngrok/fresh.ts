// Many who ask for the same expensive thing share one: whoever asks while it is being built gets the next one, so that
// nobody is answered with what was read before the question.
import { unlessAborted } from "#wire/abort.ts";
import type { Clock } from "#wire/clock.ts";

/**
 * `build` runs at most once at a time. A question waits for a build that began after it, or, with `asOf`, for one that
 * began at that instant of the clock or later. Its signal ends the wait, not the build.
 */
export function shared<V>(
  build: (began: number) => Promise<V>,
  clock: Clock,
): (asOf: number | undefined, signal: AbortSignal) => Promise<V> {
  let running: { readonly began: number; readonly value: Promise<V> } | undefined;
  let next: Promise<V> | undefined;

  const start = async (): Promise<V> => {
    await running?.value.catch(() => undefined);
    // All who ask in this turn of the event loop come along.
    await new Promise((resolve) => setImmediate(resolve));
    next = undefined;
    const began = clock.now();
    const value = build(began);
    running = { began, value };
    try {
      return await value;
    } finally {
      running = undefined;
    }
  };

  return async (asOf, signal) => {
    signal.throwIfAborted();
    const joins = asOf !== undefined && running !== undefined && running.began >= asOf;
    const value = joins && running !== undefined ? running.value : (next ??= start());
    return await unlessAborted(signal, value);
  };
}
