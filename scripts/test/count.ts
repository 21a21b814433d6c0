// How many tests passed and failed, read from what their runners print. Whatever ends badly counts as a failure, even
// when no test says so.

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** A program that has ended: its exit code, and the lines of its stdout. */
export interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The closing line of vitest (test/support/closing-line.ts), alone or at the end of a line of `check`. */
const CLOSING = /(\d+) passed, (\d+) failed, \d+ skipped/;
/** `check: ok    12.3 s  lint (oxlint)` */
const STEP = /^check: (ok|FAIL) +[\d.]+ s  ([^:]+)/;

export function ofVitest({ code, lines }: Ended): Count {
  return atLeastOneFailed(code, closingOf(lines));
}

/** Every step of the gate counts as one, its tests as what they are. */
export function ofCheck({ code, lines }: Ended): Count {
  const steps = lines.map((line) => STEP.exec(line)).filter((match) => match !== null);
  const others = steps.filter(([, , name]) => name !== "tests").map(([, result]) => result);
  const failed = others.filter((result) => result === "FAIL").length;
  return atLeastOneFailed(code, sumOf([closingOf(lines), { passed: others.length - failed, failed }]));
}

export function sumOf(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function closingOf(lines: readonly string[]): Count {
  const [, passed = 0, failed = 0] = lines.map((line) => CLOSING.exec(line)).findLast((match) => match !== null) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

function atLeastOneFailed(code: number, count: Count): Count {
  return code === 0 ? count : { ...count, failed: Math.max(count.failed, 1) };
}
