// `npm run ngrok-api`: the stand-in for ngrok's API as a program, to try the chart without an account.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import { httpAnswer } from "#test/support/ngrok-bindings/http-answer.ts";
import { type NgrokBindings, startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";
import { startNgrokApi, type NgrokApi, type NgrokApiOptions } from "#test/support/ngrok-api/server.ts";

interface Flags {
  readonly host: string;
  readonly port: number;
  readonly bindingsPort?: number;
  readonly bindingsName?: string;
  readonly bindingsCa: string;
  readonly key: string;
  readonly latency: number;
  readonly rate?: number;
  readonly verbose: boolean;
}

const program = new Command("ngrok-api")
  .description(
    "A stand-in for ngrok's REST API with its state in memory: install the chart against it without an account.",
  )
  .option("--host <address>", "address to listen on; 0.0.0.0 lets pods in", "127.0.0.1")
  .option("--port <port>", "port to listen on; 0 takes a free one", wholeNumber(65_535), 4300)
  .option("--key <key>", "the API key that it takes", "stand-in-key")
  .option("--latency <ms>", "how long each answer takes at least", wholeNumber(60_000), 0)
  .option("--rate <n>", "requests per minute above which it answers 429", wholeNumber(1_000_000, 1))
  .option("--bindings-port <port>", "serve the binding ingress as well, at this port", wholeNumber(65_535))
  .option("--bindings-name <name>", "name or address by which forwarders reach it; default localhost")
  .option("--bindings-ca <file>", "where the authority of its certificate is written", "ngrok-bindings-ca.crt")
  .option("--verbose", "log each request in one line", false)
  .action(async (flags: Flags) => await run(flags));

await program.parseAsync();

async function run(flags: Flags): Promise<void> {
  const { host, port, key, latency, rate, verbose } = flags;
  const bindings = flags.bindingsPort === undefined ? undefined : await startBindings(flags, flags.bindingsPort);
  const options: NgrokApiOptions = {
    ...(bindings !== undefined && { ingressEndpoint: bindings.ingress.address, authority: bindings.authority }),
    host,
    port,
    keys: [key],
    latencyMs: latency,
    ...(rate !== undefined && { rate }),
    ...(verbose && {
      onRequest: ({ method, path, query, status, ms, fault }) => log(method, path, query, status, ms, fault),
    }),
  };
  let api: NgrokApi;
  try {
    api = await startNgrokApi(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.error(`ngrok-api: cannot listen on ${host}:${port}: ${why}. Choose another --port or --host.`);
    process.exitCode = 1;
    await bindings?.ingress.close();
    return;
  }
  introduce(api, host, key);
  if (bindings !== undefined) introduceBindings(bindings.ingress, flags, api.url);
  const stop = () => {
    void bindings?.ingress.close();
    void api.close().then(() => console.log(`stopped; ${api.remote()} remote objects are forgotten`));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

/** The binding ingress takes those whose certificate this API has signed, and answers for any endpoint itself. */
async function startBindings({ host, bindingsName, bindingsCa, verbose }: Flags, port: number) {
  const authority = await createAuthority(90);
  const ingress = await startNgrokBindings({
    host,
    port,
    names: bindingsName === undefined ? [] : [bindingsName],
    clientCa: authority.certificate,
    endpoints: () => httpAnswer,
    ...(verbose && {
      onEvent: (event) => console.log(`${new Date().toISOString()} bindings ${JSON.stringify(event)}`),
    }),
  });
  // npm runs scripts in the project; the file is meant where the person stands.
  await writeFile(resolve(process.env["INIT_CWD"] ?? ".", bindingsCa), ingress.ca);
  return { ingress, authority };
}

function introduceBindings(ingress: NgrokBindings, { bindingsCa, key }: Flags, url: string): void {
  console.log(`ngrok's binding ingress, the stand-in: ${ingress.address}; its authority is in ${bindingsCa}`);
  console.log(`  kubectl create configmap ngrok-ca --from-file=ca.crt=${bindingsCa}`);
  console.log("  helm ... --set bindings.enabled=true --set extraCA.configMapName=ngrok-ca");
  console.log("An endpoint with the binding is then a Service in the cluster, and says who asks:");
  console.log(
    `  curl ${url}/endpoints -H "authorization: Bearer ${key}" -H "ngrok-version: 2" -H "content-type: application/json" \\`,
  );
  console.log(`    -d '{"type":"cloud","url":"http://hello.default:80","bindings":["kubernetes"]}'`);
}

function introduce(api: NgrokApi, host: string, key: string): void {
  console.log(`ngrok's API, the stand-in: ${api.url}`);
  const everywhere = host === "0.0.0.0" || host === "::";
  const seen = everywhere ? `http://<this host as pods see it>:${api.port}` : api.url;
  if (!everywhere) console.log("Only this machine reaches it; --host 0.0.0.0 lets the pods of a cluster in.");
  console.log("Install the chart against it, with the image of npm run images:");
  console.log(`  helm install ngrok-operator chart -f dist/images/values.yaml --set apiURL=${seen} \\`);
  console.log(
    `    --set credentials.apiKey=${key} --set credentials.authtoken=stand-in --set agent.enabled=false  # or npm run ngrok-edge`,
  );
  console.log("Look and play:");
  console.log(`  curl ${api.url}/endpoints -H "authorization: Bearer ${key}" -H "ngrok-version: 2"`);
  console.log(`  curl ${api.url}/__control/state`);
  console.log(`  curl ${api.url}/__control/faults -d '{"kind":"status","status":429,"retryAfter":5,"times":"always"}'`);
  console.log("Ctrl-C stops it.");
}

function log(method: string, path: string, query: string, status: number, ms: number, fault?: string): void {
  const target = query === "" ? path : `${path}?${query}`;
  const trouble = fault === undefined ? "" : ` (${fault})`;
  console.log(
    `${new Date().toISOString()} ${method} ${target} ${status === 0 ? "no answer" : status}${trouble} ${ms.toFixed(1)} ms`,
  );
}

function wholeNumber(max: number, min = 0): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
