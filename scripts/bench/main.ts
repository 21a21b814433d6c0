// `npm run bench`: how fast the product is, measured against what the cluster can do at all. Progress and the table go to
// stderr, results as JSON to stdout.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import type { DrainPolicy } from "#api/schema.ts";
import type { HelmVersion } from "#test/support/helm.ts";
import { bringImages, stageOf, type Stage } from "#test/support/stage.ts";
import { bundleProgram, type BundledProgram } from "./bundled-program.ts";
import { benchChart } from "./chart.ts";
import { benchDrain, type DrainOptions, type DrainResult } from "./drain.ts";
import { type Common, countOf } from "./flags.ts";
import { tableOf, type Result } from "./goals.ts";
import { type Ground, raiseGround } from "./ground.ts";
import { benchHookStart } from "./hook-start.ts";
import { type IngressFlags, ingressCommands } from "./ingress-commands.ts";
import { heaviest } from "./profile.ts";
import { benchReady } from "./ready.ts";
import { replicaCommands } from "./replica-commands.ts";
import type { OperatorOptions } from "./operator.ts";
import { type Say, sayOn } from "./say.ts";
import { benchTakeover } from "./takeover.ts";
import { benchTranslate } from "./translate.ts";
import { benchUninstall } from "./uninstall.ts";

interface DrainFlags extends Common {
  readonly policy: DrainPolicy;
  readonly count: number;
  readonly namespaces: number;
  readonly driver: DrainOptions["driver"];
  readonly attempts: number;
  readonly profile?: string;
}
interface ScaleFlags extends Pick<DrainFlags, "policy" | "namespaces"> {
  readonly counts: readonly number[];
  readonly json?: string;
}
interface UninstallFlags extends Common {
  readonly runs: number;
  readonly helm: "3" | "4";
}
interface AllFlags extends UninstallFlags {
  readonly counts: readonly number[];
}

const say = sayOn(
  (line) => void process.stderr.write(`${line}\n`),
  () => performance.now(),
);
const stop = new AbortController();
const { signal } = stop;
// npm changes into the project's folder; what a person types is relative to where they stand.
const place = (path: string): string => resolve(process.env["INIT_CWD"] ?? "", path);

const countsOf = (text: string): number[] => text.split(",").map(countOf);

const program = new Command("npm run bench --")
  .description("Measures the drain, the reconciling and the hooks on a real Kubernetes that the command brings itself.")
  .showHelpAfterError("(--help explains)")
  .addHelpText(
    "after",
    `
Each figure stands beside a ceiling that was taken in the same run: what a bare client, which knows nothing of us, gets
out of the same API server for the same calls. On a machine that does other things the ratio of both still means
something, the seconds do not: a ceiling under 600 writes a second is marked as disturbed and taken again, three times at
most.

  npm run bench -- drain --policy Delete --count 2000
  npm run bench -- drain --plane --profile /tmp/p     no node, no root; and where the hook's time goes
  npm run bench -- drain --plane --count 50000 --namespaces 500 --driver leader
  npm run bench -- ingress --plane --paths 3          new Ingresses until all are endpoints at ngrok
  npm run bench -- idle --plane --minutes 5           what is written while nobody changes anything
  npm run bench -- tunnel                             requests through an agent, beside the bare SDK
  npm run -s bench -- all --json bench.json           everything, and what is to be reached; takes about 20 minutes

The exit code says whether it could be measured, not whether it was fast.`,
  );

function command(name: string, what: string): Command {
  return program
    .command(name)
    .description(what)
    .option("--json <file>", "write the result there too")
    .option("--name <name>", "the cluster's name; one that runs already is used and left running", "bench")
    .option("--keep", "leave the cluster running", false);
}

const policyOption = (): Option =>
  new Option("--policy <policy>", "drainPolicy").choices(["Retain", "Delete"]).default("Retain");
const namespacesOption = (count = 3): Option =>
  new Option("--namespaces <n>", "in how many namespaces they are").argParser(countOf).default(count);
const runsOption = (): Option =>
  new Option("--runs <n>", "how often each is uninstalled").argParser(countOf).default(5);
