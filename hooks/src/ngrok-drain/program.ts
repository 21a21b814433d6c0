// ngrok-drain as a command line: its commands, the flags that all of them share, and how an error is told.
import { Command, CommanderError, Option } from "commander";
import { VERSION } from "#api/version.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { type DrainCommand, EXIT, type Terminal } from "./command.ts";
import { cancelCommand } from "./cancel.ts";
import { findInstall } from "./install.ts";
import { planCommand } from "./plan.ts";
import { policyCommand } from "./policy.ts";
import { reportCommand } from "./report.ts";
import { rescueCommand } from "./rescue.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { type Flags, inWorld } from "./world.ts";

const commands: readonly DrainCommand[] = [
  planCommand,
  statusCommand,
  policyCommand,
  cancelCommand,
  runCommand,
  rescueCommand,
  reportCommand,
];

/** Runs one command line to its end and returns the exit code. */
export async function ngrokDrain(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.ok;
  const program = frame(terminal);
  for (const command of commands) {
    const sub = program
      .command(command.argument === undefined ? command.name : `${command.name} ${command.argument[0]}`)
      .summary(command.summary)
      .description(`${command.summary}\nExit codes: ${command.exits}.`)
      .addHelpText("after", examplesOf(command));
    for (const [flags, description, values] of command.options ?? []) {
      const option = new Option(flags, description);
      sub.addOption(values === undefined ? option : option.choices(values));
    }
    sub.action(async () => {
      const flags = sub.optsWithGlobals<Flags>();
      const asked = { argument: sub.args[0], options: sub.opts() };
      code = await inWorld(
        flags,
        terminal,
        async (search) =>
          command.find === undefined
            ? await findInstall(flags, search.env, search.elsewhere, search.read, search.signal)
            : await command.find(asked, flags, search),
        async (world) => await command.run(world, asked),
      );
    });
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

function frame({ stdout, stderr }: Terminal): Command {
  return new Command("ngrok-drain")
    .description("Looks after the uninstall of an ngrok operator: the day before, while it runs, and the day after.")
    .version(VERSION)
    .option("-n, --namespace <namespace>", "namespace of the release; default: the pod's own, or where an install is")
    .option("--release <name>", "Helm's release; default: the one install that is there")
    .option("--fullname <name>", "the chart's fullname, the name before -drain-state; default: found")
    .option("--watch-namespace <namespace>", "the one namespace that is watched; default: as the operator was told")
    .option("--kubeconfig <path>", "default: KUBECONFIG, the pod's ServiceAccount, ~/.kube/config")
    .option("--context <name>", "context of the kubeconfig")
    .addOption(new Option("-o, --output <format>", "for people or for programs").choices(["text", "json"]))
    .configureHelp({ showGlobalOptions: true, helpWidth: 120 })
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  kubectl -n ngrok-operator exec deploy/ngrok-operator-manager -- ngrok-drain plan
  npm run -s drain -- plan -n ngrok-operator                    from a checkout, with your own kubeconfig

ngrok-drain <command> --help has examples of each. The documents of -o json: docs/ngrok-drain.md`,
    );
}

function examplesOf({ examples }: DrainCommand): string {
  const width = Math.max(...examples.map(([typed]) => typed.length));
  return `\nExamples:\n${examples.map(([typed, does]) => `  ngrok-drain ${typed.padEnd(width)}   # ${does}`).join("\n")}`;
}

/** A user's error is one line and a remedy; only a bug has a stack. */
function explain(error: unknown, { stderr, signal }: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  if (signal.aborted) {
    stderr.write("ngrok-drain: stopped; nothing is lost, run the same command again\n");
  } else if (error instanceof FenceLost) {
    stderr.write(
      `ngrok-drain: the right to write went to somebody else: ${error.message}\nremedy: see ngrok-drain status\n`,
    );
  } else if (error instanceof KnownError) {
    stderr.write(`ngrok-drain: ${error.message}\n${error.hint === undefined ? "" : `remedy: ${error.hint}\n`}`);
  } else {
    stderr.write(
      `ngrok-drain: this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  return EXIT.failed;
}
