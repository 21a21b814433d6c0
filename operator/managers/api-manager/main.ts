// The program of the api-manager: the process's environment, arguments and signals, handed to the runtime.
import process from "node:process";
import type { Release } from "#api/release.ts";
import { VERSION } from "#api/version.ts";
import { connect } from "#kube/connection.ts";
import { USER_AGENT } from "#kube/written.ts";
import { connectNgrok, type NgrokClient, type NgrokOptions } from "#ngrok/client.ts";
import { systemClock as clock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { proxyFrom } from "#wire/proxy-from.ts";
import { type FlagValues, parseFlags } from "../../runtime/flags.ts";
import { healthPage, serve } from "../../runtime/health.ts";
import { KeyCheck, noKey } from "../../runtime/key.ts";
import { type Encoder, type Log, openLog } from "../../runtime/log.ts";
import { metrics as openMetrics } from "../../runtime/metrics.ts";
import { run } from "../../runtime/run.ts";
import { apiManager, controllers, isHidden, leaseOf, optionsOf, releaseOf } from "./manager.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.once(name, () => stop.abort(new Error(`${name} was received`)));
  try {
    const flags = parseFlags(apiManager.flags, process.argv.slice(2));
    return await start(flags, stop.signal);
  } catch (error) {
    // A user's error is one line and a remedy; only a bug has a stack.
    if (error instanceof KnownError)
      process.stderr.write(`api-manager: ${error.message}${error.hint === undefined ? "" : `: ${error.hint}`}\n`);
    else if (!stop.signal.aborted)
      process.stderr.write(`api-manager: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return stop.signal.aborted ? 0 : 1;
  }
}

async function start(flags: FlagValues, signal: AbortSignal): Promise<number> {
  const namespace = process.env["POD_NAMESPACE"];
  if (!namespace) {
    throw new KnownError("invalid", "POD_NAMESPACE environment variable should be set, but was not", {
      hint: "in a pod it comes from the field metadata.namespace; by hand, name the namespace of the release",
    });
  }
  const release = releaseOf(flags, namespace, process.env);
  const lease = leaseOf(flags, release);
  const apiKey = process.env["NGROK_API_KEY"] ?? "";
  const log = openLog(
    {
      level: flags["zap-devel"] === "true" ? "debug" : (flags["zap-log-level"] ?? "info"),
      encoder: (flags["zap-devel"] === "true" ? "console" : flags["zap-encoder"]) as Encoder,
      secrets: [apiKey],
    },
    process.stdout,
  );
  if (flags["one-click-demo-mode"] === "true") return await demo(flags, log, signal);
  const metrics = openMetrics();
  await using connection = await connect({
    env: process.env,
    clock,
    userAgent: `${USER_AGENT}/${VERSION}`,
    observe: (call) => metrics.called({ ...call, host: "kubernetes" }),
  });
  const key = new KeyCheck();
  const options = optionsOf(flags, VERSION, process.env);
  const ngrok = ngrokOf(flags, release, apiKey, options.uninstall.callsPerMinute, (call) => {
    metrics.called({ ...call, host: "ngrok" });
    key.heard(call.status);
  });
  await using _client = "problem" in ngrok ? undefined : ngrok;
  const { namespace: in_, name, watchNamespace } = release;
  log.info(
    { version: VERSION, release: `${in_}/${name}`, watchNamespace, server: connection.server },
    "api-manager starts",
  );
  if (watchNamespace !== undefined && watchNamespace !== namespace) {
    log.warn({ watchNamespace, namespace }, "the watched namespace is not the namespace of the release");
  }
  if (flags["enable-feature-gateway"] === "true" && isHidden("gateway", flags)) {
    log.warn("Gateway API is not served: with rbac.cluster=false GatewayClasses cannot be read; Ingresses are");
  }
  return await run({
    controllers,
    connection,
    ngrok,
    key,
    release,
    options,
    lease,
    identity: `pod/${process.env["POD_NAME"] ?? "local"}/${process.env["POD_UID"] ?? String(process.pid)}`,
    clusterWide: flags["rbac-cluster"] === "true",
    bind: { health: flags["health-probe-bind-address"] ?? "", metrics: flags["metrics-bind-address"] ?? "" },
    clock,
    metrics,
    log,
    signal,
  });
}

/** Without a usable key, or with a broken address: that is a condition and a reason not to be ready, no reason to crash. */
function ngrokOf(
  flags: FlagValues,
  release: Release,
  apiKey: string,
  callsPerMinute: number | undefined,
  observe: NonNullable<NgrokOptions["observe"]>,
): NgrokClient | { readonly problem: string } {
  if (apiKey === "") return { problem: noKey(release) };
  const apiUrl = flags["api-url"] ?? "";
  try {
    return connectNgrok({
      apiKey,
      callsPerMinute,
      ...(apiUrl === "" ? {} : { apiUrl }),
      proxy: proxyFrom(process.env),
      userAgent: `${USER_AGENT}/${VERSION}`,
      clock,
      observe,
      // Not the process's signal: what has begun at ngrok may end, so that its id gets into a status.
      signal: new AbortController().signal,
    });
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { problem: error.hint === undefined ? error.message : `${error.message}: ${error.hint}` };
  }
}

/** Serves the probes and does nothing: for a first look at the chart. */
async function demo(flags: FlagValues, log: Log, signal: AbortSignal): Promise<number> {
  const healthy = () => healthPage([]);
  await using _probes = await serve(flags["health-probe-bind-address"] ?? "", {
    "/healthz": healthy,
    "/readyz": healthy,
  });
  log.error(
    "one-click demo mode: nothing is reconciled; set NGROK_API_KEY and take --one-click-demo-mode away to use the operator",
  );
  await clock.sleep(2 ** 31 - 1, signal).catch(() => undefined);
  return 0;
}
