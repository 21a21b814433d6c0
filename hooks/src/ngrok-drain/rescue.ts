// `ngrok-drain rescue RELEASE`: frees what is left of an install whose operator, chart, CRDs or namespace are half gone. It
// shows what it found and would do, and begins only when a person has typed the release's name.
import { namesOf, type Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { endingLines } from "#drain/lines.ts";
import { waitForPods } from "#drain/sweep.ts";
import { parseTold, type ToldObject } from "#drain/told.ts";
import { budgetMsOf, countsOf, drainByHand, type Drained, refusalOf } from "./by-hand.ts";
import { type Asked, askedPolicy, type DrainCommand, EXIT, POLICIES, type World } from "./command.ts";
import type { Forecast } from "./forecast.ts";
import { objectLines } from "./forecast-page.ts";
import { foresee } from "./plan.ts";
import { findByTraces } from "./rescue-find.ts";
import { type Trace, type Traces, tracesOf } from "./traces.ts";

const SECONDS = "900";

export const rescueCommand: DrainCommand = {
  name: "rescue",
  argument: ["<release>", "Helm's name of the install, also when Helm has forgotten it"],
  summary:
    "Free what is left of an install that is half gone: operator, chart, CRDs, namespace. Shows the plan, then asks.",
  options: [
    ["--policy <policy>", "default Retain, whatever the chart was told; Delete needs a valid API key", POLICIES],
    ["--dry-run", "show what is there and what would be done, and change nothing"],
    ["--confirm <release>", "for scripts: the release's name once more, instead of typing it when asked"],
    ["--timeout <seconds>", `time for this run, default ${SECONDS}; the next run goes on where it ended`],
  ],
  examples: [
    ["rescue ngrok-operator --dry-run", "what is left of it, and what would become of that?"],
    ["rescue ngrok-operator -n ngrok-operator", "a namespace that hangs in Terminating, or helm uninstall --no-hooks"],
    ["rescue ngrok-operator --confirm ngrok-operator -o json", "the same from a script"],
  ],
  exits:
    "0 nothing of it is held any more (with --dry-run: ready), 1 not done yet (run it again) or error, 2 refused before anything was changed, 3 with --dry-run: not known",
  find: findByTraces,
  run,
};

/** What is known before anything is changed. */
interface Outlook {
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly traces: Traces;
  readonly forecast: Forecast;
}

/** The document of `-o json`; what a run came to is there only when it ran. */
export interface RescueDocument {
  readonly command: "rescue";
  readonly release: Release;
  readonly ok: boolean;
  readonly policy: DrainPolicy;
  readonly found: readonly Trace[];
  readonly plan: Forecast;
  readonly refused?: true;
  readonly reason?: string;
  readonly remedies?: readonly string[];
  readonly dryRun?: true;
  readonly ending?: "clean" | "blocked" | "paused";
  readonly done?: number;
  readonly total?: number;
  readonly remoteDeleted?: number;
  /** What stays at ngrok, all of it. */
  readonly kept?: readonly ToldObject[];
  readonly leftAlone?: readonly { readonly object: string; readonly why: string }[];
  readonly errors?: readonly string[];
  readonly next?: string;
}

async function run(world: World, { argument, options }: Asked): Promise<number> {
  const { read, signal, install } = world;
  const { release } = install;
  const policy = askedPolicy(options["policy"]) ?? "Retain";
  const budgetMs = budgetMsOf(options["timeout"], SECONDS);
  const traces = await tracesOf(read, release, signal);
  const outlook: Outlook = { release, policy, traces, forecast: await foresee(world) };
  world.show(outlookLines(outlook));
  const refusal = await refusalOf(world, policy);
  if (options["dryRun"] === true) return dryRun(world, outlook);
  if (refusal !== undefined) return refused(world, outlook, refusal.reason, refusal.remedies);
  const typed = options["confirm"] ?? (await world.ask(`Type the release's name, ${release.name}, to begin: `));
  if (typed !== argument) {
    const given = options["confirm"] === undefined ? "nobody has typed the release's name" : "--confirm names another";
    const command = `ngrok-drain rescue ${release.name} -n ${release.namespace} --policy ${policy}`;
    return refused(world, outlook, given, [`${command} --confirm ${release.name}`]);
  }
  const alone = await isAlone(world, traces);
  if (typeof alone === "string") return refused(world, outlook, alone, [`run this again when that pod has ended`]);
  return ended(world, outlook, await drainByHand(world, { policy, budgetMs, alone }));
}

/**
 * Where the namespace takes no new objects there is no Lease to take, unless somebody holds it still. Then the pods of the
 * operator must have ended first; a sentence when they have not.
 */
async function isAlone(world: World, { namespaceGoes, held }: Traces): Promise<boolean | string> {
  if (!namespaceGoes) return false;
  const { connection, read, clock, signal, install } = world;
  const running = await waitForPods({ connection, read, release: install.release, clock, signal });
  if (running.length > 0) return `pod ${running.join(", ")} still runs and may write`;
  return !held;
}

function outlookLines({ release, policy, traces, forecast }: Outlook): readonly string[] {
  return [
    `release ${release.namespace}/${release.name}  fullname ${release.fullname}  policy ${policy}`,
    ...traces.found.map(({ what, is }) => `found     ${what}: ${is}`),
    ...objectLines(forecast),
  ];
}

function documentOf({ release, policy, traces, forecast }: Outlook) {
  return { command: "rescue", release, policy, found: traces.found, plan: forecast } as const;
}

function dryRun(world: World, outlook: Outlook): number {
  const { policy, forecast } = outlook;
  const readiness = forecast.ready[policy];
  const document: RescueDocument = { ...documentOf(outlook), ok: readiness === "yes", dryRun: true };
  world.answer(document, [`Ready     under ${policy}: ${readiness}`, "Nothing was changed."]);
  return { yes: EXIT.ok, no: EXIT.refused, unknown: EXIT.unknown }[readiness];
}

function refused(world: World, outlook: Outlook, reason: string, remedies: readonly string[]): number {
  const document: RescueDocument = { ...documentOf(outlook), ok: false, refused: true, reason, remedies };
  world.answer(document, [
    `refused   ${reason}. Nothing was changed`,
    ...remedies.map((remedy) => `remedy    ${remedy}`),
  ]);
  return EXIT.refused;
}

function ended(world: World, outlook: Outlook, drained: Drained): number {
  const { release, traces } = outlook;
  const { conclusion, policy, seconds } = drained;
  const counts = countsOf(drained);
  const again = `ngrok-drain rescue ${release.name} -n ${release.namespace} --policy ${policy}`;
  const { next, why } = counts.ok ? restOf(release, traces) : { next: again, why: "" };
  const { kept } = conclusion.report;
  const document: RescueDocument = { ...documentOf(outlook), ...counts, kept: kept.map(parseTold), next };
  world.answer(document, [
    ...endingLines({ ...conclusion, reported: true }, { release, policy, seconds, again }).map(lineOf),
    // In a namespace that goes no report can be written: these lines are all there ever is.
    ...(conclusion.reported ? [] : kept.map((line) => `kept      ${line}`)),
    ...(counts.ok ? [`rest      the next command ${why}`, `next      ${next}`] : []),
  ]);
  return counts.ok ? EXIT.ok : EXIT.failed;
}

function lineOf([word, sentence]: readonly [string, string]): string {
  return `${word.padEnd(9)} ${sentence}`;
}

/**
 * What the chart has in its namespace; the report is for the person, and stays. What lies in no namespace is not among them: a
 * release of that name in another namespace has the same labels on its own.
 */
const KINDS =
  "deployment,job,service,configmap,secret,serviceaccount,role,rolebinding,poddisruptionbudget,networkpolicy";
const OF_NO_NAMESPACE = "clusterrole,clusterrolebinding,ingressclass";

/** What is typed next, and why. */
function restOf(release: Release, { helm, namespaceGoes, nameLabel }: Traces): { next: string; why: string } {
  const { name, namespace } = release;
  if (namespaceGoes)
    return { next: `kubectl get namespace ${namespace}`, why: "nothing of ours holds the namespace any more" };
  if (helm !== false)
    return { next: `helm uninstall ${name} -n ${namespace} --no-hooks`, why: "removes the rest of the release" };
  const { lease, drainState } = namesOf(release);
  // The release's label alone is on the objects of every chart under one parent.
  const ofChart = `-l app.kubernetes.io/instance=${name},app.kubernetes.io/name=${nameLabel}`;
  // Both may have been made by a driver, which knows no label of the chart's.
  const made = `kubectl -n ${namespace} delete lease/${lease} configmap/${drainState} --ignore-not-found`;
  return {
    next: `${made} && kubectl -n ${namespace} delete ${KINDS} ${ofChart},app.kubernetes.io/component!=drain-report --ignore-not-found`,
    why: `removes what else carries the chart's labels in ${namespace}; in no namespace are those of: kubectl get ${OF_NO_NAMESPACE} ${ofChart}`,
  };
}
