// Runs a hook's definition as a process: its world from the environment, its lines to the terminal and to the
// termination message, its result to an exit code. A user's error is one line and a remedy, never a stack.
import { writeFile } from "node:fs/promises";
import { VERSION } from "#api/version.ts";
import { ngrokRefuses } from "#drain/hands.ts";
import { connect, type Connection } from "#kube/connection.ts";
import { hookUserAgent, USER_AGENT } from "#kube/written.ts";
import { connectNgrok, type NgrokClient } from "#ngrok/client.ts";
import { callsPerMinuteOf } from "#ngrok/pace.ts";
import { type Clock, systemClock } from "#wire/clock.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { proxyFrom } from "#wire/proxy-from.ts";
import type { EnvVar, Hook, HookWorld, Parsed } from "./define-hook.ts";

/** The part of `process` that a hook needs; main.ts hands in the real one. */
export interface HookProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  once(signal: "SIGTERM" | "SIGINT", end: () => void): unknown;
}

/** Kubernetes shows at most 4,096 bytes of it. */
const TERMINATION_MESSAGE_BYTES = 4_000;
const TERMINATION_LOG = "/dev/termination-log";

/** Runs the hook to its end and returns the exit code; the last lines also become the pod's termination message. */
export async function runHook<E extends Record<string, EnvVar>>(
  hook: Hook<E>,
  from: HookProcess,
  clock: Clock = systemClock,
): Promise<number> {
  const lines: string[] = [];
  const say = (word: string, sentence: string): void => {
    // Helm 4 prints the log escaped: no quotes, tabs or line breaks, whatever an error text brings along.
    const line = `${clock.date().toISOString().slice(11, 19)} ${word.padEnd(9)} ${sentence.replaceAll(/\s+/g, " ").replaceAll('"', "'")}`;
    lines.push(line);
    from.stdout.write(`${line}\n`);
  };
  const stop = new AbortController();
  const end = (): void => stop.abort(new Stopped());
  from.once("SIGTERM", end);
  from.once("SIGINT", end);
  const code = await attempt(hook, from, say, clock, stop.signal);
  await writeFile(from.env["TERMINATION_LOG"] ?? TERMINATION_LOG, `${lastOf(lines)}\n`).catch(() => {});
  return code;
}

class Stopped extends Error {}

async function attempt<E extends Record<string, EnvVar>>(
  hook: Hook<E>,
  from: HookProcess,
  say: HookWorld<E>["say"],
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  let connection: Connection | undefined;
  let ngrok: NgrokClient | undefined;
  try {
    const env = parse(hook, from.env);
    connection = await connect({ env: from.env, clock, userAgent: `${hookUserAgent(hook.name)}/${VERSION}` });
    ngrok = ngrokOf(from.env, clock, signal);
    const client = ngrok;
    const result = await hook.run({ env, connection, ngrok: (fence) => client?.under(fence), clock, signal, say });
    return result.ok ? 0 : 1;
  } catch (error) {
    explain(error, say, AGAIN[hook.phase]);
    return 1;
  } finally {
    await ngrok?.[Symbol.asyncDispose]();
    await connection?.[Symbol.asyncDispose]();
  }
}

function ngrokOf(env: HookProcess["env"], clock: Clock, signal: AbortSignal): NgrokClient | undefined {
  const apiKey = env["NGROK_API_KEY"];
  if (apiKey === undefined || apiKey === "") return undefined;
  const apiUrl = env["NGROK_API_URL"];
  return connectNgrok({
    apiKey,
    callsPerMinute: callsPerMinuteOf(env["NGROK_CALLS_PER_MINUTE"]),
    ...(apiUrl ? { apiUrl } : {}),
    proxy: proxyFrom(env),
    userAgent: `${USER_AGENT}/${VERSION}`,
    clock,
    signal,
  });
}

/** Every declared name, checked; what is missing is a fault of the chart or of who runs the hook by hand. */
function parse<E extends Record<string, EnvVar>>(hook: Hook<E>, env: HookProcess["env"]): Parsed<E> {
  const missing = Object.entries(hook.env)
    .filter(([name, { from }]) => from !== "secret" && env[name] === undefined)
    .map(([name]) => name);
  if (missing.length > 0) {
    throw new KnownError("invalid", `the environment lacks ${missing.join(", ")}`, {
      hint: "this program is started by the chart's hook Job, whose env sets them: chart/templates/hooks",
    });
  }
  return Object.fromEntries(Object.keys(hook.env).map((name) => [name, env[name]])) as Parsed<E>;
}

const RESUMED = "run the same helm uninstall again; it goes on where this run ended";
/** What a person types next; who only rehearsed must never be told to uninstall. */
const AGAIN: Readonly<Record<Hook["phase"], string>> = {
  "pre-delete": RESUMED,
  // Helm forgets a release whose last hook has failed.
  "post-delete":
    "run the same helm uninstall again; where Helm knows no such release any more, helm install it, then helm uninstall it",
  test: "run the same helm test again; it changes nothing",
};

function explain(error: unknown, say: (word: string, sentence: string) => void, again: string): void {
  if (error instanceof Stopped) {
    say("stopped", "this pod was told to end before it was done; nothing is lost");
    say("again", again);
  } else if (error instanceof FenceLost) {
    say("stopped", `the write token went to somebody else: ${error.message}`);
    say("again", again);
  } else if (error instanceof KnownError) {
    say("failed", error.message);
    if (error.hint !== undefined) say("remedy", error.hint);
    // Helm deletes a hook's ServiceAccount when it gives up waiting, while the pod still runs.
    say(
      "again",
      error.status === 401 && !ngrokRefuses(error) ? `Helm gave up waiting: ${again}, with a larger --timeout` : again,
    );
  } else {
    say("failed", `this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    say("again", again);
  }
}

function lastOf(lines: readonly string[]): string {
  let text = "";
  for (const line of lines.toReversed()) {
    if (text.length + line.length + 1 > TERMINATION_MESSAGE_BYTES) break;
    text = text === "" ? line : `${line}\n${text}`;
  }
  return text;
}
