// How many tests passed and failed, read from what their runners print. Whatever ends badly counts as a failure, even
// when no test says so.

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** A program that has ended: its exit code, and the lines of its stdout and stderr. */
export interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The closing line of vitest (test/support/closing-line.ts), alone or at the end of a line of `check`. */
const CLOSING = /(\d+) passed, (\d+) failed, \d+ skipped/;
/** `check: ok    12.3 s  lint (oxlint)` */
const STEP = /^check: (ok|FAIL) +[\d.]+ s  ([^:]+)/;
const FAILED_STEP = /^check: FAIL +[\d.]+ s  (.+)$/;
/** ` FAIL  |unit| wire/http.test.ts > a call that hangs`, above each failure's story. */
const VITEST_FAILURE = /^ FAIL {2}(\|.+)$/;

export function ofVitest({ code, lines }: Ended): Count {
  // Who ends well without a word has run nothing.
  return atLeastOneFailed(lines.some((line) => CLOSING.test(line)) ? code : 1, closingOf(lines));
}

/** Every step of the gate counts as one, those that are tests as what they ran. */
export function ofCheck({ code, lines }: Ended): Count {
  const counts = lines.flatMap((line) => {
    const [, result, name] = STEP.exec(line) ?? [];
    if (result === undefined) return [];
    if (name === "tests") return [closingOf([line])];
    return [result === "FAIL" ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 }];
  });
  return atLeastOneFailed(code, sumOf(counts));
}

export function sumOf(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** What failed, by name: vitest's tests, and steps of the gate. */
export function failuresIn(lines: readonly string[]): readonly string[] {
  const names = lines.flatMap((line) => {
    const [, name] = VITEST_FAILURE.exec(line) ?? [];
    const [, step] = FAILED_STEP.exec(line) ?? [];
    return name ?? step ?? [];
  });
  return [...new Set(names)];
}

function closingOf(lines: readonly string[]): Count {
  const [, passed = 0, failed = 0] = lines.map((line) => CLOSING.exec(line)).findLast((match) => match !== null) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

function atLeastOneFailed(code: number, count: Count): Count {
  return code === 0 ? count : { ...count, failed: Math.max(count.failed, 1) };
}
