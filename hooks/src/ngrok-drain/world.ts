// Opens the world of a command: the cluster by a kubeconfig or the pod's own login, the install that is meant, ngrok once
// it is asked for; closes it afterwards.
import { VERSION } from "#api/version.ts";
import { connect } from "#kube/connection.ts";
import { Secret } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { CLI_USER_AGENT } from "#kube/written.ts";
import { connectNgrok, type NgrokClient } from "#ngrok/client.ts";
import { KnownError } from "#wire/errors.ts";
import { proxyFrom } from "#wire/proxy-from.ts";
import type { Search, Terminal, World } from "./command.ts";
import type { Install, Where } from "./install.ts";

export interface Flags extends Where {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly output?: string | undefined;
}

/** Runs `work` in the world that flags and environment name, on the install that `find` finds. */
export async function inWorld(
  flags: Flags,
  terminal: Terminal,
  find: (search: Search) => Promise<Install>,
  work: (world: World) => Promise<number>,
): Promise<number> {
  const { env, clock, signal } = terminal;
  const json = flags.output === "json";
  await using connection = await connect({
    kubeconfig: flags.kubeconfig,
    context: flags.context,
    env,
    clock,
    userAgent: `${CLI_USER_AGENT}/${VERSION}`,
  });
  const read = reader(connection);
  const elsewhere = flags.kubeconfig !== undefined || flags.context !== undefined;
  const install = await find({ env, elsewhere, read, signal });
  let client: Promise<NgrokClient | undefined> | undefined;
  try {
    return await work({
      install,
      connection,
      read,
      clock,
      signal,
      ngrok: async (fence) => (await (client ??= ngrokOf(install, env, terminal, read)))?.under(fence),
      answer(document, lines) {
        terminal.stdout.write(`${json ? JSON.stringify(document, null, 2) : lines.join("\n")}\n`);
      },
      show(lines) {
        if (!json && lines.length > 0) terminal.stdout.write(`${lines.join("\n")}\n`);
      },
      ask: async (question) => (json ? undefined : await terminal.ask(question)),
      tell(document, line) {
        terminal.stdout.write(`${json ? JSON.stringify(document) : `${timeOf(terminal)} ${line}`}\n`);
      },
      say(word, sentence) {
        const line = `${timeOf(terminal)} ${word.padEnd(9)} ${sentence.replaceAll(/\s+/g, " ")}\n`;
        (json ? terminal.stderr : terminal.stdout).write(line);
      },
    });
  } finally {
    const opened = await client?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}

function timeOf({ clock }: Terminal): string {
  return clock.date().toISOString().slice(11, 19);
}

async function ngrokOf(
  { apiUrl, apiKeyIn, callsPerMinute, release, inside }: Install,
  env: Terminal["env"],
  { clock, signal }: Terminal,
  read: Reader,
): Promise<NgrokClient | undefined> {
  const given = env["NGROK_API_KEY"];
  const apiKey = given || (inside ? undefined : await keyOf(apiKeyIn, release.namespace, read, signal));
  if (!apiKey) return undefined;
  const address = env["NGROK_API_URL"] || apiUrl;
  return connectNgrok({
    apiKey,
    callsPerMinute,
    ...(address ? { apiUrl: address } : {}),
    proxy: proxyFrom(env),
    userAgent: `${CLI_USER_AGENT}/${VERSION}`,
    clock,
    signal,
  });
}

/** With a person's login; it goes into requests to ngrok and nowhere else. */
async function keyOf(
  at: Install["apiKeyIn"],
  namespace: string,
  read: Reader,
  signal: AbortSignal,
): Promise<string | undefined> {
  const secret = await read.get(Secret, { name: at.name, namespace }, signal);
  const encoded = secret?.data?.[at.key];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8").trim();
  if (text !== "") return text;
  throw new KnownError("invalid", `Secret ${at.name} has an empty ${at.key}`, {
    hint: `put an API key from https://dashboard.ngrok.com/api into it`,
  });
}
