// Rules for the templates as texts, and that each is tested.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ownKinds } from "#api/own-kinds.ts";
import { CHART, objects } from "./helm.ts";

const templates = globSync("templates/**/*", { cwd: CHART }).filter((path) => /\.(yaml|tpl|txt)$/.test(path));
const suites = globSync("tests/*_test.yaml", { cwd: CHART }).map((path): Suite =>
  parse(readFileSync(join(CHART, path), "utf8")),
);

test("every template has a suite of helm-unittest", () => {
  const tested = suites.flatMap(templatesOf);
  expect(templates.filter((path) => !path.endsWith(".tpl") && !tested.includes(path))).toEqual([]);
});

test("what a template asks for is set in a suite of its own: the default is one side of each if, the suite the other", () => {
  const unset = templates
    .filter((path) => !path.endsWith(".tpl"))
    .flatMap((path) => {
      const own = suites.filter((suite) => templatesOf(suite).includes(path)).flatMap(setIn);
      return askedFor(path)
        .filter((value) => !own.some((name) => name === value || name.startsWith(`${value}.`)))
        .map((value) => `${path}: ${value}`);
    });
  expect(unset).toEqual([]);
});

test("what the shared parts of templates ask for is set in some suite", () => {
  const all = suites.flatMap(setIn);
  const parts = templates.filter((path) => path.endsWith(".tpl"));
  const asked = parts.flatMap((path) => askedFor(path).map((value) => ({ path, value })));
  expect(asked.length).toBeGreaterThan(30);
  const unset = asked.filter(({ value }) => !all.some((name) => name === value || name.startsWith(`${value}.`)));
  expect(unset).toEqual([]);
});

test("nothing is random, dated or looked up, but CRDs that would go, who had rights to see them, who binds beside us, whether Helm sees a cluster, and what NOTES counts", () => {
  const found = templates.flatMap((path) =>
    readFileSync(join(CHART, path), "utf8")
      .split("\n")
      .filter((line) => /\{\{.*\b(lookup|rand[A-Z]\w*|genCA|genSelf\w*|gen\w+Cert|now|htpasswd|uuidv4)\b/.test(line))
      .map(() => path),
  );
  expect(found.toSorted()).toEqual([...Array(5).fill("templates/_checks.tpl"), "templates/_counts.tpl"]);
});

test("each of our kinds is guarded, and looked for before its CRD would go", () => {
  const names = readFileSync(join(CHART, "templates/_names.tpl"), "utf8");
  for (const { plural, group } of ownKinds) expect(names).toContain(`"${plural}.${group}"`);
});

test("the chart's versions are the package's", () => {
  const chart = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"));
  const { version } = JSON.parse(readFileSync(join(CHART, "..", "package.json"), "utf8"));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

test("people get an editor and a viewer role for each of our kinds", async () => {
  const names = (await objects()).filter(({ kind }) => kind === "ClusterRole").map(({ metadata }) => metadata.name);
  for (const { singular, plural, group } of ownKinds) {
    expect(names).toContain(`edge-ngrok-operator-${singular}-editor-role`);
    expect(names).toContain(`edge-ngrok-operator-${singular}-viewer-role`);
    expect(readFileSync(join(CHART, "templates/crd-access-roles.yaml"), "utf8")).toContain(
      `"${singular}" "${group}/${plural}"`,
    );
  }
});

interface Suite {
  readonly templates: readonly string[];
  readonly set?: Readonly<Record<string, unknown>>;
  readonly tests: readonly { readonly set?: Readonly<Record<string, unknown>> }[];
}

function templatesOf({ templates: paths }: Suite): string[] {
  return paths.map((path) => `templates/${path.replace(/^templates\//, "")}`);
}

/** The values that decide in a template: those of its conditions and loops. */
function askedFor(path: string): string[] {
  const conditions = readFileSync(join(CHART, path), "utf8").matchAll(/\{\{-? (?:if|else if|with|range) (.*?)-?\}\}/g);
  const names = [...conditions].flatMap(([, condition = ""]) => [...condition.matchAll(/\.Values\)?\.([\w.]+)/g)]);
  return [...new Set(names.map(([, name = ""]) => name))];
}

/** The values that a suite sets, and the groups that they are in. */
function setIn({ set = {}, tests }: Suite): string[] {
  return [{ set }, ...tests].flatMap((one) =>
    Object.entries(one.set ?? {}).flatMap(([name, value]) => within(name, value)),
  );
}

function within(name: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [name];
  return [name, ...Object.entries(value).flatMap(([key, inner]) => within(`${name}.${key}`, inner))];
}
