// What a release changes, read from CHANGELOG.md as keepachangelog.com has it, for Artifact Hub and for the check that a
// release has been written about.

/** As Artifact Hub calls them. */
const KINDS = ["added", "changed", "deprecated", "removed", "fixed", "security"] as const;

export interface Change {
  readonly kind: (typeof KINDS)[number];
  readonly description: string;
}

export interface Section {
  /** As written: a date, or `unreleased`. */
  readonly date: string;
  readonly changes: readonly Change[];
}

/** The section of `version`; throws when there is none, or one that says nothing. */
export function sectionOf(changelog: string, version: string): Section {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`${version} - `));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version} - DATE": write one`);
  const [title = "", ...lines] = section.split("\n");
  const changes = lines
    .join("\n")
    .split(/^### /m)
    .slice(1)
    .flatMap((part) => changesOf(part));
  if (changes.length === 0) throw new Error(`CHANGELOG.md says nothing under ${version}`);
  return { date: title.slice(version.length + 3).trim(), changes };
}

function changesOf(part: string): Change[] {
  const [title = "", ...lines] = part.split("\n");
  const kind = KINDS.find((known) => known === title.trim().toLowerCase());
  if (kind === undefined) throw new Error(`CHANGELOG.md: "### ${title}" is none of ${KINDS.join(", ")}`);
  return lines
    .join("\n")
    .split(/^- /m)
    .slice(1)
    .map((text) => ({ kind, description: text.trim().replaceAll(/\s*\n\s*/g, " ") }));
}
