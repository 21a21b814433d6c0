// The login of a kubeconfig: client certificates, tokens, token files and exec plugins, as @kubernetes/client-node reads
// them. Its module is loaded only here and only when a kubeconfig is used: a pod's start does not pay for it.
import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { dirname } from "node:path";
import { KnownError } from "#wire/errors.ts";
import { systemClock } from "#wire/clock.ts";
import type { Tls } from "#wire/http.ts";
import type { Login, LoginSource } from "./login.ts";

type KubeConfig = import("@kubernetes/client-node/dist/config.js").KubeConfig;

/** An exec plugin may ask a person to log in; it may not hang for ever. */
const EXEC_TIMEOUT_MS = 60_000;

/**
 * `from` is a file's path, or the parsed content. `context` overrides current-context.
 * Throws KnownError invalid that names the file and the remedy.
 */
export async function kubeconfig(from: string | object, context?: string): Promise<LoginSource> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const name = typeof from === "string" ? `kubeconfig ${from}` : "the given kubeconfig";
  const read = (): KubeConfig => {
    const config = new KubeConfig();
    load(config, from, name);
    if (context !== undefined) config.setCurrentContext(context);
    check(config, name);
    return config;
  };
  let config = read();
  return async () => {
    // client-node reads token and certificate files once, with the kubeconfig; a plugin's credential it keeps until it expires.
    if (typeof from === "string" && !usesPlugin(config)) config = read();
    return await login(config, name);
  };
}

/** client-node 2.0 reads "token-file", kubeconfigs say tokenFile: without this, such a login would silently be anonymous. */
function kubectlsWords(text: string): string {
  return text.replaceAll(/\btokenFile(?=["']?\s*:)/g, "token-file");
}

function usesPlugin(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  return Boolean(user?.exec) || Boolean(user?.authProvider);
}

function load(config: KubeConfig, from: string | object, name: string): void {
  try {
    config.loadFromString(kubectlsWords(typeof from === "string" ? readFileSync(from, "utf8") : JSON.stringify(from)));
    if (typeof from === "string") config.makePathsAbsolute(dirname(from));
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") {
      throw broken(`${name} cannot be read (${error.code})`, "Check the path in --kubeconfig or KUBECONFIG.", error);
    }
    // A YAML error quotes the lines around it, secrets included: only the line's number is repeated.
    throw broken(`${name} is not a kubeconfig${lineOf(error)}`, "Repair the file; `kubectl config view` reads it too.");
  }
}

function check(config: KubeConfig, name: string): void {
  const current = config.getCurrentContext();
  const contexts = config.getContexts().map((each) => each.name);
  if (!current) throw broken(`${name} names no current-context`, "Choose one: kubectl config use-context NAME.");
  if (!contexts.includes(current)) {
    throw broken(`${name} has no context "${current}"`, `It has: ${contexts.join(", ") || "none"}.`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw broken(`${name}: context "${current}" has no cluster with a valid server address`, "Add it under clusters.");
  }
  if (cluster.proxyUrl?.startsWith("socks")) {
    throw broken(`${name}: proxy-url ${new URL(cluster.proxyUrl).protocol} is not supported`, "Use an http proxy.");
  }
}

async function login(config: KubeConfig, name: string): Promise<Login> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw broken(`${name} has no current cluster`, "Choose a context.");
  const url = new URL(cluster.server);
  // client-node refuses plain http unless TLS is skipped; `kubectl proxy` speaks just that.
  if (url.protocol === "http:") Object.assign(cluster, { skipTLSVerify: true });
  const options = await credentials(config, name);
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(options.headers ?? {})) headers[key.toLowerCase()] = String(value).trim();
  if (options.auth) headers["authorization"] ??= `Basic ${Buffer.from(options.auth).toString("base64")}`;
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ""),
    tls: url.protocol === "http:" ? {} : tlsOf(options),
    headers,
    ...(cluster.proxyUrl === undefined ? {} : { proxy: cluster.proxyUrl }),
  };
}

async function credentials(config: KubeConfig, name: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  const stop = new AbortController();
  const late = systemClock.sleep(EXEC_TIMEOUT_MS, stop.signal).then(
    () => {
      throw new Error(`no answer within ${EXEC_TIMEOUT_MS} ms`);
    },
    () => undefined,
  );
  try {
    await Promise.race([config.applyToHTTPSOptions(options), late]);
    return options;
  } catch (error) {
    const user = config.getCurrentUser();
    const command: unknown = user?.exec?.command;
    if (typeof command === "string") {
      // What the plugin printed may hold a credential; people can run it themselves.
      const why = error instanceof Error && "code" in error ? String(error.code) : "it failed";
      throw broken(
        `${name}: the exec plugin ${command} gave no credential (${why})`,
        `Run ${command} by hand to see why.`,
      );
    }
    const what = error instanceof Error && "path" in error ? String(error.path) : "the credentials";
    throw broken(`${name}: cannot read ${what}`, "Check the files that the kubeconfig names.", error);
  } finally {
    stop.abort();
  }
}

function tlsOf(options: RequestOptions): Tls {
  const { ca, cert, key, passphrase, pfx, servername, rejectUnauthorized } = options;
  const tls: Record<string, unknown> = { ca, cert, key, passphrase, pfx, servername, rejectUnauthorized };
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)) as Tls;
}

function lineOf(error: unknown): string {
  const mark: unknown = typeof error === "object" && error !== null && "mark" in error ? error.mark : undefined;
  const line: unknown = typeof mark === "object" && mark !== null && "line" in mark ? mark.line : undefined;
  return typeof line === "number" ? ` (line ${line + 1})` : "";
}

function broken(message: string, hint: string, cause?: unknown): KnownError {
  return new KnownError("invalid", message, { code: "Kubeconfig", hint, ...(cause === undefined ? {} : { cause }) });
}
