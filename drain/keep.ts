// The report of what stays at ngrok: ConfigMaps `<fullname>-drain-report[-n]`, in pieces that each fit into one object.
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { FenceLost, isClass } from "#wire/errors.ts";
import type { Hands } from "./hands.ts";
import { countsOf, type Report } from "./report.ts";

/** An object holds a little over a million bytes; names and ids are ASCII. */
const PIECE_CHARACTERS = 700_000;

/**
 * Writes or renews the report, when there is anything to report. Each line names an object, its remote id, and why it
 * stayed where the policy does not say it. False when it could not be written (a namespace that is going takes no new
 * objects): the drain is done all the same, and the lines must then name what was kept.
 */
export async function keepReport(
  hands: Hands,
  release: Release,
  policy: DrainPolicy,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  if (report.kept.length === 0) return true;
  try {
    await writeReport(hands, release, policy, report, signal);
    return true;
  } catch (error) {
    if (signal.aborted || error instanceof FenceLost) throw error;
    return false;
  }
}

async function writeReport(
  hands: Hands,
  release: Release,
  policy: DrainPolicy,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const pieces = piecesOf(report.kept);
  for (const [index, kept] of pieces.entries()) {
    const data = {
      release: `${release.namespace}/${release.name}`,
      policy,
      summary: countsOf(report.keptByKind),
      at: hands.clock.date().toISOString(),
      piece: `${index + 1} of ${pieces.length}`,
      kept,
    };
    await writePiece(hands, release, index, data, signal);
  }
}

async function writePiece(
  hands: Hands,
  release: Release,
  index: number,
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const base = namesOf(release).report;
  const name = index === 0 ? base : `${base}-${index + 1}`;
  const object: KubeObject & { data: Record<string, string> } = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace: release.namespace,
      labels: { "app.kubernetes.io/managed-by": "ngrok-operator", "app.kubernetes.io/component": "drain-report" },
    },
    data,
  };
  try {
    await hands.write.create(ConfigMap, object, signal);
  } catch (error) {
    if (!isClass(error, "conflict")) throw error;
    const before = await hands.read.get(ConfigMap, { name, namespace: release.namespace }, signal);
    await hands.write.patch(
      ConfigMap,
      { name, namespace: release.namespace },
      before?.metadata.uid ?? "",
      [{ op: "add", path: "/data", value: data }],
      signal,
    );
  }
}

function piecesOf(lines: readonly string[]): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let size = 0;
  for (const line of lines) {
    if (size + line.length > PIECE_CHARACTERS) {
      pieces.push(piece.join("\n"));
      piece = [];
      size = 0;
    }
    piece.push(line);
    size += line.length + 1;
  }
  return [...pieces, piece.join("\n")];
}
