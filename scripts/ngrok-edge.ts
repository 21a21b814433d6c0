// `npm run ngrok-edge`: the stand-in for ngrok's edge as a program, to send traffic through agents without an account.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import type { KeyPair } from "#test/support/ngrok-edge/certificates.ts";
import { startNgrokEdge, type NgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import type { EdgeEvent } from "#test/support/ngrok-edge/journal.ts";

interface Flags {
  readonly host: string;
  readonly port: number;
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly ca: string;
  readonly name: readonly string[];
  readonly authtoken: string;
  readonly domain: string;
  readonly verbose: boolean;
}

/** What may be typed while it runs. */
const commands: Readonly<
  Record<string, { readonly says: string; readonly run: (edge: NgrokEdge, n: number) => unknown }>
> = {
  list: { says: "agents and what they have bound", run: list },
  drop: { says: "reset the agents' connections", run: each((session) => session.drop()) },
  goaway: { says: "send the agents to a new connection", run: each((session) => session.goAway()) },
  freeze: { says: "read no byte of theirs any more", run: each((session) => session.freeze()) },
  thaw: { says: "read again", run: each((session) => session.thaw()) },
  forget: { says: "forget them without telling them (half-open)", run: each((session) => session.forget()) },
  slow: { says: "MS: give credit that much later", run: (edge, ms) => each((one) => one.slowWindow(ms))(edge) },
  garbage: { says: "send a frame that is none", run: each((session) => session.garbage("frame")) },
  refuse: {
    says: "N: refuse the next N binds",
    run: ({ faults }, times) =>
      faults.add({ on: "bind", kind: "refuse", message: "Refused on demand.", times: Math.max(1, times) }),
  },
  stop: { says: "ask the agents to stop", run: each(async (session) => await session.stop()) },
  restart: { says: "ask the agents to restart", run: each(async (session) => await session.restart()) },
  down: { says: "take no agents until `up`", run: async (edge) => await edge.goDown() },
  up: { says: "take agents again", run: async (edge) => await edge.comeBack() },
};

const program = new Command("ngrok-edge")
  .description(
    "A stand-in for ngrok's edge: agents of the unmodified SDK connect to it, and HTTP, HTTP/2, TLS and TCP that come to " +
      "its public ports reach their upstreams. It executes no traffic policy and forgets everything when it stops.",
  )
  .requiredOption("--ca <file>", "where its certificate authority is kept; made with FILE.key when it is not there")
  .option("--host <address>", "address to listen on; 0.0.0.0 lets pods in", "127.0.0.1")
  .option("--port <port>", "port for agents; 0 takes a free one", wholeNumber(65_535), 4443)
  .option("--http-port <port>", "port for visitors without TLS, by their Host header", wholeNumber(65_535), 4480)
  .option(
    "--tls-port <port>",
    "port for visitors of https and tls endpoints, by server name",
    wholeNumber(65_535),
    4444,
  )
  .option(
    "--name <name...>",
    "names or addresses by which agents reach it, besides localhost; the first is printed",
    [],
  )
  .option("--authtoken <token>", "the authtoken that it takes", "stand-in")
  .option("--domain <domain>", "domain of endpoints that wish for no host", "edge.localhost")
  .option("--verbose", "log each event in one line", false)
  .addHelpText(
    "after",
    `
Typed while it runs:
${Object.entries(commands)
  .map(([name, { says }]) => `  ${name.padEnd(8)} ${says}`)
  .join("\n")}

Examples:
  npm run ngrok-edge -- --ca /tmp/edge.crt                          agents on this machine
  npm run ngrok-edge -- --ca /tmp/edge.crt --host 0.0.0.0 --name 10.0.0.5   pods that reach this machine as 10.0.0.5`,
  )
  .action(async (flags: Flags) => await run(flags));

await program.parseAsync();

async function run(flags: Flags): Promise<void> {
  const { host, port, httpPort, tlsPort, name: names, authtoken, domain, verbose } = flags;
  // npm runs scripts in the project; the file is meant where the person stands.
  const file = resolve(process.env["INIT_CWD"] ?? ".", flags.ca);
  let edge: NgrokEdge;
  try {
    const authority = kept(file);
    edge = await startNgrokEdge({
      host,
      port,
      httpPort,
      tlsPort,
      names,
      domain,
      authtokens: [authtoken],
      ...(authority !== undefined && { authority }),
      ...(verbose && { onEvent: log }),
    });
    if (authority === undefined) keep(file, edge.authority);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const remedy = why.includes("listen") ? ". Choose another --port, --http-port, --tls-port or --host." : "";
    console.error(`ngrok-edge: ${why}${remedy}`);
    process.exit(1);
  }
  introduce(edge, flags, file);
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => void obey(edge, line));
  const stop = () => {
    input.close();
    const agents = edge.sessions().length;
    void edge.close().then(() => {
      console.log(`stopped; ${agents} agents are cut off`);
      process.exit(0);
    });
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

/** The authority of an earlier run: a cluster that trusts it goes on doing so. Throws when only half of it is there. */
function kept(file: string): KeyPair | undefined {
  const key = `${file}.key`;
  if (existsSync(file) && existsSync(key)) return { cert: readFileSync(file, "utf8"), key: readFileSync(key, "utf8") };
  if (existsSync(file)) throw new Error(`${file} is there without ${key}: name another file with --ca`);
  return undefined;
}

function keep(file: string, { cert, key }: KeyPair): void {
  writeFileSync(`${file}.key`, key, { mode: 0o600 });
  writeFileSync(file, cert);
}

function introduce(edge: NgrokEdge, { host, name, authtoken }: Flags, file: string): void {
  const everywhere = host === "0.0.0.0" || host === "::";
  console.log(
    `ngrok's edge, the stand-in: agents ${edge.serverAddr}, visitors http ${edge.httpPort}, tls ${edge.tlsPort}`,
  );
  if (!everywhere)
    console.log("Only this machine reaches it; --host 0.0.0.0 --name ADDRESS lets the pods of a cluster in.");
  else if (name.length === 0) console.log("Agents know it as localhost only; --name ADDRESS names it as pods see it.");
  console.log("Install the chart against it and against npm run ngrok-api, with the image of npm run images:");
  console.log(`  kubectl create configmap ngrok-edge-ca --from-file=ca.crt=${file}`);
  const seen = edge.serverAddr.slice(0, edge.serverAddr.lastIndexOf(":"));
  console.log(`  helm install ngrok-operator chart -f dist/images/values.yaml --set apiURL=http://${seen}:4300 \\`);
  console.log(`    --set serverAddr=${edge.serverAddr} --set extraCA.configMapName=ngrok-edge-ca \\`);
  console.log(`    --set credentials.authtoken=${authtoken} --set credentials.apiKey=stand-in-key`);
  console.log("Visit an endpoint:");
  console.log(`  curl http://127.0.0.1:${edge.httpPort}/ -H "Host: app.example.com"`);
  console.log(
    `  curl https://app.example.com:${edge.tlsPort}/ --cacert ${file} --resolve '*:${edge.tlsPort}:127.0.0.1'`,
  );
  console.log(`Type ${Object.keys(commands).join(", ")} to look and play; --help says what they do. Ctrl-C stops it.`);
}

async function obey(edge: NgrokEdge, line: string): Promise<void> {
  const [word = "", n = ""] = line.trim().split(/\s+/);
  if (word === "") return;
  const command = commands[word];
  if (command === undefined) {
    console.log(`'${word}' is none of ${Object.keys(commands).join(", ")}`);
    return;
  }
  try {
    await command.run(edge, Number(n) || 0);
    console.log(`${word}: done`);
  } catch (error) {
    console.log(`${word}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function each(act: (session: ReturnType<NgrokEdge["sessions"]>[number]) => unknown) {
  return async (edge: NgrokEdge): Promise<void> => {
    for (const session of edge.sessions()) await act(session);
  };
}

function list(edge: NgrokEdge): void {
  for (const { id, from, auth } of edge.sessions()) console.log(`${id} from ${from}, ${auth?.userAgent}`);
  for (const { id, url, forwardsTo, session } of edge.endpoints()) {
    const port = edge.tcpPort(url);
    console.log(`${session.id} ${id} ${url}${port === undefined ? "" : ` (port ${port})`} -> ${forwardsTo}`);
  }
}

function log(event: EdgeEvent): void {
  const { kind, ...fields } = event;
  const said = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  console.log([new Date().toISOString(), kind, ...said].join(" "));
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > max)
      throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
    return value;
  };
}
