// One case from install to verdict: the operator works, the bad day comes, `helm uninstall` runs until it succeeds, and what
// is left and what was written down is held against what must never happen.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Fronts } from "#scripts/demo/fronts.ts";
import { harmToAll } from "#scripts/demo/users.ts";
import type { ApiProxy } from "#test/support/api-proxy.ts";
import { type AuditEvent, endOf, eventsSince, said } from "#test/support/audit.ts";
import { denials } from "#test/support/denials.ts";
import type { HelmRun } from "#test/support/helm.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import type { Processes } from "#test/support/processes.ts";
import { FULLNAME, RELEASE, type Scene } from "#test/support/open-scene.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { accountOf } from "#test/support/rights.ts";
import { actOf, textOf, type OpenAct } from "./act.ts";
import { randomOf } from "./random.ts";
import { type FirstEnd, firstEndOf, leavesOf, type RunCase, type Scenario } from "./scenario.ts";
import {
  type Evidence,
  isRelaxed,
  lostUnderRetain,
  replicasBeyondStatus,
  strippedUnderDelete,
  takenUnderRetain,
  unexplained,
  writesAfterFence,
} from "./verdict.ts";
import { openUsers } from "./users.ts";
import { openWays, prepareWays, waysAreShut, waysLeft } from "./ways.ts";

/** As often the same command may be needed until it succeeds. */
const RUNS = 4;

export interface FlowOptions {
  readonly scenario: Scenario;
  readonly run: RunCase;
  readonly scene: Scene;
  /** What agents and forwarders come to. */
  readonly fronts: Fronts;
  readonly proxy: ApiProxy;
  readonly processes: Processes;
  readonly seed: number;
}

/** How the case ended, as the table shows it. */
export type Ended = "0" | "1, then 0";

export async function play(options: FlowOptions): Promise<Ended> {
  const { scenario, run, scene, fronts, proxy, processes, seed } = options;
  const random = randomOf(seed, `${scenario.name} ${run.helm} ${run.policy} ${run.keep}`);
  proxy.reset(random.next);
  const installed = await endOf(scene.auditLog);
  await prepareWays(scene, fronts);
  const release = await scene.install({ helm: run.helm, values: valuesOf(scenario, run) });
  const [population, , users] = await Promise.all([scene.populate(scenario.count), openWays(scene), openUsers(scene)]);
  let position = installed;
  const setting = {
    scenario,
    run,
    scene,
    fronts,
    release,
    population,
    proxy,
    processes,
    random,
    position: () => position,
  };
  const act = actOf(setting);
  try {
    await scenario.before?.(act);
    position = await endOf(scene.auditLog);
    const before = { began: Date.now(), remoteBefore: remoteIds(scene.ngrok) };
    const ended = await uninstall(scenario, act);
    await nothingIsLeft(scenario, act);
    const evidence = {
      ...before,
      events: await eventsSince(scene.auditLog, installed),
      ledger: scene.ngrok.ledger.entries(),
      remoteAfter: remoteIds(scene.ngrok),
      kept: await keptLines(act),
      lease: `${FULLNAME}-leader`,
    };
    assert.deepEqual([...wrongs(run, evidence), ...refusals(evidence, scene, processes)], []);
    await waysAreShut(scene, fronts);
    assert.deepEqual(await harmToAll(scene.stage.kubectl, users), []);
    if (run.policy === "Delete" && !isRelaxed(evidence)) assert.deepEqual(await waysLeft(scene, run.keep), []);
    await scenario.after?.(act);
    return ended;
  } catch (error) {
    console.log(`seed ${seed}\n${act.runs.map((each, at) => printout(at, each)).join("\n")}`);
    throw error;
  } finally {
    proxy.reset();
    for (const undo of act.undos) await undo();
  }
}

function wrongs({ policy }: RunCase, evidence: Evidence): string[] {
  const byPolicy =
    policy === "Retain" ? [...lostUnderRetain(evidence), ...takenUnderRetain(evidence)] : strippedUnderDelete(evidence);
  return [...byPolicy, ...writesAfterFence(evidence), ...replicasBeyondStatus(evidence)];
}

/** What RBAC refused to our programs, in this case's own namespaces: they ask for what they may have, on the worst day too. */
function refusals({ events }: Evidence, { namespace }: Scene, { restarts }: Processes): string[] {
  const wasReady = ({ requestReceivedTimestamp: at }: AuditEvent): boolean =>
    !restarts.some(({ from, to }) => from <= Date.parse(at) && Date.parse(at) <= to);
  return denials(events, FULLNAME)
    .filter((event) => accountOf(event)?.startsWith(`${namespace}/`) === true && wasReady(event))
    .map((event) => `refused: ${said(event)}`);
}

/** With all that a production cluster switches on and an uninstall has to take away again, or to pass. */
function valuesOf({ values, helmTimeout }: Scenario, { policy, keep }: RunCase): NonNullable<Scenario["values"]> {
  const production = { "protect.enabled": true, "networkPolicy.enabled": true };
  return { drainPolicy: policy, "crds.keep": keep, "cleanupHook.timeout": helmTimeout, ...production, ...values };
}

