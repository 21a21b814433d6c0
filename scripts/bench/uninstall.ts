// `bench uninstall`: what our two hooks cost an install without objects, against a chart whose two hook Jobs do nothing.
// The runs alternate, so that a busy minute of the machine is in both.
import { crdObjects } from "#scripts/generate/crds.ts";
import { hookLines, type HelmVersion } from "#test/support/helm.ts";
import { releaseOf } from "#test/support/release.ts";
import type { Stage } from "#test/support/stage.ts";
import { median, rounded } from "./arithmetic.ts";
import { emptyChart } from "./empty-chart.ts";
import { type Ground, KEY, standIn } from "./ground.ts";
import type { Say } from "./say.ts";

export interface UninstallResult {
  readonly bench: "uninstall";
  readonly timed: string;
  readonly helm: HelmVersion;
  readonly runs: number;
  /** Seconds of each `helm uninstall`, and their medians. */
  readonly ours: readonly number[];
  readonly empty: readonly number[];
  readonly oursMedian: number;
  readonly emptyMedian: number;
  readonly difference: number;
}

const TIMED =
  "helm uninstall from start to end, the operator registered and without objects, against a chart of two hook Jobs of the " +
  "same image that run node -e 0";
const RELEASE = { name: "bench", namespace: "bench-release" };

export interface UninstallOptions {
  readonly runs: number;
  readonly helm: HelmVersion;
  /** The operator's image, by digest. */
  readonly image: string;
  readonly signal: AbortSignal;
}

export async function benchUninstall(
  ground: Ground,
  stage: Stage,
  options: UninstallOptions,
  say: Say,
): Promise<UninstallResult> {
  const { runs, helm, image, signal } = options;
  await using ngrok = await standIn(ground);
  await using chart = await emptyChart(image);
  const seconds = { ours: [] as number[], empty: [] as number[] };
  for (let run = 1; run <= runs; run += 1) {
    const mine = await ours(stage, ngrok.url, helm, signal);
    for (const line of mine.hookLines) say.line(`  ${line}`);
    seconds.ours.push(mine.seconds);
    seconds.empty.push(await empty(stage, chart.path, helm, signal));
    const nothing = seconds.empty.at(-1) ?? 0;
    say.line(`run ${run} of ${runs}: ours ${mine.seconds.toFixed(2)} s, empty Jobs ${nothing.toFixed(2)} s`);
  }
  // crds.keep is the default; the next bench wants a cluster without.
  await stage.kubectl.run([
    "delete",
    "crd",
    ...crdObjects().map(({ metadata }) => metadata.name),
    "--ignore-not-found",
  ]);
  const [oursMedian, emptyMedian] = [median(seconds.ours), median(seconds.empty)];
  return {
    bench: "uninstall",
    timed: TIMED,
    helm,
    runs,
    ours: seconds.ours.map(rounded),
    empty: seconds.empty.map(rounded),
    oursMedian: rounded(oursMedian),
    emptyMedian: rounded(emptyMedian),
    difference: rounded(oursMedian - emptyMedian),
  };
}

/** The seconds of one uninstall, and what the hooks said: how long the operator took to yield, and the drain. */
async function ours(
  stage: Stage,
  apiURL: string,
  helm: HelmVersion,
  signal: AbortSignal,
): Promise<{ seconds: number; hookLines: readonly string[] }> {
  const release = releaseOf(stage, { ...RELEASE, helm, apiURL, apiKey: KEY });
  const { code, stderr } = await release.install({ signal });
  if (code !== 0) throw new Error(`helm install failed: ${stderr}`);
  await release.ready();
  const end = await release.uninstall([], { signal });
  if (end.code !== 0) throw new Error(`helm uninstall failed: ${end.stderr}`);
  return { seconds: end.seconds, hookLines: hookLines(end) };
}

async function empty(stage: Stage, chart: string, helm: HelmVersion, signal: AbortSignal): Promise<number> {
  const at = ["--namespace", "bench-empty"];
  const begin = await stage.helm(helm, ["install", "empty", chart, ...at, "--create-namespace"], { signal });
  if (begin.code !== 0) throw new Error(`helm install of the empty chart failed: ${begin.stderr}`);
  const end = await stage.helm(helm, ["uninstall", "empty", ...at], { signal });
  if (end.code !== 0) throw new Error(`helm uninstall of the empty chart failed: ${end.stderr}`);
  return end.seconds;
}
