// `ngrok-drain plan`: what an uninstall would do under either policy, and what would stop it. It reads, asks, and changes
// nothing.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Rule } from "#api/rbac.ts";
import { VERSION } from "#api/version.ts";
import { countPage, newDryRun } from "#drain/dry-run.ts";
import { inventory, surroundingsOf } from "#drain/inventory.ts";
import { rows } from "#drain/kinds.ts";
import { othersDepend, upgradeCommand } from "#drain/others.ts";
import { missedRights, watchedIsGone } from "#drain/preflight.ts";
import { drainRights } from "#drain/rbac.ts";
import { restartCommand, withoutHooks } from "#drain/readiness.ts";
import { roomFor } from "#drain/room.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { known, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import { type Asked, askedPolicy, type DrainCommand, EXIT, POLICIES, type World } from "./command.ts";
import { type Blocker, type Forecast, forecastOf, type Unanswered } from "./forecast.ts";
import { forecastPage } from "./forecast-page.ts";
import { policyInForce } from "./in-force.ts";
import type { Install } from "./install.ts";

export const planCommand: DrainCommand = {
  name: "plan",
  summary: "Say what helm uninstall would do under Retain and under Delete, and what would stop it. Changes nothing.",
  options: [
    ["--policy <policy>", "judge the exit code by Retain or Delete instead of the policy in force", POLICIES],
    [
      "--calls-per-minute <n>",
      "reckon with this limit on calls to ngrok, 0 for none; default: the chart's ngrokApi.callsPerMinute",
    ],
  ],
  examples: [
    ["plan", "before an uninstall: is it ready, and what will it destroy?"],
    ["plan --policy Delete -o json | jq .blockers", "what would stand in the way of Delete"],
    ["plan -o json | jq -r '.leftAlone[] | [.object, .why] | @tsv'", "objects that another install must free"],
  ],
  exits: "0 ready, 2 blocked, 3 not known because cluster or ngrok did not answer, 1 error",
  run,
};

interface Findings {
  readonly blockers: Blocker[];
  readonly unanswered: Unanswered[];
}

async function run(world: World, { options }: Asked): Promise<number> {
  const forecast = await foresee(world, { rate: options["callsPerMinute"], hook: world.install.hook });
  world.answer(forecast, forecastPage(forecast));
  const verdict = forecast.ready[askedPolicy(options["policy"]) ?? forecast.policy];
  return { yes: EXIT.ok, no: EXIT.refused, unknown: EXIT.unknown }[verdict];
}

/** What is asked otherwise than by default. */
interface Otherwise {
  /** In calls a minute, as a person wrote it. */
  readonly rate?: string | boolean | undefined;
  /** False where helm uninstall, which is what is planned, would run no hook. */
  readonly hook?: boolean;
  /** The rights that an install's own pod asks for, and for whom a missing one is missing. */
  readonly rights?: readonly Rule[];
  readonly whose?: string;
  /** Said of the room for a hook's pod by one that is such a pod itself, and counted already. */
  readonly room?: readonly string[];
}

/** Looks at cluster and ngrok and changes nothing. */
export async function foresee(world: World, otherwise: Otherwise = {}): Promise<Forecast> {
  const { install, read, signal } = world;
  const { release, clusterWide, crdsGo } = install;
  const callsPerMinute = otherwise.rate === undefined ? install.callsPerMinute : limitOf(otherwise.rate);
  const operator = await read.get(KubernetesOperator, { name: release.name, namespace: release.namespace }, signal);
  const state = parseState(await read.get(ConfigMap, stateRef(release), signal));
  const dry = newDryRun();
  const surroundings = await surroundingsOf(read, install, signal);
  for await (const page of inventory(read, rows, { release, clusterWide }, surroundings, signal))
    await countPage(dry, page, release, signal);
  const findings: Findings = { blockers: [], unanswered: [] };
  if (otherwise.hook === false) findings.blockers.push({ policies: POLICIES, ...withoutHooks(release) });
  await askCluster(world, findings, otherwise);
  const room = otherwise.room ?? (await askRoom(world, findings));
  await askNgrok(world, findings, otherwise);
  const inForce = policyInForce(state, install.policy, operator);
  return forecastOf({
    release,
    inForce,
    crdsGo,
    state,
    run: dry,
    ...findings,
    registered: Boolean(operator?.status?.id),
    callsPerMinute,
    helmSeconds: install.helmSeconds,
    notes: [
      ...install.assumed,
      ...room,
      ...(install.inside ? [] : ["the rights of the operator are not asked for from here, only in its pod"]),
      ...(clusterWide ? [] : ["rbac.cluster=false: what lies outside the namespaces of this install is not looked at"]),
    ],
  });
}

