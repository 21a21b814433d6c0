// The section "The matrix" of docs/uninstall-matrix.md: each scenario in a sentence, and how it ended under each Helm and
// policy when it was last recorded.
import { allCases, type Case } from "#test/faults/cases.ts";
import type { Scenario } from "#test/faults/scenario.ts";

/** How cases ended, by their ids: docs/uninstall-matrix.json. */
export type Recorded = Readonly<Record<string, { readonly ended: string }>>;

const COLUMNS = [true, false].flatMap((keep) =>
  (["Retain", "Delete"] as const).flatMap((policy) => ([3, 4] as const).map((helm) => ({ helm, policy, keep }))),
);

/** Lines of Markdown, the heading first. */
export function matrixSection(scenarios: readonly Scenario[], recorded: Recorded): string[] {
  const cases = allCases(scenarios);
  const notes = scenarios.filter(({ leftOut, mute }) => leftOut !== undefined || mute !== undefined);
  const done = cases.filter(({ id }) => recorded[id] !== undefined).length;
  return [
    "## The matrix",
    "",
    `${scenarios.length} scenarios, ${cases.length} cases, ${done} of them recorded as passed (\`npm run test:faults\`). A cell is how`,
    "the same `helm uninstall` ended: `0` at once with nothing left, or `1, then 0`: first with the object, the reason and the",
    "next command, and after that command with nothing left. In every case nothing was lost at ngrok under Retain, no finalizer",
    "went under Delete before ngrok had answered for its object, and nobody wrote after having lost the Lease; agents and the",
    "forwarder wrote statuses alone, every tunnel was closed in the end, and each of the users' Ingresses, Gateways and Services",
    "was what its author wrote. (A revision that somebody made in mid-drain stays listed by Helm until the same command again,",
    "which those scenarios type.) `–` is not run, for the reason below the table or because the CRDs make no difference there;",
    "an empty cell has not been recorded; behind a `*` the product has changed since, the scenario has not.",
    "",
    `| Scenario | ${COLUMNS.map(headOf).join(" | ")} |`,
    `|---|${COLUMNS.map(() => "---|").join("")}`,
    ...scenarios.map((scenario) => row(scenario, cases, recorded, notes)),
    ...notes.flatMap((scenario, at) => ["", `<sup>${at + 1}</sup> ${noteOf(scenario)}`]),
  ];
}

function headOf({ helm, policy, keep }: Case["run"]): string {
  return `Helm ${helm} ${policy}${keep ? "" : ", CRDs go"}`;
}

function row(scenario: Scenario, cases: readonly Case[], recorded: Recorded, notes: readonly Scenario[]): string {
  const cells = COLUMNS.map(({ helm, policy, keep }) => {
    const found = cases.find(
      ({ scenario: { name }, run }) =>
        name === scenario.name && run.helm === helm && run.policy === policy && run.keep === keep,
    );
    return found === undefined ? "–" : (recorded[found.id]?.ended ?? "");
  });
  const note = notes.includes(scenario) ? ` <sup>${notes.indexOf(scenario) + 1}</sup>` : "";
  const first = `**${scenario.name}**: ${scenario.sentence}${note}`.replaceAll("|", "\\|");
  return `| ${[first, ...cells].join(" | ")} |`;
}

function noteOf({ name, leftOut, mute }: Scenario): string {
  return [`${name}:`, leftOut, mute].filter((part) => part !== undefined).join(" ");
}
