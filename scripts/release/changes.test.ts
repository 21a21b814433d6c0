// The changelog as people write it, and what a release reads from it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "#api/version.ts";
import { TOP } from "#scripts/images/build-images.ts";
import { sectionOf } from "./changes.ts";

const CHANGELOG = `# Changelog

Words.

## 0.2.0 - unreleased

### Added

- One thing, which takes
  two lines.
- Another.

### Security

- A hole.

## 0.1.0 - 2026-01-02

### Fixed

- Old.
`;

test("each line of the version's section is a change, of the kind of its heading", () => {
  expect(sectionOf(CHANGELOG, "0.2.0")).toEqual({
    date: "unreleased",
    changes: [
      { kind: "added", description: "One thing, which takes two lines." },
      { kind: "added", description: "Another." },
      { kind: "security", description: "A hole." },
    ],
  });
  expect(sectionOf(CHANGELOG, "0.1.0")).toEqual({
    date: "2026-01-02",
    changes: [{ kind: "fixed", description: "Old." }],
  });
});

test("a version that nobody has written about, and a heading of nobody's, are refused", () => {
  expect(() => sectionOf(CHANGELOG, "0.3.0")).toThrow('no section "## 0.3.0 - DATE"');
  expect(() => sectionOf("## 1.0.0 - now\n\nwords\n", "1.0.0")).toThrow("says nothing under 1.0.0");
  expect(() => sectionOf("## 1.0.0 - now\n\n### New\n\n- x\n", "1.0.0")).toThrow('"### New" is none of added,');
});

test("our own changelog has a section for this version", async () => {
  const section = sectionOf(await readFile(join(TOP, "CHANGELOG.md"), "utf8"), VERSION);
  expect(section.changes.length).toBeGreaterThan(5);
});
