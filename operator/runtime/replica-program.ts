// A pod of which every replica works, as a program: the flags that all of them have, and the way from the process's
// arguments and environment, which its main.ts hands in, to the runtime.
import { allow, type Rule } from "#api/rbac.ts";
import { type Release, restartCommand } from "#api/release.ts";
import { VERSION } from "#api/version.ts";
import { connect } from "#kube/connection.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { USER_AGENT } from "#kube/written.ts";
import { type Clock, systemClock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { AUTHORITIES, followAuthorities, readAuthorities } from "./authorities.ts";
import type { Flag, Manager } from "./define-manager.ts";
import { type FlagValues, notEmpty, oneOf, parseFlags } from "./flags.ts";
import { type Encoder, isLevel, type Log, openLog } from "./log.ts";
import { type Metrics, metrics as openMetrics } from "./metrics.ts";
import { runReplicas, type RunReplicasOptions } from "./run-replicas.ts";

/** @param managerName the default of `--manager-name`. */
export function replicaFlags(managerName: string): readonly Flag[] {
  return [
    {
      name: "release-name",
      default: "ngrok-operator",
      description: "Helm release; the KubernetesOperator has its name",
      check: notEmpty("give the Helm release"),
    },
    {
      name: "fullname",
      default: "",
      description: "The chart's fullname, from which the name of the drain state is made; default: the release name",
    },
    { name: "metrics-bind-address", default: ":8080", description: "Where /metrics is served; 0 for nowhere" },
    { name: "health-probe-bind-address", default: ":8081", description: "Where /healthz and /readyz are served" },
    {
      name: "description",
      default: "Created by the ngrok-operator",
      description: "Description of this install at ngrok",
    },
    { name: "manager-name", default: managerName, description: "Accepted; the name of this pod's controllers" },
    { name: "watch-namespace", default: "", description: "The one namespace to watch; empty for all" },
    { name: "rbac-cluster", default: "true", description: "Whether there are rights outside the namespaces" },
    {
      name: "termination-grace-seconds",
      default: "30",
      description: "terminationGracePeriodSeconds of the pod: how long it has to stop",
      check: (value) => (/^\d{1,6}$/.test(value) ? undefined : "write whole seconds"),
    },
    { name: "zap-devel", default: "false", description: "Logs for people, from level debug" },
    { name: "zap-encoder", default: "json", description: "json or console", check: oneOf("json", "console") },
    {
      name: "zap-log-level",
      default: "info",
      description: "debug, info, warn, error, or a number above 0, which means debug",
      check: (value) => (isLevel(value) ? undefined : "write debug, info, warn, error or a number above 0"),
    },
    { name: "zap-stacktrace-level", default: "error", description: "Accepted, to no effect: only a bug has a stack" },
    { name: "zap-time-encoding", default: "rfc3339", description: "Accepted; times are RFC 3339" },
  ];
}

/** Rights that belong to no controller. */
export const replicaRights: readonly Rule[] = [
  allow(ConfigMap, ["get", "list", "watch"], {
    scope: "release",
    named: "drainState",
    why: "reads the drain state: nothing is opened or changed unless it is Open",
  }),
];

/** What the process hands in. */
export interface Surroundings {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  /** SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Opened {
  readonly flags: FlagValues;
  readonly release: Release;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long the pod may take to stop, milliseconds. */
  readonly graceMs: number;
  /** Authorities that the cluster adds, PEM. */
  readonly extraRoots: readonly string[];
  readonly metrics: Pick<Metrics, "connections" | "session">;
}

/** What a pod brings to the runtime. */
export type Work = Pick<RunReplicasOptions, "works" | "checks" | "closing">;

export interface ReplicaProgram {
  readonly manager: Manager;
  /** Variables of the environment whose values no line of the log may hold. */
  readonly secrets?: readonly string[];
  open(opened: Opened): Work | Promise<Work>;
}

/** Runs until the signal, or until it is to start anew. Returns the exit code; what a user did wrong is one line and a remedy, only a bug has a stack. */
export async function replicaProgram(program: ReplicaProgram, given: Surroundings): Promise<number> {
  const { name } = program.manager;
  const anew = new AbortController();
  const signal = AbortSignal.any([given.signal, anew.signal]);
  try {
    const flags = parseFlags(program.manager.flags, given.argv);
    return await start(program, flags, { ...given, signal }, (why) => anew.abort(new Error(why)));
  } catch (error) {
    if (error instanceof KnownError)
      given.err.write(`${name}: ${error.message}${error.hint === undefined ? "" : `: ${error.hint}`}\n`);
    else if (!signal.aborted)
      given.err.write(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return signal.aborted ? 0 : 1;
  }
}

async function start(
  program: ReplicaProgram,
  flags: FlagValues,
  given: Surroundings,
  stop: (why: string) => void,
): Promise<number> {
  const { env, signal } = given;
  const release = releaseOf(flags, env["POD_NAMESPACE"] ?? "");
  const log = openLog(
    {
      level: flags["zap-devel"] === "true" ? "debug" : (flags["zap-log-level"] ?? "info"),
      encoder: (flags["zap-devel"] === "true" ? "console" : flags["zap-encoder"]) as Encoder,
      secrets: (program.secrets ?? []).map((name) => env[name] ?? ""),
    },
    given.out,
  );
  const clock = systemClock;
  const folder = env["NGROK_EXTRA_CA_DIR"] ?? AUTHORITIES;
  const extraRoots = await readAuthorities(folder);
  const metrics = openMetrics();
  await using connection = await connect({
    env,
    clock,
    userAgent: `${USER_AGENT}/${VERSION}`,
    observe: (call) => metrics.called({ ...call, host: "kubernetes" }),
  });
  const pod = env["POD_NAME"] ?? "local";
  const graceMs = Number(flags["termination-grace-seconds"]) * 1000;
  log.info(
    { version: VERSION, release: `${release.namespace}/${release.name}`, pod, server: connection.server },
    `${program.manager.name} starts`,
  );
  const restarts = isTrue(env["NGROK_OPERATOR_RESTART_ON_CERT_CHANGE"]);
  followAuthorities({ folder, before: extraRoots, clock, log, signal }, () => {
    const hint = restarts
      ? "the pod starts anew with them"
      : `start the pods anew to have them trusted: ${restartCommand(release)}`;
    log.info({ folder, hint }, "the authorities have changed");
    if (restarts) stop("the authorities have changed");
  });
  return await runReplicas({
    ...(await program.open({ flags, release, clock, log, signal, graceMs, extraRoots, metrics })),
    connection,
    release,
    clusterWide: flags["rbac-cluster"] === "true",
    pod,
    bind: { health: flags["health-probe-bind-address"] ?? "", metrics: flags["metrics-bind-address"] ?? "" },
    clock,
    metrics,
    log,
    signal,
  });
}

/** In the spellings that operators of earlier releases took. */
function isTrue(value = ""): boolean {
  return ["1", "t", "true"].includes(value.toLowerCase());
}

function releaseOf(flags: FlagValues, namespace: string): Release {
  if (namespace === "") {
    throw new KnownError("invalid", "POD_NAMESPACE environment variable should be set, but was not", {
      hint: "in a pod it comes from the field metadata.namespace; by hand, name the namespace of the release",
    });
  }
  const name = flags["release-name"] ?? "";
  const watchNamespace = flags["watch-namespace"] ?? "";
  return {
    name,
    namespace,
    fullname: flags["fullname"] || name,
    ...(watchNamespace === "" ? {} : { watchNamespace }),
  };
}
