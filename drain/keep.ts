// The report of a drain: ConfigMaps `<fullname>-drain-report[-n]` with what stays at ngrok and what was removed, by name and
// remote id. All runs of one drain write one report; that of an earlier install goes.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { namesOf, type Release, reportPieces } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { ConfigMap, type ConfigMapObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { FenceLost, isClass } from "#wire/errors.ts";
import type { Hands } from "./hands.ts";
import { type Report, unansweredTold } from "./report.ts";
import { parseState, stateRef } from "./state.ts";
import { countsIn, cut, merged, piecesIn, type Told, toldIn } from "./told.ts";

/** An object holds a little over a million bytes; names and ids are ASCII. */
const PIECE_CHARACTERS = 900_000;

/** A drain that goes on writes its report this often, */
const EVERY_MS = 2_000;
/** or so many times what the last writing took, if that is more: a report of 50,000 lines is megabytes. */
const COSTS = 50;

/** What earlier runs of the same drain have told, and whether a report of an earlier drain lies there. */
interface Earlier {
  readonly drain: string;
  readonly told: Told;
  readonly stale: boolean;
}

/** Keeps the report of one run in its ConfigMaps, so that a run which is killed has told of what it freed. */
export class ReportKeeper {
  readonly #hands: Hands;
  readonly #release: Release;
  readonly #policy: () => DrainPolicy;
  #earlier: Earlier | undefined;

  constructor(hands: Hands, release: Release, policy: () => DrainPolicy) {
    this.#hands = hands;
    this.#release = release;
    this.#policy = policy;
  }

  /** Writes it every so often while the run goes on. Ends with `over`, once what was being written is written, and with the fence. */
  async keepMeanwhile(report: Report, over: AbortSignal, signal: AbortSignal): Promise<void> {
    const { clock } = this.#hands;
    let [wait, told] = [EVERY_MS, 0];
    try {
      for (;;) {
        await clock.sleep(wait, over);
        const lines = report.kept.length + report.removed.length;
        if (lines === told) continue;
        const began = clock.now();
        if (await this.keep(report, signal)) told = lines;
        wait = Math.max(EVERY_MS, COSTS * (clock.now() - began));
      }
    } catch (error) {
      // Who goes on beside it hears of the same.
      if (!over.aborted && !signal.aborted && !(error instanceof FenceLost)) throw error;
    }
  }

