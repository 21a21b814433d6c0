// ngrok-drain as a command line: its commands, the flags that all of them share, and how an error is told.
import { Argument, Command, CommanderError, Option } from "commander";
import { VERSION } from "#api/version.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { type DrainCommand, EXIT, type Terminal } from "./command.ts";
import { cancelCommand } from "./cancel.ts";
import { candidatesFor, completionLines } from "./complete.ts";
import { findInstall } from "./install.ts";
import { planCommand } from "./plan.ts";
import { policyCommand } from "./policy.ts";
import { reportCommand } from "./report.ts";
import { rescueCommand } from "./rescue.ts";
import { runCommand } from "./run.ts";
import { type Shell, SHELLS, scripts } from "./shells.ts";
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
    const sub = subcommand(program, command);
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
  addCompletion(program, terminal);
  try {
    // Words of a half-typed line: commander would take them for commands and flags.
    if (argv[0] === "__complete") tellCandidates(program, argv.slice(1), terminal);
    else await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

function subcommand(program: Command, { name, argument, summary, exits, options, ...rest }: DrainCommand): Command {
  const sub = program
    .command(name)
    .summary(summary)
    .description(`${summary}\nExit codes: ${exits}.`)
    .addHelpText("after", examplesOf(rest));
  if (argument !== undefined) {
    const [written, description, suggested] = argument;
    const one = new Argument(written, description);
    if (suggested !== undefined) one.argChoices = [...suggested];
    sub.addArgument(one);
  }
  for (const [flags, description, values] of options ?? []) {
    const option = new Option(flags, description);
    sub.addOption(values === undefined ? option : option.choices(values));
  }
  return sub;
}

/** Of a shell, not of an install: it opens no cluster. */
function addCompletion(program: Command, { stdout }: Terminal): void {
  const summary = "Print the completion script of a shell.";
  const examples = [
    ["completion bash", "in ~/.bashrc: source <(ngrok-drain completion bash)"],
    ["completion zsh", "in ~/.zshrc, after compinit: source <(ngrok-drain completion zsh)"],
    ["completion fish > ~/.config/fish/completions/ngrok-drain.fish", "for every new fish"],
  ] as const;
  program
    .command("completion")
    .summary(summary)
    .description(`${summary}\nExit codes: 0 printed, 1 error.`)
    .addHelpText("after", examplesOf({ examples }))
    .addArgument(new Argument("<shell>", "whose completion").choices(SHELLS))
    .action((shell: Shell) => void stdout.write(scripts[shell]));
}

function tellCandidates(program: Command, words: readonly string[], { stdout }: Terminal): void {
  stdout.write(`${completionLines(candidatesFor(program, words)).join("\n")}\n`);
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
  npx ngrok-drain plan -n ngrok-operator      in a checkout, with your own kubeconfig
  kubectl ngrok-drain plan -n ngrok-operator  the same as kubectl's plugin (docs/ngrok-drain.md)

Exit codes, the same of every command:
  0  done, or what was asked for holds
  1  an error with its remedy, or a drain that is not done yet: run it again
  2  refused or blocked; nothing was changed
  3  not known: the cluster or ngrok did not say, or there is nothing to say

ngrok-drain <command> --help has examples of each. The documents of -o json: docs/ngrok-drain.md`,
    );
}

function examplesOf({ examples }: Pick<DrainCommand, "examples">): string {
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
