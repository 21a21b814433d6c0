// What a run under a limit on calls to ngrok says beforehand.
import type { DrainPolicy } from "#api/schema.ts";
import { estimate, estimateText } from "#drain/estimate.ts";
import type { Reader } from "#kube/reader.ts";
import type { HookWorld } from "../define-hook.ts";
import type { environment, Settings } from "../environment.ts";

/** Where calls to ngrok are limited, what they will take is said first. Returns how many objects there are then. */
export async function foretold(
  world: HookWorld<typeof environment>,
  { release, clusterWide, callsPerMinute }: Settings,
  read: Reader,
  policy: DrainPolicy,
  leftMs: number,
): Promise<number | undefined> {
  if (callsPerMinute === undefined || policy !== "Delete") return undefined;
  const counted = await estimate(read, { release, clusterWide }, callsPerMinute, world.signal);
  world.say("plan", estimateText(counted, leftMs));
  return counted.objects;
}
