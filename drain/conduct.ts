// One drain from start to end, as hook, leader and cleanup do it alike: the engine, the telling, the seal, the farewell.
import { type Drive, drive, type Ending } from "./drive.ts";
import type { DrainEvent } from "./events.ts";
import { type Farewell, finish } from "./finish.ts";
import { ReportKeeper } from "./keep.ts";
import { fold, newReport, type Report, settle } from "./report.ts";
import { type Driver, type Mark, markDrained } from "./state.ts";
import { type Teller, teller } from "./tell.ts";

export interface Conduct extends Drive {
  readonly driver: Driver;
  /** The mark that this run holds; absent where there is no state any more (cleanup). */
  readonly mark?: Mark;
  /** Of an earlier try of the same run, to go on with: what it has freed no later pass meets, and would be told nowhere. */
  readonly report?: Report;
  /** Sees every event after it was folded into the report; for lines on a terminal. */
  onEvent?(event: DrainEvent, report: Report): void;
  /** Asked when nothing of ours is left; false: no farewell all the same, for what the report names. */
  mayFinish?(report: Report): Promise<boolean>;
}

export interface Conclusion {
  readonly ending: Ending;
  readonly report: Report;
  /** Whether the ids of what stays are in the report's ConfigMaps; else they must be said. */
  readonly reported: boolean;
  /** Only after a clean ending. */
  readonly farewell?: Farewell;
}

/** For the report of a run that is told to end: well within the seconds that a pod, and a person at a keyboard, have left. */
const LAST_WORDS_MS = 3_000;

/** Runs the drain. Throws FenceLost or the signal's reason when it must stop at once; nothing is lost then. */
export async function conduct(work: Conduct): Promise<Conclusion> {
  const { hands, release, signal } = work;
  const report = work.report ?? newReport();
  const tell = teller(hands, release, work.driver, () => work.policy(), signal);
  tell.started(report);
  const keeper = new ReportKeeper(hands, release, () => work.policy());
  const over = new AbortController();
  const keeping = keeper.keepMeanwhile(report, over.signal, signal);
  let ending: Ending;
  try {
    ending = await driven(work, report, tell).finally(() => over.abort(new Error("the drain has ended for now")));
    await keeping;
  } catch (error) {
    await keeping.catch(() => {});
    // What was freed since the report was written last no later run meets, and would be told nowhere.
    if (signal.aborted) await keeper.keep(report, AbortSignal.timeout(LAST_WORDS_MS)).catch(() => {});
    throw error;
  }
  // The last pass has met nothing: what was counted beforehand and went by other hands is no part of it.
  if (ending === "clean") {
    settle(report);
    report.total = report.done;
  }
  // Before the farewell, after which a run that is killed has no other. A cleanup that has met nothing leaves all as it is.
  const reported = (work.mark === undefined && report.done === 0) || (await keeper.keep(report, signal));
  if (ending !== "clean" || (await work.mayFinish?.(report)) === false) {
    await tell.failed(report);
    return { ending, report, reported };
  }
  if (work.mark !== undefined)
    await markDrained(hands.connection, hands.read, release, { ...work.mark, policy: work.policy() }, signal);
  await tell.completed(report);
  const farewell = await finish(hands, release, work.policy(), () => tell.deregistered(report), signal);
  return { ending, report, reported, farewell };
}

async function driven(work: Conduct, report: Report, tell: Teller): Promise<Ending> {
  const events = drive(work);
  let next = await events.next();
  for (; next.done !== true; next = await events.next()) {
    fold(report, next.value);
    work.onEvent?.(next.value, report);
    if (next.value.is === "waiting") await tell.waiting(report, next.value.why, next.value.ms);
    else tell.progress(report);
  }
  return next.value;
}