const helmOption = (): Option => new Option("--helm <version>", "which Helm").choices(["3", "4"]).default("4");

command("drain", "the drain of N objects, a bare client's ceiling and a bystander's wait in the same run")
  .addOption(policyOption())
  .option("--count <n>", "objects, a third each CloudEndpoint, Domain and IPPolicy", countOf, 2_000)
  .addOption(namespacesOption())
  .addOption(new Option("--driver <who>", "who drains").choices(["hook", "leader"]).default("hook"))
  .option("--attempts <n>", "how often a disturbed run is taken again at most", countOf, 3)
  .option("--plane", "on API server, etcd and controller manager alone: no root, ready in 5 s", false)
  .option("--profile <folder>", "put a CPU profile of the driver there, and show its heaviest functions")
  .action(async (flags: DrainFlags) => {
    await using program = await bundleProgram(flags.driver === "hook" ? "drain" : "api-manager");
    await give([await on(flags, async (ground) => await drain(ground, program, flags))], flags);
  });

program
  .command("scale")
  .description("hook and leader over growing numbers of objects, each on a control plane of its own")
  .option("--json <file>", "write the results there too")
  .addOption(policyOption())
  .option("--counts <list>", "objects", countsOf, [2_000, 10_000, 50_000])
  .addOption(namespacesOption(500))
  .action(async (flags: ScaleFlags) => {
    await using hook = await bundleProgram("drain");
    await using manager = await bundleProgram("api-manager");
    const results: Result[] = [];
    for (const count of flags.counts) {
      for (const driver of ["hook", "leader"] as const) {
        await using ground = await raiseGround({ name: "", keep: false, plane: true, say });
        results.push(await drain(ground, driver === "hook" ? hook : manager, { ...flags, count, driver, attempts: 1 }));
        // What was measured stays, whatever becomes of the rest.
        if (flags.json !== undefined) await keep(results, flags.json);
      }
    }
    await give(results, {});
  });

command("ready", "N new CloudEndpoints until all are Ready, and the api-manager's memory")
  .option("--count <n>", "CloudEndpoints", countOf, 2_000)
  .action(async (flags: Common & { count: number }) => {
    const { count } = flags;
    await give(
      [await onStage(flags, async (ground, stage) => await benchReady(ground, stage, { count, signal }, say))],
      flags,
    );
  });

command("uninstall", "helm uninstall without objects, against two hook Jobs that do nothing")
  .addOption(runsOption())
  .addOption(helmOption())
  .action(async (flags: UninstallFlags) => {
    await give(
      [await onStage(flags, async (ground, stage, image) => await uninstall(ground, stage, image, flags))],
      flags,
    );
  });

command("chart", "helm install --wait, upgrade and uninstall without objects, against a chart that does nothing")
  .addOption(runsOption())
  .addOption(helmOption())
  .action(async (flags: UninstallFlags) => {
    const options = { runs: flags.runs, helm: versionOf(flags), signal };
    await give([await onStage(flags, async (...on) => await benchChart(...on, options, say))], flags);
  });

program
  .command("takeover")
  .description("from the start of the drain hook to the write token: leader alive, Lease free, pod gone, pod hung")
  .option("--json <file>", "write the result there too")
  .action(async (flags: Pick<Common, "json">) => await give([await benchTakeover(say, signal)], flags));

program
  .command("hook-start")
  .description("from the start of the drain hook's process to the first answer that it gets")
  .option("--json <file>", "write the result there too")
  .addOption(new Option("--runs <n>", "how often it is started").argParser(countOf).default(15))
  .action(async (flags: Pick<Common, "json"> & { runs: number }) => {
    await using hook = await bundleProgram("drain");
    await give([await benchHookStart({ runs: flags.runs, hook }, say)], flags);
  });

program
  .command("translate")
  .description("the translator alone, in a process of its own: verbose Ingresses of three paths, and ten times as many")
  .option("--json <file>", "write the result there too")
  .option("--count <n>", "Ingresses", countOf, 1_000)
  .action(async (flags: Pick<Common, "json"> & { count: number }) => {
    await give([await benchTranslate(flags.count, say)], flags);
  });

