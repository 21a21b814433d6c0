// Each numbered decision about the uninstall is written down once, and the tests that it names are there.
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const pages = globSync("docs/decisions/*.md")
  .toSorted()
  .map((path) => ({ path, text: readFileSync(path, "utf8") }));

test("the seventeen decisions are each on one page", () => {
  const numbers = pages.flatMap(({ text }) => [...text.matchAll(/^## Decision (\d+): \S/gm)].map(([, n]) => Number(n)));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, n) => n + 1));
});

test("a decision says what, why, what was given up, and names a test", () => {
  for (const { path, text } of pages) {
    for (const section of text.split(/^## (?=Decision )/m).slice(1)) {
      for (const part of ["**What.**", "**Why.**", "**Given up.**", "**Held by.**\n- `"])
        expect(section, `${path}: ${section.split("\n")[0]}`).toContain(part);
    }
  }
});

test("every test that a page names is in the file that it names", () => {
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, file = "", title = ""]) => ({ path, file, title })),
  );
  expect(named.length).toBeGreaterThan(30);
  const lost = named.filter(({ file, title }) => !readFileSync(file, "utf8").replaceAll("\\'", "'").includes(title));
  expect(lost).toEqual([]);
});
