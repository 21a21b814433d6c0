// The benches of Ingresses as commands: what each may be told.
import type { Command } from "commander";
import { type Common, countOf } from "./flags.ts";
import { benchIdle, type IdleResult } from "./idle.ts";
import { benchIngressChange, type IngressChangeResult } from "./ingress-change.ts";
import { benchIngress, type IngressResult } from "./ingress.ts";
import type { Ground } from "./ground.ts";
import type { OperatorOptions } from "./operator.ts";
import type { Say } from "./say.ts";

export interface IngressFlags extends Common {
  readonly count: number;
  /** Of each Ingress. */
  readonly paths: number;
  /** Where a CPU profile of the api-manager goes. */
  readonly profile?: string;
}

export type IngressBench<F extends IngressFlags> = (
  ground: Ground,
  options: F & OperatorOptions,
  say: Say,
) => Promise<IngressResult | IngressChangeResult | IdleResult>;

/** @param command makes one; @param measure runs it and gives its result. */
export function ingressCommands(
  command: (name: string, what: string) => Command,
  measure: <F extends IngressFlags>(flags: F, bench: IngressBench<F>) => Promise<void>,
): void {
  const about = (name: string, what: string, count: number): Command =>
    command(name, what)
      .option("--count <n>", "Ingresses, each with a host and Services of its own", countOf, count)
      .option("--paths <n>", "paths of each, from 1 to 3; each becomes an AgentEndpoint", countOf, 1)
      .option("--plane", "on API server, etcd and controller manager alone: no root, ready in 5 s", false)
      .option("--profile <folder>", "put a CPU profile of the api-manager there, and show its heaviest functions");
  about("ingress", "N new Ingresses until all are endpoints, against the same writes from a bare client", 1_000).action(
    async (flags: IngressFlags) => await measure(flags, benchIngress),
  );
  about("ingress-change", "one path changed among N Ingresses: when its endpoint has it, and what was written", 5_000)
    .option("--changes <n>", "how often", countOf, 25)
    .action(async (flags: IngressFlags & { readonly changes: number }) => await measure(flags, benchIngressChange));
  about("idle", "what is written for N Ingresses while nobody changes anything, by the API server's audit log", 1_000)
    .option("--minutes <n>", "for how long", countOf, 5)
    .action(async (flags: IngressFlags & { readonly minutes: number }) => await measure(flags, benchIdle));
}