  /**
   * Writes the report, or goes on with that of earlier runs of the same drain. Each line names an object, its remote id, and
   * why it stayed where the policy does not say it. False when it could not be written (a namespace that is going takes no
   * new objects): the drain is done all the same, and the lines must then name what was kept. Throws FenceLost or the
   * signal's reason.
   */
  async keep(report: Report, signal: AbortSignal): Promise<boolean> {
    const { kept, removed } = unansweredTold(report);
    const now: Told = { kept: [...report.kept, ...kept], removed: [...report.removed, ...removed] };
    try {
      const { drain, told, stale } = (this.#earlier ??= await this.#read(signal));
      if (isEmpty(now)) {
        if (stale) await removeFrom(0, this.#hands, this.#release, signal);
        return true;
      }
      const all = isEmpty(told) ? now : merged(told, now);
      await writeReport(this.#hands, this.#release, this.#policy(), drain, all, signal);
      return true;
    } catch (error) {
      if (signal.aborted || error instanceof FenceLost) throw error;
      return false;
    }
  }

  async #read(signal: AbortSignal): Promise<Earlier> {
    const { read } = this.#hands;
    const state = parseState(await read.get(ConfigMap, stateRef(this.#release), signal));
    const before = await readReport(read, this.#release, signal);
    // Without a state (cleanup, a namespace that goes) there is no telling: it is taken for the drain that reported last.
    const drain = "since" in state ? state.since : before?.drain;
    const isSame = before?.drain === drain;
    const told = before !== undefined && isSame ? before.told : { kept: [], removed: [] };
    return { drain: drain ?? "", told, stale: !isSame && before !== undefined };
  }
}

function isEmpty({ kept, removed }: Told): boolean {
  return kept.length + removed.length === 0;
}

export interface KeptReport {
  readonly policy: string;
  /** RFC 3339: of the last run that wrote it. */
  readonly at: string;
  /** By the instant of its mark; "" when nobody knew. */
  readonly drain: string;
  readonly told: Told;
  /** Whether every piece is there and nothing had to be left out. */
  readonly complete: boolean;
  /** Lines that did not fit into all pieces. */
  readonly omitted: number;
}

/** The report of the last drain; undefined when there is none. */
export async function readReport(read: Reader, release: Release, signal: AbortSignal): Promise<KeptReport | undefined> {
  const pieces: Record<string, string>[] = [];
  for (let n = 0, last = 1; n < last; n += 1) {
    const object = await pieceAt(n, read, release, signal);
    if (object?.data === undefined) break;
    pieces.push(object.data);
    last = piecesIn(object.data);
  }
  const [first] = pieces;
  if (first === undefined) return undefined;
  const omitted = Number(first["omitted"] ?? 0);
  const whole = pieces.length === piecesIn(first) && pieces.every(({ at }) => at === first["at"]);
  return {
    policy: first["policy"] ?? "",
    at: first["at"] ?? "",
    drain: first["drain"] ?? "",
    told: {
      kept: pieces.flatMap((data) => toldIn(data).kept),
      removed: pieces.flatMap((data) => toldIn(data).removed),
    },
    complete: whole && omitted === 0,
    omitted,
  };
}

/**
 * Whether a drain has said Retain where it outlives the drain state, which goes with the release: on the KubernetesOperator,
 * and when that is gone in the report. One of an earlier install may say it too: who is in doubt keeps.
 */
export async function toldRetain(read: Reader, release: Release, signal: AbortSignal): Promise<boolean> {
  const operator = await read.get(KubernetesOperator, { name: release.name, namespace: release.namespace }, signal);
  if (operator?.status?.drain?.policy !== undefined) return operator.status.drain.policy === "Retain";
  return (await pieceAt(0, read, release, signal))?.data?.["policy"] === "Retain";
}

/** Takes away the pieces of a longer report that a shorter one has replaced; normally there are none. */
export async function dropStalePieces(hands: Hands, release: Release, signal: AbortSignal): Promise<void> {
  const first = await pieceAt(0, hands.read, release, signal);
  await removeFrom(first?.data === undefined ? 0 : piecesIn(first.data), hands, release, signal);
}

async function writeReport(
  hands: Hands,
  release: Release,
  policy: DrainPolicy,
  drain: string,
  told: Told,
  signal: AbortSignal,
): Promise<void> {
  const { pieces, omitted } = cut(told, PIECE_CHARACTERS, reportPieces.length);
  const at = hands.clock.date().toISOString();
  for (const [index, { kept, removed }] of pieces.entries()) {
    const data = {
      release: `${release.namespace}/${release.name}`,
      policy,
      drain,
      at,
      summary: `kept ${countsIn(told.kept)}; removed ${countsIn(told.removed)}`,
      piece: `${index + 1} of ${pieces.length}`,
      ...(omitted === 0 ? {} : { omitted: String(omitted) }),
      kept: kept.join("\n"),
      removed: removed.join("\n"),
    };
    await writePiece(hands, refOf(index, release), data, signal);
  }
  await removeFrom(pieces.length, hands, release, signal);
}

async function writePiece(
  hands: Hands,
  at: ReturnType<typeof refOf>,
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const labels = { "app.kubernetes.io/managed-by": "ngrok-operator", "app.kubernetes.io/component": "drain-report" };
  const object: ConfigMapObject = { metadata: { ...at, labels }, data };
  try {
    await hands.write.create(ConfigMap, object, signal);
  } catch (error) {
    if (!isClass(error, "conflict")) throw error;
    const before = await hands.read.get(ConfigMap, at, signal);
    const whole = [{ op: "add", path: "/data", value: data }] as const;
    await hands.write.patch(ConfigMap, at, before?.metadata.uid ?? "", whole, signal);
  }
}

/** Deletes the pieces from `index` on, the last one first, so that those that are there always follow one another. */
async function removeFrom(index: number, hands: Hands, release: Release, signal: AbortSignal): Promise<void> {
  const found: ConfigMapObject[] = [];
  for (let n = index; n < reportPieces.length; n += 1) {
    const object = await pieceAt(n, hands.read, release, signal);
    if (object === undefined) break;
    found.push(object);
  }
  for (const { metadata } of found.toReversed())
    await hands.write.remove({ kind: ConfigMap, ref: metadata, uid: metadata.uid ?? "" }, signal);
}

async function pieceAt(
  index: number,
  read: Reader,
  release: Release,
  signal: AbortSignal,
): Promise<ConfigMapObject | undefined> {
  return index < reportPieces.length ? await read.get(ConfigMap, refOf(index, release), signal) : undefined;
}

function refOf(index: number, release: Release): { name: string; namespace: string } {
  const key = reportPieces[index];
  if (key === undefined) throw new Error(`a report has no piece ${index + 1}`);
  return { name: namesOf(release)[key], namespace: release.namespace };
}
