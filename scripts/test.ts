// `npm test`: the gate `check` and every tier of tests, or one part of them. The last line is `N passed, N failed`, the sum
// over all; what could not run on this machine is said first and last.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { requirements, unmet } from "#tools/cluster/embedded/requirements.ts";

const TOP = join(import.meta.dirname, "..");
/** How many tests the tier e2e must have run on CI: fewer means that some were lost. */
const EXPECTED_E2E = Number(readFileSync(join(TOP, "test/e2e/expected-count"), "utf8"));
const USAGE = "usage: npm test [-- --only unit|apiserver|e2e [vitest's own arguments]]";
const ONLY: Readonly<Record<string, readonly string[]>> = {
  unit: ["unit", "architecture", "chart"],
  apiserver: ["apiserver"],
  e2e: ["e2e"],
};

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const [flag, part, ...rest] = process.argv.slice(2);
if (flag === undefined) await everything();
else if (flag === "--only" && part !== undefined && ONLY[part] !== undefined) close([await vitest(ONLY[part], rest)]);
else {
  say(USAGE);
  process.exitCode = 2;
}

async function everything(): Promise<void> {
  const onCi = process.env["CI"] === "true";
  const lacking = unmet(await requirements());
  const skipped =
    lacking.length === 0
      ? []
      : [
          "test: the tier e2e does not run, since this machine cannot run a node:",
          ...lacking,
          "  npm run cluster -- doctor says more",
        ];
  for (const line of skipped) say(line);
  const counts = [await timed("check", check), await timed("apiserver", async () => await vitest(["apiserver"]))];
  if (skipped.length === 0) {
    const e2e = await timed("e2e", async () => await vitest(["e2e"]));
    counts.push(e2e);
    const ran = e2e.passed + e2e.failed;
    if (ran < EXPECTED_E2E) {
      say(`test: ${ran} tests of the tier e2e ran, test/e2e/expected-count says ${EXPECTED_E2E}`);
      if (onCi) counts.push({ passed: 0, failed: 1 });
    }
  }
  for (const line of skipped) say(line);
  // A gate that was not there has not been passed.
  if (skipped.length > 0 && onCi) counts.push({ passed: 0, failed: 1 });
  close(counts);
}

function close(counts: readonly Count[]): void {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  say(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

async function timed(name: string, work: () => Promise<Count>): Promise<Count> {
  const began = performance.now();
  say(`test: ${name} ...`);
  const count = await work();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`test: ${name}: ${count.passed} passed, ${count.failed} failed in ${seconds} s`);
  return count;
}

/** The closing line of vitest (test/support/closing-line.ts), wherever it stands in a line. */
const CLOSING = /(\d+) passed, (\d+) failed, \d+ skipped/;

async function vitest(projects: readonly string[], args: readonly string[] = []): Promise<Count> {
  const flags = projects.flatMap((project) => ["--project", project]);
  const { code, lines } = await run(join(TOP, "node_modules/.bin/vitest"), ["run", ...flags, ...args]);
  const [, passed = 0, failed = 0] = lines.map((line) => CLOSING.exec(line)).findLast((match) => match !== null) ?? [];
  // Errors outside of any test count too, and so does a run that never came to its closing line.
  return { passed: Number(passed), failed: code === 0 ? Number(failed) : Math.max(Number(failed), 1) };
}

/** Every step of the gate counts as one, its tests as what they are. */
async function check(): Promise<Count> {
  const { code, lines } = await run(process.execPath, [join(TOP, "scripts/check.ts")]);
  const steps = lines.flatMap((line) => {
    const [, result, name] = /^check: (ok|FAIL) +[\d.]+ s  ([^:]+)/.exec(line) ?? [];
    return result === undefined || name === "tests" ? [] : [result];
  });
  const [, passed = 0, failed = 0] = lines.map((line) => CLOSING.exec(line)).find((match) => match !== null) ?? [];
  const bad = steps.filter((result) => result === "FAIL").length + Number(failed);
  return {
    passed: steps.length - steps.filter((result) => result === "FAIL").length + Number(passed),
    failed: code === 0 ? bad : Math.max(bad, 1),
  };
}

/** Runs a program to its end, its output passed on as it comes. */
async function run(program: string, args: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const child = spawn(program, args, {
    cwd: TOP,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    say(line);
  });
  const code = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (ended) => done(ended ?? 1));
  });
  return { code, lines };
}
