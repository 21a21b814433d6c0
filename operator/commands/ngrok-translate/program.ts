// ngrok-translate as a command line: manifests in, what the operator would make of them out. It asks no cluster.
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { GATEWAY_CONTROLLER, INGRESS_CONTROLLER } from "#api/classes.ts";
import { VERSION } from "#api/version.ts";
import { index } from "../../translate/manifests.ts";
import { DEFAULT_CLUSTER_DOMAIN, type Options } from "../../translate/model.ts";
import { translateAll } from "../../translate/translate.ts";
import { readManifests, type Source } from "./read-manifests.ts";
import { type Format, FORMATS, shown, told } from "./show.ts";

export const EXIT = {
  ok: 0,
  /** Something of the input is not in the output. */
  refused: 1,
  /** The command line cannot be followed. */
  usage: 2,
} as const;

/** The part of `process` that the program needs; main.ts hands in the real one. */
export interface Desk {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  /** Resolves to the file's text; `-` is standard input. Rejects with Node's own error. */
  read(file: string): Promise<string>;
}

interface Flags {
  readonly output?: Format;
  readonly managerNamespace: string;
  readonly managerName: string;
  readonly clusterDomain: string;
  readonly referenceGrants: boolean;
  readonly watchNamespace?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly defaultDomainReclaimPolicy: "Delete" | "Retain";
  readonly ingressController: string;
  readonly gatewayController: string;
}

/** Runs one command line to its end and returns the exit code. */
export async function ngrokTranslate(argv: readonly string[], desk: Desk): Promise<number> {
  let code: number = EXIT.ok;
  const program = frame(desk).action(async (files: readonly string[], flags: Flags) => {
    code = await translateFiles(files, flags, desk);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

async function translateFiles(files: readonly string[], flags: Flags, desk: Desk): Promise<number> {
  const sources: Source[] = [];
  const unread: string[] = [];
  for (const file of files) {
    const text = await desk.read(file).catch((error: NodeJS.ErrnoException) => {
      unread.push(`${file}: cannot be read (${error.code ?? error.message}): name a file, or - for standard input`);
    });
    if (text !== undefined) sources.push({ name: file === "-" ? "standard input" : file, text });
  }
  const { objects, refused, notes } = readManifests(sources);
  const translation = translateAll(index(objects), optionsOf(flags));
  const lines = [
    ...[...unread, ...refused].map((line) => `refused: ${line}`),
    ...notes.map((line) => `ignored: ${line}`),
    ...translation.problems.map(told),
  ];
  const isRefused = lines.some((line) => line.startsWith("refused: "));
  if (translation.endpoints.length === 0 && lines.length === 0) {
    lines.push(
      `nothing to make: of the ${objects.length} objects that were read, none asks this operator for an endpoint`,
    );
  }
  for (const line of lines) desk.stderr.write(`${line}\n`);
  // YAML is what a person goes on with in an editor; a program reads JSON without a parser of its own.
  desk.stdout.write(shown(translation, flags.output ?? (desk.stdout.isTTY === true ? "yaml" : "json")));
  return isRefused ? EXIT.refused : EXIT.ok;
}

function optionsOf(flags: Flags): Options {
  return {
    managerNamespace: flags.managerNamespace,
    managerName: flags.managerName,
    clusterDomain: flags.clusterDomain,
    referenceGrants: flags.referenceGrants,
    ...(flags.watchNamespace !== undefined && { watchNamespace: flags.watchNamespace }),
    ...(flags.metadata !== undefined && { ngrokMetadata: flags.metadata }),
    domainReclaimPolicy: flags.defaultDomainReclaimPolicy,
    ingressControllerName: flags.ingressController,
    gatewayControllerName: flags.gatewayController,
  };
}

function metadataOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw new InvalidArgumentError("Write key=value,key=value.");
    return [pair.slice(0, at).trim(), pair.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

function notEmpty(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is empty.");
  return text;
}

function frame({ stdout, stderr }: Desk): Command {
  return new Command("ngrok-translate")
    .description(
      "Shows the endpoints and Domains that the operator would make of Ingresses, Gateways, Routes and Services.",
    )
    .argument("<file...>", "manifests as YAML or JSON, many documents or a List; - is standard input")
    .version(VERSION)
    .addOption(new Option("-o, --output <format>", "default: yaml on a terminal, json elsewhere").choices(FORMATS))
    .option("--manager-namespace <namespace>", "namespace of the operator, for the labels", notEmpty, "ngrok-operator")
    .option("--manager-name <name>", "name of its manager, for the labels", notEmpty, "ngrok-operator-manager")
    .option("--cluster-domain <domain>", "DNS domain of the cluster", notEmpty, DEFAULT_CLUSTER_DOMAIN)
    .option("--no-reference-grants", "do without ReferenceGrants between namespaces")
    .option("--watch-namespace <namespace>", "see the objects of this namespace alone; default: of all")
    .option("--metadata <pairs>", "the operator's ngrokMetadata: key=value,key=value", metadataOf)
    .addOption(
      new Option("--default-domain-reclaim-policy <policy>", "reclaimPolicy of the Domains, as the operator's flag")
        .choices(["Delete", "Retain"])
        .default("Delete"),
    )
    .option(
      "--ingress-controller <name>",
      "spec.controller of the operator's IngressClasses",
      notEmpty,
      INGRESS_CONTROLLER,
    )
    .option(
      "--gateway-controller <name>",
      "spec.controllerName of the operator's GatewayClasses",
      notEmpty,
      GATEWAY_CONTROLLER,
    )
    .configureHelp({ helpWidth: 120 })
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .exitOverride()
    .addHelpText("after", EXAMPLES);
}

const EXAMPLES = `
The classes and the Services that an Ingress or a Route names have to be among the manifests, as they have to be in the
cluster; so have NgrokTrafficPolicies, Secrets, and Namespaces where a listener selects them. Other kinds are passed over.
The endpoints of a Service of type LoadBalancer have no name yet but a generateName: the API server ends it.

Examples:
  ngrok-translate ingress.yaml service.yaml class.yaml
  ngrok-translate shop.yaml -o table            one line for each endpoint
  kubectl get ingressclass,ingress,service,ngroktrafficpolicy -A -o yaml | ngrok-translate -
  helm template shop ./shop | ngrok-translate - class.yaml -o json
  ngrok-translate new.yaml -o yaml > after; ngrok-translate old.yaml -o yaml | diff - after
In a checkout: npm run -s translate -- ingress.yaml -o table

What is wrong, or not known yet, goes to standard error, a line each:
  refused: Ingress default/shop: spec.rules[0].http.paths[1].backend.service: Service default/cart does not exist: ...
  ignored: Ingress default/shop: metadata.annotations["ngrok.com/metadata"]: is not a JSON object: ...
  pending: Service data/postgres: metadata.annotations["ngrok.com/computed-url"]: ngrok gives a TCP address when ...

Exit codes:
  0  everything that was asked for is in the output
  1  something was refused: it is not in the output
  2  the command line cannot be followed`;
