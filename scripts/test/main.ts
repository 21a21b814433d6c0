// `npm test`: the gate `check` and every tier of tests, or one part of them. The last line is `N passed, N failed`, the sum
// over all; what could not run on this machine is said first and last.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { requirements, unmet } from "#tools/cluster/embedded/requirements.ts";
import { ofCheck, ofVitest, sumOf, type Count, type Ended } from "./count.ts";

const TOP = join(import.meta.dirname, "../..");
/** How many tests the tier e2e must have run on CI: fewer means that some were lost. */
const EXPECTED_E2E = Number(readFileSync(join(TOP, "test/e2e/expected-count"), "utf8"));
const USAGE = "usage: npm test [-- --only unit|apiserver|e2e|faults [vitest's own arguments]]";
const ONLY: Readonly<Record<string, readonly string[]>> = {
  unit: ["unit", "architecture", "chart"],
  apiserver: ["apiserver"],
  e2e: ["e2e"],
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const [flag, part, ...rest] = process.argv.slice(2);
if (flag === undefined) await everything();
else if (flag === "--only" && part === "faults") close([await faults(rest)]);
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
          "test: the tiers e2e and faults do not run, since this machine cannot run a node:",
          ...lacking,
          "  npm run cluster -- doctor says more",
        ];
  for (const line of skipped) say(line);
  const counts = [await timed("check", check), await timed("apiserver", async () => await vitest(["apiserver"]))];
  if (skipped.length === 0) {
    // Both wait for pods and Helm most of their time: beside each other, each on a cluster of its own. One speaks at a time.
    const held: string[] = [];
    const faulty = timed("faults", async () => await faults([], (line) => void held.push(line)));
    const e2e = await timed("e2e", async () => await vitest(["e2e"]));
    counts.push(e2e, await faulty);
    for (const line of held) say(line);
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
  const { passed, failed } = sumOf(counts);
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

async function vitest(projects: readonly string[], args: readonly string[] = []): Promise<Count> {
  const flags = projects.flatMap((project) => ["--project", project]);
  return ofVitest(await run(join(TOP, "node_modules/.bin/vitest"), ["run", ...flags, ...args]));
}

/** The chosen part of the fault matrix, which names the rest; `npm run test:faults` is the whole. */
async function faults(args: readonly string[] = [], tell = say): Promise<Count> {
  const command = [join(TOP, "scripts/faults/main.ts"), "--smoke", "--fresh", ...args];
  return ofVitest(await run(process.execPath, command, tell));
}

async function check(): Promise<Count> {
  return ofCheck(await run(process.execPath, [join(TOP, "scripts/check.ts")]));
}

/** Runs a program to its end; each line of its output is told as it comes. */
async function run(program: string, args: readonly string[], tell = say): Promise<Ended> {
  const child = spawn(program, args, {
    cwd: TOP,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    tell(line);
  });
  const code = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (ended) => done(ended ?? 1));
  });
  return { code, lines };
}
