// The benches of the pods of which every replica works, as commands: the agent and the forwarder.
import { type Command, Option } from "commander";
import { benchAgentReady } from "./agent/ready.ts";
import { benchTunnel } from "./agent/tunnel.ts";
import { benchBindings } from "./bindings/bench.ts";
import { bundleProgram } from "./bundled-program.ts";
import { type Common, countOf } from "./flags.ts";
import type { Result } from "./goals.ts";
import { raiseGround } from "./ground.ts";
import type { Say } from "./say.ts";

export interface ReplicaBenches {
  /** Makes a command. */
  readonly command: (name: string, what: string) => Command;
  readonly give: (results: readonly Result[], flags: Pick<Common, "json">) => Promise<void>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** All of them on a control plane of their own: what they measure has no part in a node. */
export function replicaCommands({ command, give, say, signal }: ReplicaBenches): void {
  const plane = async () => await raiseGround({ name: "", keep: false, plane: true, say });
  const rounds = (byDefault: number): Option =>
    new Option("--rounds <n>", "how often each is measured").argParser(countOf).default(byDefault);
  command(
    "bindings",
    "bytes and answers through the forwarder, against a plain TCP proxy; memory with silent connections",
  )
    .addOption(rounds(5))
    .addOption(new Option("--idle <n>", "silent connections").argParser(countOf).default(1_000))
    .action(async (flags: Pick<Common, "json"> & { rounds: number; idle: number }) => {
      await using program = await bundleProgram("bindings-forwarder-manager");
      await using ground = await plane();
      const { rounds, idle } = flags;
      await give([await benchBindings(ground, { program, rounds, idle, signal }, say)], flags);
    });
  command("agent-ready", "N new AgentEndpoints until all are Ready, against the bare SDK that opens as many")
    .option("--count <n>", "AgentEndpoints", countOf, 500)
    .action(async (flags: Pick<Common, "json"> & { count: number }) => {
      await using program = await bundleProgram("api-manager");
      await using agent = await bundleProgram("agent-manager");
      await using ground = await plane();
      await give([await benchAgentReady(ground, { program, agent, count: flags.count, signal }, say)], flags);
    });
  command("tunnel", "requests through the agent, against the bare SDK at the same edge, and the upstream itself")
    // An even number: each comes first as often as the other.
    .addOption(rounds(6))
    .action(async (flags: Pick<Common, "json"> & { rounds: number }) => {
      await using agent = await bundleProgram("agent-manager");
      await using ground = await plane();
      await give([await benchTunnel(ground, { agent, rounds: flags.rounds, signal }, say)], flags);
    });
}
