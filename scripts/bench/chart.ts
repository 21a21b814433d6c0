// `bench chart`: what a person waits for at `helm install --wait`, `helm upgrade --wait` and `helm uninstall` without objects,
// against a chart of one pod that waits and two hook Jobs that do nothing. The runs alternate, so that a busy minute of the
// machine is in both.
import { crdObjects } from "#scripts/generate/crds.ts";
import type { HelmRun, HelmVersion } from "#test/support/helm.ts";
import { CHART, type Stage } from "#test/support/stage.ts";
import { median, rounded } from "./arithmetic.ts";
import { emptyChart } from "./empty-chart.ts";
import { type Ground, KEY, standIn } from "./ground.ts";
import { loadOf, type Machine } from "./machine.ts";
import type { Say } from "./say.ts";

const PHASES = ["install", "upgrade", "uninstall"] as const;
export type Phase = (typeof PHASES)[number];

/** Seconds of each run, and their medians. */
export interface Compared {
  readonly ours: readonly number[];
  readonly empty: readonly number[];
  readonly oursMedian: number;
  readonly emptyMedian: number;
}

export interface ChartResult extends Readonly<Record<Phase, Compared>> {
  readonly bench: "chart";
  readonly timed: string;
  readonly helm: HelmVersion;
  readonly runs: number;
  readonly machine: Machine;
}

const TIMED =
  "helm install --wait, helm upgrade --wait of a value that replaces the pod, helm uninstall, without objects and without " +
  "agents, against a chart of one pod of the same image that waits and two hook Jobs that run node -e 0";

export interface ChartOptions {
  readonly runs: number;
  readonly helm: HelmVersion;
  readonly signal: AbortSignal;
}

/** One of the two charts, and what is given at its install and at its upgrade. */
interface Candidate {
  readonly name: string;
  readonly chart: string;
  readonly flags: readonly string[];
  readonly change: string;
}

/** @param image the operator's, by digest */
export async function benchChart(
  ground: Ground,
  stage: Stage,
  image: string,
  options: ChartOptions,
  say: Say,
): Promise<ChartResult> {
  const { runs, helm } = options;
  await using ngrok = await standIn(ground);
  await using empty = await emptyChart(image, { deployment: true });
  const account = [`apiURL=${ngrok.url}`, `credentials.apiKey=${KEY}`, "credentials.authtoken=unused"];
  // Agents are ready only where there is an edge that they reach.
  const sets = [...account, "agent.enabled=false"].flatMap((value) => ["--set", value]);
  const flags = [...stage.imageFlags, ...sets];
  const candidates: Readonly<Record<"ours" | "empty", Candidate>> = {
    ours: { name: "bench", chart: CHART, flags, change: "log.format=console" },
    empty: { name: "empty", chart: empty.path, flags: [], change: "note=changed" },
  };
  const seconds = { ours: times(), empty: times() };
  const machine = loadOf();
  for (let run = 1; run <= runs; run += 1) {
    for (const who of ["ours", "empty"] as const) {
      const took = await roundOf(stage, candidates[who], options);
      for (const phase of PHASES) seconds[who][phase].push(took[phase]);
      const told = PHASES.map((phase) => `${phase} ${took[phase].toFixed(2)} s`).join(", ");
      say.line(`run ${run} of ${runs}: ${who}: ${told}`);
    }
  }
  // crds.keep is the default; the next bench wants a cluster without.
  const crds = crdObjects().map(({ metadata }) => metadata.name);
  await stage.kubectl.run(["delete", "crd", ...crds, "--ignore-not-found"]);
  const compared = (phase: Phase): Compared => ({
    ours: seconds.ours[phase].map(rounded),
    empty: seconds.empty[phase].map(rounded),
    oursMedian: rounded(median(seconds.ours[phase])),
    emptyMedian: rounded(median(seconds.empty[phase])),
  });
  const phases = { install: compared("install"), upgrade: compared("upgrade"), uninstall: compared("uninstall") };
  return { bench: "chart", timed: TIMED, helm, runs, machine, ...phases };
}

async function roundOf(
  stage: Stage,
  { name, chart, flags, change }: Candidate,
  { helm, signal }: ChartOptions,
): Promise<Record<Phase, number>> {
  const at = ["--namespace", `bench-${name}`];
  const wait = ["--wait", "--timeout", "120s"];
  const step = async (phase: Phase, args: readonly string[]): Promise<number> => {
    const run: HelmRun = await stage.helm(helm, [phase, name, ...args, ...at], { signal });
    if (run.code !== 0) throw new Error(`helm ${phase} of ${chart} failed: ${run.stderr}`);
    return run.seconds;
  };
  return {
    install: await step("install", [chart, "--create-namespace", ...wait, ...flags]),
    upgrade: await step("upgrade", [chart, "--reuse-values", ...wait, "--set", change]),
    uninstall: await step("uninstall", []),
  };
}

function times(): Record<Phase, number[]> {
  return { install: [], upgrade: [], uninstall: [] };
}
