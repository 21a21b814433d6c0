// The lines of a report as they lie in its ConfigMaps: gathered over the runs of one drain, cut into pieces that each fit
// into one object, and read back. Pure.

/** Lines such as `domain shop/a rd_1: its reclaimPolicy is Retain`: object, remote id, and why where it is not plain. */
export interface Told {
  /** What stays at ngrok. */
  readonly kept: readonly string[];
  /** What was deleted, in the cluster or at ngrok. */
  readonly removed: readonly string[];
}

/** One line, read back. */
export interface ToldObject {
  /** Lower case: `domain`. */
  readonly kind: string;
  /** `<namespace>/<name>`, or a name. */
  readonly object: string;
  /** The remote id, or a reserved address that nobody looked up there; null where none was recorded. */
  readonly id: string | null;
  /** Why it stayed, or what else there is to say; null where the policy says it. */
  readonly why: string | null;
}

/** `domain shop/a rd_1: its reclaimPolicy is Retain` */
export function parseTold(line: string): ToldObject {
  const [, kind = "", object = "", id = null, why = null] =
    /^(\S+) ([^\s:]+)(?: ((?:[^\s:]|:\S)+))?(?:: (.*))?$/.exec(line) ?? [];
  return { kind, object, id, why };
}

/** What earlier runs told and what this one tells: of one object the last word counts. */
export function merged(before: Told, now: Told): Told {
  const lines = new Map<string, readonly ["kept" | "removed", string]>();
  for (const { kept, removed } of [before, now]) {
    for (const line of kept) lines.set(objectOf(line), ["kept", line]);
    for (const line of removed) lines.set(objectOf(line), ["removed", line]);
  }
  const of = (which: "kept" | "removed") =>
    [...lines.values()].filter(([one]) => one === which).map(([, line]) => line);
  return { kept: of("kept"), removed: of("removed") };
}

function objectOf(line: string): string {
  const { kind, object } = parseTold(line);
  return `${kind} ${object}`;
}

/** Cuts into at most `most` pieces of at most `size` characters; what does not fit is only counted. */
export function cut({ kept, removed }: Told, size: number, most: number): { pieces: Told[]; omitted: number } {
  const pieces: { kept: string[]; removed: string[] }[] = [];
  let [room, omitted] = [0, 0];
  const put = (which: "kept" | "removed", line: string): void => {
    if (pieces.length === 0 || room < line.length + 1) {
      if (pieces.length === most) {
        omitted += 1;
        return;
      }
      pieces.push({ kept: [], removed: [] });
      room = size;
    }
    pieces.at(-1)?.[which].push(line);
    room -= line.length + 1;
  };
  for (const line of kept) put("kept", line);
  for (const line of removed) put("removed", line);
  return { pieces, omitted };
}

/** `domain 30, cloudendpoint 60`, or "nothing". */
export function countsIn(lines: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const kind = line.slice(0, line.indexOf(" "));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts.size === 0 ? "nothing" : [...counts].map(([kind, n]) => `${kind} ${n}`).join(", ");
}

/** The lines of one piece's data. */
export function toldIn(data: Readonly<Record<string, string>>): Told {
  const lines = (text = ""): string[] => text.split("\n").filter(Boolean);
  return { kept: lines(data["kept"]), removed: lines(data["removed"]) };
}

/** How many pieces a report has, from `1 of 3`. */
export function piecesIn(data: Readonly<Record<string, string>>): number {
  return Number(/ of (\d+)$/.exec(data["piece"] ?? "")?.[1] ?? 1);
}
