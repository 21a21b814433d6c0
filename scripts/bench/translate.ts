// `bench translate`: how long the translator takes for N Ingresses, and whether what it holds grows with them and no faster.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, rounded } from "./arithmetic.ts";
import type { Say } from "./say.ts";

export interface TranslateResult {
  readonly bench: "translate";
  readonly timed: string;
  readonly count: number;
  /** The first translation of a process, when nothing is compiled yet. */
  readonly coldSeconds: number;
  readonly medianSeconds: number;
  readonly endpoints: number;
  /** What one translation leaves, by the number of Ingresses. */
  readonly heapMB: Readonly<Record<string, number>>;
  readonly peakMB: Readonly<Record<string, number>>;
  /** Dearest over cheapest heap of an Ingress, less 1. */
  readonly spread: number;
}

/** What one process of translation/main.ts saw. */
export interface TranslateMeasure {
  readonly count: number;
  readonly seconds: readonly number[];
  readonly bytes: number;
  readonly peakBytes: number;
  readonly endpoints: number;
  readonly problems: number;
}

const TIMED =
  "from the objects as they are held to endpoints and Domains, index included; verbose Ingresses of three paths and their " +
  "Services; the heap is what one translation leaves after a collection, each count in a process of its own";
const RUNS = 7;
/** Ingresses by which memory is compared: the count itself, and up to ten times as many. */
const TIMES = [1, 3, 10];

export async function benchTranslate(count: number, say: Say): Promise<TranslateResult> {
  const measures: TranslateMeasure[] = [];
  for (const times of TIMES) {
    const many = count * times;
    measures.push(await say.step(`${many} Ingresses, ${RUNS} times`, async () => await measured(many)));
  }
  const [first] = measures;
  if (first === undefined) throw new Error("nothing was measured");
  const each = measures.map(({ bytes, count: many }) => bytes / many);
  return {
    bench: "translate",
    timed: TIMED,
    count,
    coldSeconds: rounded(first.seconds[0] ?? 0),
    medianSeconds: rounded(median(first.seconds)),
    endpoints: first.endpoints,
    heapMB: byCount(measures, ({ bytes }) => bytes),
    peakMB: byCount(measures, ({ peakBytes }) => peakBytes),
    spread: rounded(Math.max(...each) / Math.min(...each) - 1),
  };
}

async function measured(count: number): Promise<TranslateMeasure> {
  const script = join(import.meta.dirname, "translation/main.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, `${count}`, `${RUNS}`]);
  const measure = JSON.parse(stdout) as TranslateMeasure;
  // Each host and each of its three Services.
  if (measure.endpoints !== 4 * count || measure.problems > 0)
    throw new Error(`${count} Ingresses became ${measure.endpoints} endpoints and ${measure.problems} problems`);
  return measure;
}

function byCount(measures: readonly TranslateMeasure[], of: (one: TranslateMeasure) => number): Record<string, number> {
  return Object.fromEntries(measures.map((one) => [one.count, rounded(of(one) / 1e6)]));
}