/** Undefined for 0, which is no limit, as in the chart. */
function limitOf(rate: string | boolean): number | undefined {
  const callsPerMinute = Number(rate);
  if (!(callsPerMinute >= 0)) throw new KnownError("invalid", "--calls-per-minute is not a number of calls");
  return callsPerMinute === 0 ? undefined : callsPerMinute;
}

/** Rights, where we are the operator; and who else needs the CRDs, where they go. */
async function askCluster(
  world: World,
  { blockers, unanswered }: Findings,
  { rights = drainRights, whose = "the operator's ServiceAccount" }: Otherwise,
): Promise<void> {
  const { connection, read, signal, install } = world;
  const { release, clusterWide, crdsGo } = install;
  try {
    if (install.inside) {
      const [first = "", ...commands] = watchedIsGone(release, clusterWide, "REVISION");
      const again = `${first} ${commands.join(", then ")}`.trim();
      for (const { text, namespace } of await missedRights({
        connection,
        read,
        release,
        rights,
        clusterWide,
        signal,
      })) {
        const back = "give the right back (chart/RBAC.md lists all), for example by helm upgrade";
        const remedy = again !== "" && namespace === release.watchNamespace ? `${back}; ${again}` : back;
        blockers.push({ policies: POLICIES, reason: `${whose} may not ${text}`, remedy });
      }
    }
    const refusal = await othersDepend({
      read,
      release,
      crdsGo,
      clusterWide,
      revision: "REVISION",
      chart: VERSION,
      signal,
    });
    if (refusal !== undefined) {
      blockers.push({
        policies: POLICIES,
        reason: refusal.reason,
        remedy: refusal.beforehand ?? upgradeCommand(release, VERSION, "crds.keep=true"),
      });
    }
  } catch (error) {
    signal.throwIfAborted();
    unanswered.push({ policies: POLICIES, what: "the API server", why: known(error).message });
  }
}

/** Whether Helm could make the pods of the hooks; what cannot be told is returned as notes. */
async function askRoom(
  { read, signal, install: { release, pod, inside } }: World,
  { blockers, unanswered }: Findings,
): Promise<readonly string[]> {
  if (pod === undefined) return [];
  try {
    for (const { reason, now, remedy } of await roomFor(read, release, pod, signal)) {
      const numbers = now === "" ? "" : ` (${now})`;
      blockers.push({
        policies: POLICIES,
        reason: `no pod of a hook could be made in namespace ${release.namespace}: ${reason}${numbers}`,
        remedy,
      });
    }
    return [];
  } catch (error) {
    signal.throwIfAborted();
    const { message } = known(error);
    if (inside)
      unanswered.push({
        policies: POLICIES,
        what: `the ResourceQuotas of namespace ${release.namespace}`,
        why: message,
      });
    return inside ? [] : [`whether the namespace has room for the hooks' pods is not known: ${message}`];
  }
}

/** Under Delete ngrok must take the key; under Retain it does not matter. */
async function askNgrok(world: World, { blockers, unanswered }: Findings, otherwise: Otherwise): Promise<void> {
  const { signal, install } = world;
  const policies = ["Delete"] as const;
  const remedy = `put a valid key into Secret ${install.apiKeyIn.name} under ${install.apiKeyIn.key}, or choose Retain`;
  try {
    const ngrok = await world.ngrok(mayNotWrite(signal));
    if (ngrok === undefined)
      blockers.push({
        policies,
        reason: "there is no ngrok API key",
        remedy: `${remedy}${sinceStart(install, otherwise)}`,
      });
    else await ngrok.verifyKey(signal);
  } catch (error) {
    signal.throwIfAborted();
    const { class: kind, message, hint } = known(error);
    // Whether the key may be read is a matter of this login, not of the uninstall.
    if (kind === "invalid" && !(error instanceof KnownError && error.code === "Forbidden"))
      blockers.push({ policies, reason: message, remedy: hint ?? remedy });
    else unanswered.push({ policies, what: "ngrok's API key", why: message });
  }
}

/** The hook's pod will read the Secret anew, as that of a rehearsal has; the operator's has read it at its start. */
function sinceStart({ inside, release }: Install, { room }: Otherwise): string {
  if (!inside || room !== undefined) return "";
  return `; is it there by now? This pod has started without it: ${restartCommand(release)}`;
}

function mayNotWrite(signal: AbortSignal): Fence {
  return {
    signal,
    assertMayWrite() {
      throw new KnownError("invalid", "a plan writes nothing");
    },
  };
}
