// `npm test`: the gate `check` and every tier of tests, or one part of them. The last line is `N passed, N failed`, the sum
// over all; what could not run on this machine is said first and last.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { requirements, unmet } from "#tools/cluster/embedded/requirements.ts";
import { failuresIn, ofCheck, ofVitest, sumOf, type Count, type Ended } from "./count.ts";

const TOP = join(import.meta.dirname, "../..");
/** How many tests the tier e2e must have run on CI: fewer means that some were lost. */
const EXPECTED_E2E = Number(readFileSync(join(TOP, "test/e2e/expected-count"), "utf8"));
/** Files of the tier e2e on a cluster of their own, beside the others: so both lanes take about as long. */
const SECOND_LANE = [
  "agents",
  "burst",
  "crds",
  "demo",
  "from-go-0.24",
  "gitops",
  "installs",
  "reinstall",
  "routing-rows",
  "uninstall",
].map((name) => `test/e2e/${name}.test.ts`);
const USAGE = "usage: npm test [-- --only unit|apiserver|e2e|faults [vitest's own arguments]]";
const ONLY: Readonly<Record<string, readonly string[]>> = {
  unit: ["unit", "architecture", "chart"],
  apiserver: ["apiserver"],
  e2e: ["e2e"],
};

/** Files of the tier apiserver at once: with one a processor, half of each waits for Leases and pollers to have their time. */
const APISERVER_FLAGS = [`--maxWorkers=${Math.ceil(availableParallelism() * 1.5)}`];

/** By name, over all parts: what failed in the middle of an hour's output is said again at its end. */
const failures: string[] = [];

/** A signal ends what runs; nothing more is begun after it. */
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (stopped = true));

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
  const counts = [
    await timed("check", check),
    await timed("apiserver", async () => await vitest(["apiserver"], APISERVER_FLAGS)),
  ];
  if (skipped.length === 0) {
    // They wait for pods and Helm most of their time: three lanes beside each other, each on clusters of its own. One speaks at a time.
    const held = { second: [] as string[], faults: [] as string[] };
    // A cluster that a person names is for the first lane: two at once would meet in it.
    const own = {
      env: { E2E_NAME: "e2e-2", E2E_CLUSTER: undefined },
      tell: (line: string) => void held.second.push(line),
    };
    const [first, second, faulty] = await Promise.all([
      timed("e2e", async () => await vitest(["e2e"], firstLane())),
      timed("e2e, second lane", async () => await vitest(["e2e"], SECOND_LANE, own)),
      timed("faults", async () => await faults([], (line) => void held.faults.push(line))),
    ]);
    const e2e = sumOf([first, second]);
    counts.push(e2e, faulty);
    for (const line of [...held.second, ...held.faults]) say(line);
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

function firstLane(): string[] {
  const all = readdirSync(join(TOP, "test/e2e")).filter((name) => name.endsWith(".test.ts"));
  return all.map((name) => `test/e2e/${name}`).filter((path) => !SECOND_LANE.includes(path));
}

function close(counts: readonly Count[]): void {
  const { passed, failed } = sumOf(counts);
  for (const failure of failures) say(`test: failed: ${failure}`);
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

async function vitest(projects: readonly string[], args: readonly string[] = [], how: How = {}): Promise<Count> {
  const flags = projects.flatMap((project) => ["--project", project]);
  return ofVitest(await run(join(TOP, "node_modules/.bin/vitest"), ["run", ...flags, ...args], how));
}

/** The chosen part of the fault matrix, which names the rest; `npm run test:faults` is the whole. */
async function faults(args: readonly string[] = [], tell = say): Promise<Count> {
  const command = [join(TOP, "scripts/faults/main.ts"), "--smoke", "--fresh", ...args];
  return ofVitest(await run(process.execPath, command, { tell }));
}

async function check(): Promise<Count> {
  return ofCheck(await run(process.execPath, [join(TOP, "scripts/check.ts")]));
}

interface How {
  /** Beside the process's own; undefined takes a name away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly tell?: (line: string) => void;
}

/** Runs a program to its end; each line of its stdout and stderr is told as it comes. */
async function run(program: string, args: readonly string[], { env = {}, tell = say }: How = {}): Promise<Ended> {
  if (stopped) return { code: 1, lines: [] };
  const child = spawn(program, args, {
    cwd: TOP,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, NO_COLOR: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      tell(line);
    });
  }
  // A program that does not start has failed like one that ends badly: the other lane goes on to its end.
  const code = await new Promise<number>((done) => {
    child.once("error", ({ message }) => {
      tell(`test: ${program} does not start: ${message}`);
      done(1);
    });
    child.once("close", (ended) => done(ended ?? 1));
  });
  failures.push(...failuresIn(lines));
  return { code, lines };
}
