// The one switch from what a piece of work came to, to what becomes of its key.
import { isClass, known } from "#wire/errors.ts";
import type { KeyOutcome } from "./define-keyed.ts";
import type { Outcome } from "./define-controller.ts";
import type { ReplicaOutcome } from "./define-replica.ts";
import type { ReconcileResult } from "./metrics.ts";
import { CLOSED } from "./pen.ts";
import type { Next } from "./queue.ts";

/** What only a person can mend is tried again all the same: the mending may be at ngrok, where no watch sees it. */
const INVALID_AGAIN_MS = 600_000;

export function nextOf(outcome: Outcome | KeyOutcome | ReplicaOutcome): Next {
  switch (outcome.is) {
    case "done":
      return { is: "done" };
    case "wait":
      return { is: "later", ms: outcome.ms };
    case "stop":
      return { is: "later", ms: INVALID_AGAIN_MS };
    case "failed": {
      const error = known(outcome.error);
      if (isClass(error, "gone") && error.code === CLOSED) return { is: "done" };
      return error.class === "invalid" ? { is: "later", ms: INVALID_AGAIN_MS } : { is: "retry", error };
    }
  }
}

/** As the metrics of releases so far have called it. */
export function resultOf(next: Next): ReconcileResult {
  if (next.is === "retry") return "error";
  return next.is === "later" ? "requeue_after" : "success";
}
