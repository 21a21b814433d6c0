// `npm run check`, the one gate that needs neither root nor a cluster: everything generated is current, types, lint,
// format, unused code, the tests of the tiers that need no process, and the chart under its own tools. Two steps run at
// a time; all of them run, whatever fails.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { binaries, checkTools, promtool, testTools } from "#tools/binaries.ts";
import { openApiDocuments } from "#tools/openapi.ts";

const TOP = join(import.meta.dirname, "..");
const AT_A_TIME = 2;

interface Step {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Whether it calls Helm, its tools or a checker, which are built on a fresh machine: those steps come last. */
  readonly helm?: true;
}

const values = ["chart/ci", "test/chart/values"].flatMap((folder) =>
  readdirSync(join(TOP, folder)).map((file) => `${folder}/${file}`),
);

const workflows = readdirSync(join(TOP, ".github/workflows")).map((file) => `.github/workflows/${file}`);

/** First what needs nothing built, beside the builds; of each sort the longest first, since it decides when all is done. */
const steps: readonly Step[] = [
  tests("unit", "architecture"),
  { name: "types (tsc)", program: "tsc", args: [] },
  { name: "lint (oxlint)", program: "oxlint", args: [] },
  { name: "generated files", program: "node", args: ["scripts/generate/main.ts", "--check"] },
  { name: "format (oxfmt)", program: "oxfmt", args: ["--check"] },
  { name: "unused code (knip)", program: "knip", args: [] },
  { ...tests("chart"), helm: true },
  {
    name: "chart: helm lint, by both Helms",
    program: "sh",
    args: [
      "-ec",
      'for file; do for helm in helm3 helm4; do $helm lint --strict --quiet chart --values "$file"; done; done',
      "sh",
      ...values,
    ],
    helm: true,
  },
  {
    name: "chart: helm-unittest",
    program: "helm-unittest",
    args: ["--strict", "--file", "tests/**/*_test.yaml", "chart"],
    helm: true,
  },
  {
    name: "workflows: actionlint",
    program: "actionlint",
    // Without the linters of other languages, which it would call where the machine has them.
    args: ["-shellcheck=", "-pyflakes=", ...workflows],
    helm: true,
  },
  { name: "chart: ct lint", program: "ct", args: ["lint", "--config", "ct.yaml", "--all"], helm: true },
];

const began = Date.now();
const tell = (line: string): void => console.log(`check: ${line}`);
tell(`${steps.length} steps`);
const tools = toolFolders();
tools.catch(() => {}); // told by each step that needs them

const queue = [...steps];
const failed: string[] = [];
await Promise.all(Array.from({ length: AT_A_TIME }, work));

for (const output of failed) console.error(`\n${output}`);
console.log(`check: ${steps.length - failed.length} passed, ${failed.length} failed in ${seconds(began)}`);
process.exit(failed.length === 0 ? 0 : 1);

function tests(...projects: readonly string[]): Step {
  const args = ["run", ...projects.flatMap((project) => ["--project", project])];
  return { name: `tests: ${projects.join(", ")}`, program: "vitest", args };
}

async function work(): Promise<void> {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const folders = step.helm === undefined ? [] : await tools.catch((error: Error) => error);
    const since = Date.now();
    const { code, output } =
      folders instanceof Error ? { code: 1, output: folders.message } : await run(step, [...folders]);
    const summary = /^\d+ passed, .*$/m.exec(output)?.[0] ?? "";
    tell(`${code === 0 ? "ok  " : "FAIL"} ${seconds(since).padStart(7)}  ${step.name}${summary && `: ${summary}`}`);
    if (code !== 0) failed.push(`---- ${step.name}: ${step.program} ${step.args.join(" ")}\n${output.trimEnd()}`);
  }
}

/** Folders for PATH: Helm, what only the tests need, and checkers. Built when they are not there, which is told. */
async function toolFolders(): Promise<readonly string[]> {
  const helm = await binaries(tell);
  const { bin } = await testTools(tell);
  // Here, where no test's time runs. One computes while the other downloads.
  const [checkers] = await Promise.all([checkTools(tell), openApiDocuments(tell)]);
  // One file of tests alone waits for this one, by itself, and says so if it fails; meanwhile all else runs.
  promtool(tell).catch(() => {});
  return [bin, checkers, helm];
}

function run(step: Step, folders: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    const path = [join(TOP, "node_modules", ".bin"), ...folders, process.env["PATH"] ?? ""].join(delimiter);
    const child = spawn(step.program, step.args, {
      cwd: TOP,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: path, NO_COLOR: "1" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
    child.once("error", (error) => done({ code: 1, output: `${step.program} does not start: ${error.message}` }));
    child.once("close", (code) => done({ code: code ?? 1, output }));
  });
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
