// How long a drain will take, said before it begins. Asked only where a limit on calls to ngrok makes it long: then a list
// more is nothing beside it.
import type { Reader } from "#kube/reader.ts";
import { countPage, newDryRun } from "./dry-run.ts";
import { inventory, type InventoryScope, surroundingsOf } from "./inventory.ts";
import { rows } from "./kinds.ts";
import { callsUnder, secondsOf } from "./reckoning.ts";

export interface Estimate {
  /** Of this install. */
  readonly objects: number;
  /** To ngrok, under Delete, at most. */
  readonly calls: number;
  readonly callsPerMinute: number;
  readonly seconds: number;
}

/** Counts by the steps of a run under Delete. A kind that cannot be listed counts as nothing: the run itself will say so. */
export async function estimate(
  read: Reader,
  scope: InventoryScope,
  callsPerMinute: number,
  signal: AbortSignal,
): Promise<Estimate> {
  const run = newDryRun();
  const surroundings = await surroundingsOf(read, scope, signal);
  for await (const page of inventory(read, rows, scope, surroundings, signal))
    await countPage(run, page, scope.release, signal);
  const counts = [...run.kinds.values()];
  const objects = counts.reduce((sum, { ours }) => sum + ours, 0);
  const forObjects = counts.reduce((sum, kind) => sum + kind.calls, 0);
  const calls = callsUnder("Delete", { calls: forObjects, registered: true });
  return { objects, calls, callsPerMinute, seconds: secondsOf(objects, calls, callsPerMinute) };
}

/** `2000 objects, about 2000 ngrok API calls at 120 a minute = 17m; this run has 270s`, and what follows when it has too few. */
export function estimateText({ objects, calls, callsPerMinute, seconds }: Estimate, leftMs: number): string {
  const left = Math.floor(leftMs / 1000);
  const said = `${objects} objects, about ${calls} ngrok API calls at ${callsPerMinute} a minute = ${durationOf(seconds)}`;
  const enough = seconds <= left ? "" : ", so it will stop in time and the same command goes on";
  return `${said}; this run has ${left}s${enough}`;
}

/** Seconds up to two minutes, then whole minutes. */
function durationOf(seconds: number): string {
  return seconds <= 120 ? `${seconds}s` : `${Math.ceil(seconds / 60)}m`;
}
