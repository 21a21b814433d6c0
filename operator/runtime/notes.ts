// Whether the claim that an object carries notes that something at ngrok may have been begun for it, and what notes it instead.
import { isOwnKind } from "#api/define-kind.ts";
import { mayHaveBegun } from "#drain/may-have-begun.ts";
import type { KubeObject } from "#kube/kind.ts";
import { type Context, done, type LeaderController, type Outcome, type Shown } from "./define-controller.ts";
import type { Memory } from "./memories.ts";

/**
 * Written before something is created for an object whose claim is no note: were this process to end between the creation and
 * its status, the next one would create it again, and an undo would find nothing that is ours.
 */
export function note<T extends KubeObject>(): Outcome<T> {
  const findings = [
    { type: "Ready", status: "Unknown", reason: "Pending", message: "It is being made at ngrok" },
  ] as const;
  return done({ shown: { fields: {} as Shown<T>["fields"], findings } });
}

/**
 * It does unless a manifest has brought it along, for kinds of which the claim is that note at all. Who knows already what this
 * hold has begun is not asked for.
 */
export async function notes<T extends KubeObject>(
  controller: LeaderController<T>,
  object: T,
  { claimedHere, begunAt }: Memory,
  { reader, signal }: Pick<Context, "reader" | "signal">,
): Promise<boolean> {
  const isNote = isOwnKind(controller.kind) && controller.bornClaimed !== true && controller.cleanup !== undefined;
  if (!isNote || claimedHere || begunAt !== undefined) return true;
  return await mayHaveBegun(controller.kind, object, reader, signal);
}
