// `npm run demo`: the product's one promise, watched on a real Kubernetes that the command brings itself. Everything is
// printed to stdout; the last line is for machines.
import { Command, InvalidArgumentError, Option } from "commander";
import { PROVIDERS, type ProviderName } from "#tools/cluster/provider.ts";
import { checkKey } from "./account.ts";
import { type Features, featuresOf, LIST, NO_FEATURES, refuseLive } from "./features.ts";
import { progressOn } from "./progress.ts";
import { closingLine, isAsPromised } from "./promise.ts";
import { runDemo, type DemoOptions } from "./story.ts";

interface Flags {
  readonly policy: "Retain" | "Delete";
  readonly count: number;
  readonly helm: "3" | "4";
  readonly crdsKeep: "true" | "false";
  readonly with: Features;
  readonly live: boolean;
  readonly keep: boolean;
  readonly provider: ProviderName;
  readonly name: string;
  readonly registry?: string;
  readonly hostIp?: string;
  readonly yes: boolean;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command("npm run demo --")
  .description("Installs the chart on a real Kubernetes, makes objects, uninstalls, and counts what is left.")
  .addOption(
    new Option("--policy <policy>", "drainPolicy of the chart").choices(["Retain", "Delete"]).default("Retain"),
  )
  .option("--count <n>", "how many objects, a third each CloudEndpoint, Domain and IPPolicy", countOf, 30)
  .addOption(new Option("--helm <version>", "which Helm").choices(["3", "4"]).default("4"))
  .addOption(new Option("--crds-keep <keep>", "crds.keep of the chart").choices(["true", "false"]).default("true"))
  .addOption(
    new Option(
      "--with <list>",
      `users' objects as well, which become endpoints, and requests through agents and forwarders: ${LIST}, or some of them`,
    )
      .argParser(parseFeatures)
      .default(NO_FEATURES, "none"),
  )
  .option("--live", "a real account at ngrok, by NGROK_API_KEY, instead of the stand-in", false)
  .option("--keep", "leave the cluster running", false)
  .addOption(new Option("--provider <provider>", "who provides the cluster").choices(PROVIDERS).default("embedded"))
  .option("--name <name>", "the cluster's name; one that runs already is used and left running", "demo")
  .option("--registry <host>", "for --provider current: a registry that we may push to and its nodes pull from")
  .option("--host-ip <address>", "for --provider current: the address at which its pods reach this machine")
  .option("--yes", "for --provider current: do not ask", false)
  .addHelpText(
    "after",
    "\nThe last line: policy=... objects=N finalizers_before=N residue=0 remote=R seconds=S, where residue counts what would" +
      "\nstick, remote what ngrok still holds (Delete: 0, Retain: all that it held), and seconds is the time of helm uninstall." +
      "\nWith --with, N counts the users' objects and what was made for them as well; with agent or bindings among them the line" +
      "\nends with requests_ok=N: requests that were answered as they should, through the agent into a pod and back, and from" +
      "\nthat pod through the forwarder to an endpoint of the account and back. Exit code 1 when that is not as the policy" +
      "\nsays, when a request is not answered so, or when a user's object is not what its author left: its spec, labels or" +
      "\nannotations changed, or a finalizer or stamp of ours is still on it." +
      "\n\n  npm run demo -- --with ingress,gateway,service --policy Delete" +
      "\n  npm run demo -- --with agent,bindings",
  )
  .showHelpAfterError("(--help explains)")
  .action(async (flags: Flags) => await main(flags));

function countOf(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0 to 99999.");
  return Number(text);
}

function parseFeatures(text: string): Features {
  try {
    return featuresOf(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

async function main(flags: Flags): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => stop.abort(new Error(`ended by ${signal}; the cluster goes too`)));
  }
  const { registry, hostIp } = flags;
  if (flags.live) refuseLive(flags.with);
  const options: DemoOptions = {
    ...flags,
    helm: flags.helm === "3" ? 3 : 4,
    crdsKeep: flags.crdsKeep === "true",
    ...(flags.live && { liveKey: await checkKey(process.env["NGROK_API_KEY"]) }),
    ...(registry !== undefined && { registry }),
    ...(hostIp !== undefined && { hostIp }),
    signal: stop.signal,
  };
  const result = await runDemo(
    options,
    progressOn(say, () => performance.now()),
  );
  say(closingLine(result));
  if (!isAsPromised(result)) process.exitCode = 1;
}

try {
  await program.parseAsync();
} catch (error) {
  const said = error instanceof Error ? error.message : String(error);
  say(`demo: ${said.replaceAll(/:\s*\n\s*/g, ": ").replaceAll(/\s*\n\s*/g, "; ")}`);
  process.exitCode = 1;
}
