// The section "Every failure and its test" of docs/uninstall-matrix.md: each known failure in a sentence, with the tests
// that go red without its answer.
import type { KnownFailure } from "#test/failures.ts";
import type { NumberedTest } from "./numbered-tests.ts";

const FAMILIES = [
  { letter: "F", title: "Ways to get stuck or to lose data" },
  { letter: "W", title: "Weaknesses of a drain that asks others to help" },
  { letter: "E", title: "States from which an uninstall may start" },
] as const;

/** Lines of Markdown, the heading first. */
export function failuresSection(failures: readonly KnownFailure[], tests: readonly NumberedTest[]): string[] {
  return [
    "## Every failure and its test",
    "",
    "Each number is a way in which an uninstall can go wrong. The tests named beside it fail without the answer; they carry",
    "the number at the end of their names, so `vitest run -t 'F14\\b'` finds them.",
    ...FAMILIES.flatMap(({ letter, title }) => [
      "",
      `### ${letter}: ${title}`,
      "",
      "| | What goes wrong | Held by |",
      "|---|---|---|",
      ...failures.filter(({ id }) => id.startsWith(letter)).map((failure) => row(failure, tests)),
    ]),
  ];
}

function row({ id, what }: KnownFailure, tests: readonly NumberedTest[]): string {
  const held = tests.filter(({ numbers }) => numbers.includes(id)).map(({ path, name }) => `\`${path}\`: ${name}`);
  return `| ${[id, what, held.join("<br>")].map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** What is wrong with the registry, one sentence each: nothing when every number is explained and answered. */
export function registryFaults(failures: readonly KnownFailure[], tests: readonly NumberedTest[]): string[] {
  const known = new Set<string>(failures.map(({ id }) => id));
  const carried = new Set(tests.flatMap(({ numbers }) => numbers));
  return [
    ...[...carried].filter((id) => !known.has(id)).map((id) => `${id} is in a test's name, but nobody says what it is`),
    ...failures.filter(({ id }) => !carried.has(id)).map(({ id }) => `${id}: no test carries it`),
  ];
}
