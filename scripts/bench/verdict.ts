// Whether a drain that was measured was one: nothing that it says of itself is believed.
import type { DrainOptions, Setting } from "./drain.ts";

/** Throws unless nothing is held any more and ngrok has what the policy leaves there. */
export async function mustBeDrained({ ngrok, options }: Setting, ok: boolean, claimed: number): Promise<void> {
  const { policy, count } = options;
  const remote = ngrok.remote();
  const wanted = policy === "Delete" ? 0 : count;
  if (ok && claimed === 0 && remote === wanted) return;
  throw new Error(
    `the drain ended ${ok ? "well" : "badly"}; ${claimed} of ${count} objects are still held, ngrok holds ${remote} instead of ${wanted}`,
  );
}

export function profileFlags({ profile }: Pick<DrainOptions, "profile">): readonly string[] {
  return profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${profile}`];
}
