// The drain as a person drives it, without Helm: what is asked before the mark, the take-over, the engine, and what it came
// to. For `run` and `rescue`.
import type { DrainPolicy } from "#api/schema.ts";
import { conduct, type Conclusion } from "#drain/conduct.ts";
import type { DrainEvent } from "#drain/events.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { keyMissing } from "#drain/preflight.ts";
import { questionsOf } from "#drain/questions.ts";
import { drainRights, takeoverRights } from "#drain/rbac.ts";
import { errorsOf, leftAlone, type Report } from "#drain/report.ts";
import { mark, type Mark, policyUnder, type StateReader, stateReader } from "#drain/state.ts";
import { takeOver } from "#drain/takeover.ts";
import { missingRights } from "#kube/access.ts";
import { writer } from "#kube/writer.ts";
import { KnownError } from "#wire/errors.ts";
import { afterUninstall, type Fence } from "#wire/fence.ts";
import type { World } from "./command.ts";

export interface Refused {
  readonly reason: string;
  readonly remedies: readonly string[];
}

/** Before the mark: what this login may not do, and Delete without a key. Undefined when nothing stands in the way. */
export async function refusalOf(world: World, policy: DrainPolicy): Promise<Refused | undefined> {
  const { install, connection, signal } = world;
  const { release, clusterWide } = install;
  const questions = questionsOf([...drainRights, ...takeoverRights], release, clusterWide);
  const missing = await missingRights(connection, questions, signal);
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    return { reason: `this login may not ${first.text}${more}`, remedies: loginRemedies(world) };
  }
  const ngrok = policy === "Delete" ? await world.ngrok({ signal, assertMayWrite() {} }) : undefined;
  const refusal = await keyMissing({ ngrok, policy, release, signal });
  if (refusal === undefined) return undefined;
  const remedies = refusal.remedies.map((one) => one.replaceAll("the same helm uninstall again", "this again"));
  return { ...refusal, remedies };
}

/** The operator writes with few rights on purpose: it may not evict pods, and a drain by hand must be able to. */
function loginRemedies({ install: { inside, release } }: World): readonly string[] {
  const at = `-n ${release.namespace}`;
  if (!inside) return ["use a login that may, for example a cluster admin's"];
  return [
    `from outside, with a login that may: kubectl ngrok-drain run ${at}, or npx ngrok-drain run ${at} in a checkout`,
    `or with Helm, whose hook has these rights: helm uninstall ${release.name} ${at}`,
  ];
}

export interface ByHand {
  readonly policy: DrainPolicy;
  /** Milliseconds for all of it. */
  readonly budgetMs: number;
  /** Nobody is left who could rival us, and no Lease can be made: the write token is done without. */
  readonly alone: boolean;
}

export interface Drained {
  readonly conclusion: Conclusion;
  /** What held at the end: sealed by an earlier mark, or relaxed meanwhile. */
  readonly policy: DrainPolicy;
  readonly seconds: number;
}

/** Marks, takes the write token as `cli/<uuid>`, drains and writes the report. */
export async function drainByHand(world: World, { policy, budgetMs, alone }: ByHand): Promise<Drained> {
  const { install, read, connection, clock, signal } = world;
  const { release, clusterWide } = install;
  const began = clock.now();
  const identity = `cli/${crypto.randomUUID()}`;
  world.say("drain", `release ${release.namespace}/${release.name} policy ${policy} as ${identity}`);
  const wanted: Mark = { policy, driver: "cli", by: identity, since: clock.date().toISOString() };
  // A state that is gone is made anew only for pods that must read it.
  const running = alone ? [] : await podsOfRelease(read, release, signal);
  const held = await mark(connection, read, release, wanted, running.length > 0 ? "create" : "skip", signal);
  const state = stateReader(read, release);
  await state.fresh(signal);
  await using token = await tokenOf(world, { alone, identity, state, held, budgetMs });
  const { fence } = token;
  const hands = { connection, read, write: writer(connection, fence), ngrok: await world.ngrok(fence), fence, clock };
  const sealed = (): DrainPolicy => policyUnder(held, state.now);
  const conclusion = await conduct({
    hands,
    release,
    clusterWide,
    policy: sealed,
    budgetMs: budgetMs - (clock.now() - began),
    signal,
    driver: "cli",
    mark: held,
    onEvent: progress(world),
  });
  return { conclusion, policy: sealed(), seconds: (clock.now() - began) / 1000 };
}

interface Taking extends Pick<ByHand, "alone" | "budgetMs"> {
  readonly identity: string;
  readonly state: StateReader;
  readonly held: Mark;
}

async function tokenOf(
  world: World,
  { alone, identity, state, held, budgetMs }: Taking,
): Promise<AsyncDisposable & { readonly fence: Fence }> {
  const { install, read, connection, clock, signal } = world;
  if (alone) return { fence: afterUninstall(signal), [Symbol.asyncDispose]: async () => undefined };
  const say = (word: string, sentence: string): void => world.say(word, sentence);
  const common = { connection, read, release: install.release, identity, clock, signal, say };
  const token = await takeOver({ ...common, state, mark: held, budgetMs });
  return { fence: token, [Symbol.asyncDispose]: async () => await token[Symbol.asyncDispose]() };
}

/** Milliseconds of `--timeout`. */
export function budgetMsOf(text: string | boolean | undefined, fallback: string): number {
  const seconds = Number(text ?? fallback);
  if (seconds >= 30) return seconds * 1000;
  throw new KnownError("invalid", "--timeout is not a number of seconds from 30 on");
}

/** What a run came to, as both commands say it with `-o json`. */
export function countsOf({ conclusion, policy }: Drained) {
  const { ending, report, farewell } = conclusion;
  return {
    ok: farewell !== undefined,
    policy,
    ending,
    done: report.done,
    total: report.total,
    remoteDeleted: report.remoteDeleted,
    leftAlone: leftAlone(report),
    errors: errorsOf(report),
  };
}

const PROGRESS_EVERY_MS = 5_000;

function progress(world: World): (event: DrainEvent, report: Report) => void {
  const { clock } = world;
  let last = clock.now();
  return (event, report) => {
    if (clock.now() - last < PROGRESS_EVERY_MS) return;
    last = clock.now();
    const waiting = event.is === "waiting" ? `, waiting ${Math.ceil(event.ms / 1000)}s: ${event.why}` : "";
    world.say("progress", `${report.done} of ${report.total}${waiting}`);
  };
}
