// `bench idle`: what an operator that has nothing to do writes while it looks after N Ingresses: nothing.
import { systemClock } from "#wire/clock.ts";
import { rounded } from "./arithmetic.ts";
import { aCrowd, clear, served } from "./crowd.ts";
import { type Ground, standIn, withCrds } from "./ground.ts";
import { AFTER_A_START_MS, atRest, byResource, type OperatorOptions, position, withOperator } from "./operator.ts";
import type { Say } from "./say.ts";

export interface IdleResult {
  readonly bench: "idle";
  readonly timed: string;
  readonly ground: Ground["what"];
  readonly count: number;
  readonly minutes: number;
  /** What the audit log shows of the operator; the pulse of its Lease is not counted. */
  readonly writes: number;
  readonly writesBy: Readonly<Record<string, number>>;
  /** Calls to ngrok that changed something. */
  readonly remoteChanges: number;
  readonly apiManagerMB: number;
}

const TIMED =
  "from fifteen seconds in which a restarted api-manager, all endpoints being Ready, has neither written nor asked ngrok, for so many minutes in which nobody changes anything";

export interface IdleOptions extends OperatorOptions {
  readonly count: number;
  readonly paths: number;
  readonly minutes: number;
}

export async function benchIdle(ground: Ground, options: IdleOptions, say: Say): Promise<IdleResult> {
  const { count, paths, minutes, signal } = options;
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  const crowd = aCrowd(count, paths);
  return await withCrds(ground, connection, async () => {
    await say.step(
      `${count} Ingresses are endpoints`,
      async () => await served(ground, connection, ngrok, options, crowd),
    );
    const result = await withOperator(ground, connection, ngrok, options, async (operator) => {
      const { leader, signal, wrote } = operator;
      await atRest(operator, ngrok, await position(ground), AFTER_A_START_MS);
      const since = await position(ground);
      const calls = changes(ngrok);
      await say.step(`${minutes} minutes`, async () => await systemClock.sleep(minutes * 60_000, signal));
      const events = await wrote(since);
      return {
        writes: events.length,
        writesBy: byResource(events),
        remoteChanges: changes(ngrok) - calls,
        apiManagerMB: rounded((await leader.memory()).residentMB),
      };
    });
    await clear(ground, connection, crowd, signal);
    return { bench: "idle", timed: TIMED, ground: ground.what, count, minutes, ...result };
  });
}

function changes(ngrok: { count(method: string): number }): number {
  return ["POST", "PATCH", "PUT", "DELETE"].reduce((sum, method) => sum + ngrok.count(method), 0);
}