ingressCommands(command, async (flags, bench) => await give([await withManager(flags, bench)], flags));

replicaCommands({ command, give, say, signal });

command("all", "all of them, and the drain under both policies at each of --counts")
  .option("--counts <list>", "objects of the drains", countsOf, [200, 2_000, 10_000])
  .addOption(runsOption())
  .addOption(helmOption())
  .action(async (flags: AllFlags) => {
    await using hook = await bundleProgram("drain");
    const results: Result[] = [await benchHookStart({ runs: 15, hook }, say)];
    await onStage(flags, async (ground, stage, image) => {
      for (const policy of ["Retain", "Delete"] as const) {
        for (const count of flags.counts)
          results.push(await drain(ground, hook, { policy, count, driver: "hook", namespaces: 3, attempts: 3 }));
      }
      results.push(await benchReady(ground, stage, { count: 2_000, signal }, say));
      results.push(await uninstall(ground, stage, image, flags));
    });
    await give(results, flags);
  });

/** Runs a bench of the api-manager's program, and shows where its time went when that is asked for. */
async function withManager<F extends IngressFlags, R>(
  flags: F,
  bench: (ground: Ground, options: F & OperatorOptions, say: Say) => Promise<R>,
): Promise<R> {
  await using program = await bundleProgram("api-manager");
  const { profile: folder } = flags;
  const profile = folder === undefined ? {} : { profile: place(folder) };
  const result = await on(flags, async (ground) => await bench(ground, { ...flags, program, signal, ...profile }, say));
  if (folder !== undefined) for (const line of await heaviest(place(folder))) say.line(line);
  return result;
}

async function on<T>(flags: Common, work: (ground: Ground) => Promise<T>): Promise<T> {
  const { name, keep, plane = false } = flags;
  await using ground = await raiseGround({ name, keep, plane, say });
  return await work(ground);
}

async function onStage<T>(
  flags: Common,
  work: (ground: Ground, stage: Stage, image: string) => Promise<T>,
): Promise<T> {
  return await on(flags, async (ground) => {
    const { cluster } = ground;
    if (cluster === undefined) throw new Error("a plane has no node for pods");
    const image = await say.step("images", async () => await bringImages(cluster, say.line));
    return await work(ground, stageOf(cluster, image), image);
  });
}

async function drain(
  ground: Ground,
  program: BundledProgram,
  flags: Pick<DrainFlags, "policy" | "count" | "namespaces" | "driver" | "attempts" | "profile">,
): Promise<DrainResult> {
  const { policy, count, namespaces, driver, attempts } = flags;
  const profile = flags.profile === undefined ? undefined : place(flags.profile);
  const options = {
    policy,
    count,
    namespaces,
    driver,
    attempts,
    program,
    signal,
    ...(profile !== undefined && { profile }),
  };
  const result = await benchDrain(ground, options, say);
  if (profile !== undefined) for (const line of await heaviest(profile)) say.line(line);
  return result;
}

async function uninstall(ground: Ground, stage: Stage, image: string, flags: UninstallFlags) {
  const { runs } = flags;
  return await benchUninstall(ground, stage, { runs, helm: versionOf(flags), image, signal }, say);
}

function versionOf({ helm }: Pick<UninstallFlags, "helm">): HelmVersion {
  return helm === "3" ? 3 : 4;
}

/** One result is an object, several are a list. */
async function give(results: readonly Result[], { json }: Pick<Common, "json">): Promise<void> {
  for (const line of ["", ...tableOf(results)]) process.stderr.write(`${line}\n`);
  const [only] = results;
  const given = results.length === 1 && only !== undefined ? only : results;
  process.stdout.write(`${JSON.stringify(given, null, 2)}\n`);
  if (json !== undefined) await keep(given, json);
}

async function keep(results: Result | readonly Result[], json: string): Promise<void> {
  await mkdir(dirname(place(json)), { recursive: true });
  await writeFile(place(json), `${JSON.stringify(results, null, 2)}\n`);
}

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => stop.abort(new Error(`ended by ${name}; what was started goes too`)));
}
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
