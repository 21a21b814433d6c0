// The lines of a report, as drain/report.ts writes them, read back: pure.

export interface Kept {
  /** Lower case: `domain`. */
  readonly kind: string;
  readonly object: string;
  /** The remote id; null where none was recorded. */
  readonly id: string | null;
  /** Why it stayed, where the policy does not say it. */
  readonly why: string | null;
}

/** `domain shop/a rd_1: its reclaimPolicy is Retain` */
export function parseKept(line: string): Kept {
  const [, kind = "", object = "", id = null, why = null] =
    /^(\S+) ([^\s:]+)(?: ([^\s:]+))?(?:: (.*))?$/.exec(line) ?? [];
  return { kind, object, id, why };
}

/** How many pieces a report has, from `1 of 3`. */
export function piecesIn(piece: string | undefined): number {
  return Number(/ of (\d+)$/.exec(piece ?? "")?.[1] ?? 1);
}
