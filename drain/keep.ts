// The report of a drain: ConfigMaps `<fullname>-drain-report[-n]` with what stays at ngrok and what was removed, by name and
// remote id. All runs of one drain write one report; that of an earlier install goes.
import { namesOf, type Release, reportPieces } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { ConfigMap, type ConfigMapObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { FenceLost, isClass } from "#wire/errors.ts";
import type { Hands } from "./hands.ts";
import { type Report, unansweredKept } from "./report.ts";
import { parseState, stateRef } from "./state.ts";
import { countsIn, cut, merged, piecesIn, type Told, toldIn } from "./told.ts";

/** An object holds a little over a million bytes; names and ids are ASCII. */
const PIECE_CHARACTERS = 900_000;

/**
 * Writes the report, or goes on with that of earlier runs of the same drain. Each line names an object, its remote id, and
 * why it stayed where the policy does not say it. False when it could not be written (a namespace that is going takes no
 * new objects): the drain is done all the same, and the lines must then name what was kept.
 */
export async function keepReport(
  hands: Hands,
  release: Release,
  policy: DrainPolicy,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const now: Told = { kept: [...report.kept, ...unansweredKept(report)], removed: report.removed };
  try {
    const state = parseState(await hands.read.get(ConfigMap, stateRef(release), signal));
    // Without a state (cleanup, a namespace that goes) there is no telling: it is taken for the drain that reported last.
    const drain = "since" in state ? state.since : undefined;
    const before = await readReport(hands.read, release, signal);
    const same = drain === undefined || before?.drain === drain;
    const isNew = now.kept.length + now.removed.length > 0;
    if (before !== undefined && !same && !isNew) await removeFrom(0, hands, release, signal);
    if (!isNew) return true;
    const told = before !== undefined && same ? merged(before.told, now) : now;
    await writeReport(hands, release, policy, drain ?? before?.drain ?? "", told, signal);
    return true;
  } catch (error) {
    if (signal.aborted || error instanceof FenceLost) throw error;
    return false;
  }
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
