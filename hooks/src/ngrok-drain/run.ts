// `ngrok-drain run`: the drain without Helm, by the same take-over and the same engine, as holder cli/<uuid>.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { conduct, type Conclusion } from "#drain/conduct.ts";
import type { DrainEvent } from "#drain/events.ts";
import { keepReport } from "#drain/keep.ts";
import { endingLines } from "#drain/lines.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { keyMissing } from "#drain/preflight.ts";
import { questionsOf } from "#drain/questions.ts";
import { drainRights, takeoverRights } from "#drain/rbac.ts";
import { errorsOf, type Report } from "#drain/report.ts";
import { mark, type Mark, parseState, stateReader, stateRef } from "#drain/state.ts";
import { takeOver } from "#drain/takeover.ts";
import { missingRights } from "#kube/access.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { writer } from "#kube/writer.ts";
import { KnownError } from "#wire/errors.ts";
import { type Asked, type DrainCommand, EXIT, type World } from "./command.ts";
import { policyInForce } from "./in-force.ts";

const SECONDS = "900";

export const runCommand: DrainCommand = {
  name: "run",
  summary:
    "Drain this install now, without Helm: where hooks cannot run. The operator yields and stays idle afterwards.",
  options: [
    ["--policy <policy>", "Retain or Delete; default: as the chart was told. What is sealed already stays sealed"],
    ["--timeout <seconds>", `time for this run, default ${SECONDS}; the next run goes on where it ended`],
  ],
  examples: [
    ["run", "free everything; then helm uninstall --no-hooks is safe"],
    ["run --policy Retain --timeout 3600", "keep what is at ngrok, and take the time that it needs"],
  ],
  exits: "0 drained, 1 not done yet (run it again) or error, 2 refused before anything was changed",
  run,
};

async function run(world: World, { options }: Asked): Promise<number> {
  const { install, read, connection, clock, signal } = world;
  const { release, clusterWide } = install;
  const identity = `cli/${crypto.randomUUID()}`;
  const budgetMs = secondsOf(options["timeout"]) * 1000;
  const began = clock.now();
  const policy = await policyOf(world, options["policy"]);
  const refusal = await refusalOf(world, policy);
  if (refusal !== undefined) return refused(world, refusal);
  world.say("drain", `release ${release.namespace}/${release.name} policy ${policy} as ${identity}`);
  const wanted: Mark = { policy, driver: "cli", by: identity, since: clock.date().toISOString() };
  const running = await podsOfRelease(read, release, signal);
  const held = await mark(connection, read, release, wanted, running.length > 0 ? "create" : "skip", signal);
  const state = stateReader(read, release);
  await state.fresh(signal);
  const say = (word: string, sentence: string): void => world.say(word, sentence);
  await using token = await takeOver({
    connection,
    read,
    release,
    identity,
    state,
    mark: held,
    budgetMs,
    clock,
    signal,
    say,
  });
  const ngrok = await world.ngrok(token);
  const hands = { connection, read, write: writer(connection, token), ngrok, fence: token, clock };
  const sealed = (): DrainPolicy => ("policy" in state.now ? state.now.policy : held.policy);
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
  const reported = await keepReport(hands, release, sealed(), conclusion.report, signal);
  const seconds = (clock.now() - began) / 1000;
  return ended(world, conclusion, { policy: sealed(), seconds, reported });
}

function secondsOf(text: string | boolean | undefined): number {
  const seconds = Number(text ?? SECONDS);
  if (seconds >= 30) return seconds;
  throw new KnownError("invalid", "--timeout is not a number of seconds from 30 on");
}

async function policyOf({ install, read, signal }: World, asked: string | boolean | undefined): Promise<DrainPolicy> {
  if (asked !== undefined && asked !== "Retain" && asked !== "Delete")
    throw new KnownError("invalid", `--policy ${asked} is neither Retain nor Delete`);
  const { name, namespace } = install.release;
  const state = parseState(await read.get(ConfigMap, stateRef(install.release), signal));
  const operator = await read.get(KubernetesOperator, { name, namespace }, signal);
  const inForce = policyInForce(state, asked ?? install.policy, operator);
  return asked === "Retain" ? asked : inForce.policy;
}

interface Refused {
  readonly reason: string;
  readonly remedies: readonly string[];
}

/** Before the mark: what this login may not do, and Delete without a key. */
async function refusalOf(world: World, policy: DrainPolicy): Promise<Refused | undefined> {
  const { install, connection, signal } = world;
  const { release, clusterWide } = install;
  const questions = questionsOf([...drainRights, ...takeoverRights], release, clusterWide);
  const missing = await missingRights(connection, questions, signal);
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    return {
      reason: `this login may not ${first.text}${more}`,
      remedies: [
        install.inside
          ? "the operator's own ServiceAccount may not evict pods: run it from outside, with a login that may"
          : "use a login that may, for example a cluster admin's",
      ],
    };
  }
  const ngrok = policy === "Delete" ? await world.ngrok({ signal, assertMayWrite() {} }) : undefined;
  return await keyMissing({ ngrok, policy, release, signal });
}

function refused(world: World, { reason, remedies }: Refused): number {
  world.answer({ command: "run", release: world.install.release, ok: false, refused: true, reason, remedies }, [
    `refused   ${reason}. Nothing was changed`,
    ...remedies.map((remedy) => `remedy    ${remedy.replaceAll("the same helm uninstall again", "this again")}`),
  ]);
  return EXIT.refused;
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

function ended(
  world: World,
  conclusion: Conclusion,
  { policy, seconds, reported }: { policy: DrainPolicy; seconds: number; reported: boolean },
): number {
  const { release } = world.install;
  const { ending, report, farewell } = conclusion;
  const ok = farewell !== undefined;
  const again = "ngrok-drain run";
  const next = ok ? `helm uninstall ${release.name} -n ${release.namespace}` : again;
  const lines = endingLines(conclusion, { release, policy, seconds, again, reported });
  const document = {
    command: "run",
    release,
    ok,
    policy,
    ending,
    next,
    done: report.done,
    total: report.total,
    remoteDeleted: report.remoteDeleted,
    kept: report.kept.length,
    leftAlone: [...report.left].map(([object, why]) => ({ object, why })),
    errors: errorsOf(report),
  };
  world.answer(document, [
    ...lines.map(([word, sentence]) => `${word.padEnd(9)} ${sentence}`),
    ...(ok
      ? [`next      ${next} removes the rest of the release; ngrok-drain cancel lets the operator work again`]
      : []),
  ]);
  return ok ? EXIT.ok : EXIT.failed;
}
