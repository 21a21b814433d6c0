// A refusal as both hooks say it.
import type { Refusal } from "#drain/others.ts";

/** Why the run does not begin, and what to type; @param world whose words people read */
export function sayRefusal(world: { say(word: string, sentence: string): void }, { reason, remedies }: Refusal): void {
  world.say("refused", `${reason}. Nothing was changed`);
  for (const remedy of remedies) world.say("remedy", remedy);
}
