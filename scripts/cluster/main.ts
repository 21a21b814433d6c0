// `npm run cluster`: a real Kubernetes for a person, by the same functions as for demo, tests and bench. Results go to
// stdout, everything said on the way to stderr.
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { binaries, testTools } from "#tools/binaries.ts";
import { down, find, load, providerOf, status, up } from "#tools/cluster/cluster.ts";
import { doctor, findingLines } from "#tools/cluster/doctor.ts";
import { PROVIDERS, type Cluster, type ProviderName } from "#tools/cluster/provider.ts";
import { recordedProvider } from "#tools/cluster/record.ts";
import { shellExports } from "./exports.ts";

interface Options {
  readonly name: string;
  readonly provider?: ProviderName;
  readonly yes?: true;
  readonly registry?: string;
  readonly hostIp?: string;
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const EXAMPLES = `
A first look:
  npm run cluster -- doctor                     what this machine has and lacks
  npm run cluster -- up                         a cluster named "dev" in 6 s (the first time builds it, about 8 minutes)
  eval "$(npm run -s cluster -- env)"           kubectl, helm, helm3, ct and crane in this shell
  kubectl get nodes
  npm run images && npm run cluster -- load dist/images/operator.tar
  npm run cluster -- down                       nothing stays: no process, mount, interface, cgroup, folder

Several clusters run side by side, each with its own --name.`;

const program = new Command("npm run cluster --")
  .description("A real Kubernetes on this machine, started and ended without a trace.")
  .addOption(new Option("--name <name>", "which cluster").default("dev").env("CLUSTER_NAME"))
  .addOption(
    new Option(
      "--provider <provider>",
      "who provides it: embedded (namespaces of this machine, the default), kind (Docker), current (the kubeconfig's)",
    ).choices(PROVIDERS),
  )
  .addHelpText("after", EXAMPLES)
  .showHelpAfterError("(--help explains)");

const options = (): Options => program.opts<Options>();

/** A connected cluster, or the one line that says what to do. */
async function running(): Promise<Cluster> {
  const { name } = options();
  const cluster = await find(name);
  if (cluster === undefined)
    throw new Error(`cluster ${name} does not run; start it with: npm run cluster -- up --name ${name}`);
  return cluster;
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

program
  .command("up")
  .description("start the cluster, or find it running; resolves when a pod can be scheduled")
  .option("--yes", "for current: do not ask")
  .option(
    "--registry <host>",
    "for current: a registry, with or without a path, that we may push to and its nodes pull from",
  )
  .option("--host-ip <address>", "for current: the address at which its pods reach this machine")
  .action(async (_: unknown, command: Command) => {
    const { name, provider, registry, hostIp, yes } = command.optsWithGlobals<Options>();
    const started = Date.now();
    const cluster = await up({
      name,
      tell,
      confirm: yes ? async () => await Promise.resolve(true) : ask,
      ...(provider && { provider }),
      ...(registry !== undefined && { registry }),
      ...(hostIp !== undefined && { hostIp }),
    });
    tell(
      `cluster ${name} is ready (${((Date.now() - started) / 1000).toFixed(1)} s); its logs are in ${join(cluster.folder, "log")}`,
    );
    tell(`use it in this shell with: eval "$(npm run -s cluster -- env${name === "dev" ? "" : ` --name ${name}`})"`);
  });

program
  .command("down")
  .description("end the cluster and leave nothing of it; without one, do nothing")
  .action(async () => {
    const { name } = options();
    const started = Date.now();
    const was = await down(name, tell);
    tell(
      was ? `cluster ${name} is gone (${((Date.now() - started) / 1000).toFixed(1)} s)` : `there is no cluster ${name}`,
    );
  });

program
  .command("status")
  .description("how each component is; exit code 1 unless all are well")
  .action(async () => {
    const cluster = await running();
    const parts = await status(cluster);
    say(`cluster ${cluster.name} (${cluster.provider}), kubeconfig ${cluster.kubeconfig}`);
    for (const { part, ok, says } of parts) say(`${ok ? "ok  " : "NOT "} ${part.padEnd(24)} ${says}`);
    if (parts.some(({ ok }) => !ok)) process.exitCode = 1;
  });

program
  .command("env")
  .description(
    'shell code for eval "$(npm run -s cluster -- env)": PATH with the tools and, when the cluster is up, KUBECONFIG, HOST_IP, REGISTRY',
  )
  .action(async () => {
    const cluster = await find(options().name);
    const folders = [await binaries(tell), (await testTools(tell)).bin];
    if (!cluster) tell(`cluster ${options().name} does not run: tools only`);
    for (const line of shellExports(folders, cluster)) say(line);
  });

program
  .command("load")
  .argument("<archive>", "an OCI layout: a tar of `npm run images`, or a folder")
  .option("--as <repository>", "its name in the registry instead of the archive's")
  .description("put an image into the cluster's registry and print the reference by digest")
  .action(async (archive: string, { as }: { as?: string }) => {
    // npm changes into the project's folder; what a person types is relative to where they stand.
    say(await load(await running(), resolve(process.env["INIT_CWD"] ?? "", archive), as));
  });

program
  .command("doctor")
  .description("everything that a cluster needs, what this machine has, and what to do about the rest")
  .action(async () => {
    const { name, provider } = options();
    const findings = await doctor(providerOf(provider ?? (await recordedProvider(name)) ?? "embedded"));
    for (const line of findingLines(findings)) say(line);
    if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  tell(`cluster: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
