// Whether workloads reach the endpoint: from this pod, by the name that they use, with some patience for a Service of which
// the cluster's DNS and proxies have only just heard.
import type { Clock } from "#wire/clock.ts";
import type { Dial, DialTarget } from "#wire/dial.ts";
import { known } from "#wire/errors.ts";
import type { Checked } from "./plan.ts";

const TRIES = 8;
const FIRST_WAIT_MS = 1000;
/** For all tries together. */
const WITHIN_MS = 10_000;

/** Throws only what ends it, the signal's reason. */
export async function checkConnectivity(
  to: DialTarget,
  { dial, clock }: { readonly dial: Dial; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Checked> {
  const end = clock.now() + WITHIN_MS;
  for (let tried = 1; ; tried += 1) {
    try {
      await dial(to, signal);
      return { is: "reached" };
    } catch (error) {
      if (signal.aborted) throw error;
      const waitMs = FIRST_WAIT_MS * 2 ** (tried - 1);
      if (tried === TRIES || clock.now() + waitMs >= end) return { is: "not reached", why: known(error).message };
      await clock.sleep(waitMs, signal);
    }
  }
}
