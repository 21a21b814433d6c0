// `bench uninstall`: what our two hooks cost an install without objects, against a chart whose two hook Jobs do nothing.
// The runs alternate, so that a busy minute of the machine is in both.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { crdObjects } from "#scripts/generate/crds.ts";
import { hookLines, type HelmVersion } from "#test/support/helm.ts";
import { releaseOf } from "#test/support/release.ts";
import type { Stage } from "#test/support/stage.ts";
import { median, rounded } from "./arithmetic.ts";
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
  const chart = await emptyChart(image);
  const seconds = { ours: [] as number[], empty: [] as number[] };
  try {
    for (let run = 1; run <= runs; run += 1) {
      const mine = await ours(stage, ngrok.url, helm, signal);
      for (const line of mine.hookLines) say.line(`  ${line}`);
      seconds.ours.push(mine.seconds);
      seconds.empty.push(await empty(stage, chart, helm, signal));
      const nothing = seconds.empty.at(-1) ?? 0;
      say.line(`run ${run} of ${runs}: ours ${mine.seconds.toFixed(2)} s, empty Jobs ${nothing.toFixed(2)} s`);
    }
  } finally {
    await rm(chart, { recursive: true, force: true });
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

/** A chart of two hook Jobs that do nothing, in a folder that the caller removes. */
async function emptyChart(image: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-chart-"));
  await mkdir(join(folder, "templates"));
  await writeFile(join(folder, "Chart.yaml"), stringify({ apiVersion: "v2", name: "empty", version: "0.1.0" }));
  const jobs = ["pre-delete", "post-delete"].map((phase) => stringify(jobOf(phase, image))).join("---\n");
  await writeFile(join(folder, "templates/jobs.yaml"), jobs);
  return folder;
}

/** As ours, but for what it does: the same annotations, resources and rules of the pod. */
function jobOf(phase: string, image: string): object {
  const annotations = {
    "helm.sh/hook": phase,
    "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    "helm.sh/hook-output-log-policy": "hook-succeeded,hook-failed",
  };
  const container = {
    name: "nothing",
    image,
    command: ["/usr/local/bin/node", "-e", "0"],
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "2", memory: "512Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
  const securityContext = {
    runAsNonRoot: true,
    runAsUser: 65_532,
    runAsGroup: 65_532,
    seccompProfile: { type: "RuntimeDefault" },
  };
  const template = { spec: { restartPolicy: "Never", securityContext, containers: [container] } };
  const metadata = { name: `empty-${phase}`, annotations };
  return { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: 0, template } };
}