/** The same command until it succeeds; each end is one of the two that are allowed. */
async function uninstall(scenario: Scenario, act: OpenAct): Promise<Ended> {
  const expected = firstEndOf(scenario, act.run);
  const first = await firstRun(scenario, act);
  if (expected !== "maybe") assert.equal(first.code, expected === "0" ? 0 : 1, "the end of the first helm uninstall");
  if (first.code === 0) {
    await noFinalizerIsLeft(scenario, act);
    return "0";
  }
  await explains(scenario, expected, first, act.scene);
  for (const pattern of Array.isArray(expected) ? (expected as RegExp[]) : []) assert.match(textOf([first]), pattern);
  await scenario.remedy?.(act);
  for (let at = 1; at < RUNS; at += 1) {
    await installAnew(act);
    const next = await act.again();
    if (next.code === 0 || isGone(next)) {
      await noFinalizerIsLeft(scenario, act);
      return "1, then 0";
    }
    await explains(scenario, "maybe", next, act.scene);
  }
  throw new Error(`helm uninstall has not succeeded after ${RUNS} runs of the same command`);
}

/** What the hook after the release prints when it has not come to its end: Helm has no release any more to uninstall. */
async function installAnew({ release, runs }: OpenAct): Promise<void> {
  if (!/^\d\d:\d\d:\d\d again +helm install /m.test(textOf(runs.slice(-1)))) return;
  const { code, stderr } = await release.install();
  assert.equal(code, 0, stderr);
  await release.ready();
}

/** The first run to its end, whatever becomes of the step beside it, which must not wait for what no longer comes. */
async function firstRun({ during }: Scenario, act: OpenAct): Promise<HelmRun> {
  const over = new AbortController();
  const run = act.again();
  const late = run.then(async () => {
    await pause(180_000, undefined, { signal: over.signal });
    throw new Error("`during` has not ended three minutes after its helm uninstall");
  });
  const [ended, step] = await Promise.allSettled([run, Promise.race([during?.(act), late])]);
  over.abort();
  late.catch(() => {}); // told by the race, or nobody's any more
  if (step.status === "rejected") throw step.reason;
  if (ended.status === "rejected") throw ended.reason;
  return ended.value;
}

/** Another `helm uninstall` beside it has come to its end: there is nothing left to uninstall. */
function isGone({ stderr }: HelmRun): boolean {
  return /Release not loaded: .*: release: not found/.test(stderr);
}

/** What a run that ended with 1 says; of one whose hook never ran, what the runbook's first command shows. */
async function explains({ mute }: Scenario, expected: FirstEnd, end: HelmRun, scene: Scene): Promise<void> {
  if (mute === undefined) assert.deepEqual(unexplained(textOf([end])), []);
  else if (Array.isArray(expected)) {
    const page = await pageCommands("runbook-uninstall.md");
    assert.match(
      await page.type(scene, "look"),
      /ErrImagePull|ImagePullBackOff|Pending|exceeded quota|violates PodSecurity/,
    );
  }
}

/** Exit 0 is a promise about this moment: nothing that would still have to go away. */
async function noFinalizerIsLeft(scenario: Scenario, { scene, run, at, kubectl }: OpenAct): Promise<void> {
  const leaves = leavesOf(scenario, run);
  const isOurs = (line: string): boolean => !leaves.some((pattern) => pattern.test(line));
  const now = (await scene.residue()).filter(isOurs);
  const goes = now.filter((line) => line.startsWith("namespace "));
  assert.deepEqual(
    now.filter((line) => !goes.includes(line)),
    [],
    "exit 0 with residue",
  );
  // A namespace that somebody deletes takes its five seconds, whatever we do.
  for (const line of goes) {
    const [, name = ""] = line.split(" ");
    await kubectl.run(["wait", "--for=delete", `namespace/${name}`, "--timeout=150s"]);
  }
  const listed = ["get", "pods", ...at, "--selector", `app.kubernetes.io/instance=${RELEASE}`, "-o", "name"];
  const pods = (await kubectl.run(listed)).split("\n").filter((name) => name !== "" && isOurs(name.replace("/", " ")));
  if (pods.length > 0) await kubectl.run(["wait", ...at, "--for=delete", ...pods, "--timeout=150s"]);
}

/** At the very end nothing carries the release's name, but the CRDs that are to be kept. */
async function nothingIsLeft(scenario: Scenario, { scene, run, kubectl }: OpenAct): Promise<void> {
  const { crdsLeft = 7 } = scenario;
  const leaves = leavesOf(scenario, run);
  const isOurs = (line: string): boolean => !leaves.some((pattern) => pattern.test(line));
  const left = (await scene.leftovers()).filter(isOurs);
  assert.deepEqual(
    left.filter((line) => !(run.keep && line.startsWith("customresourcedefinition "))),
    [],
  );
  const crds = (await kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  assert.equal(crds.filter((name) => name.endsWith(".k8s.ngrok.com")).length, run.keep ? crdsLeft : 0, "CRDs");
}

function remoteIds(ngrok: NgrokApi): string[] {
  return Object.keys(ngrok.state())
    .filter((collection) => !["kubernetes_operators", "ip_policy_rules"].includes(collection))
    .flatMap((collection) => ngrok.objects(collection).map(({ id }) => String(id)));
}

/** Hooks say `kept` and `left`; the report ConfigMaps hold the rest. */
async function keptLines({ kubectl, at, runs }: OpenAct): Promise<string> {
  const said = textOf(runs)
    .split("\n")
    .filter((line) => /^\d\d:\d\d:\d\d (kept|left) /.test(line));
  const label = "app.kubernetes.io/component=drain-report";
  const reports = await kubectl.run(["get", ...at, "configmaps", "-l", label, "-o", "jsonpath={.items[*].data.kept}"]);
  return [...said, reports].join("\n");
}

function printout(at: number, end: HelmRun): string {
  return `helm uninstall, run ${at + 1}: ended with ${end.code} after ${end.seconds.toFixed(1)} s\n${textOf([end])}`;
}
