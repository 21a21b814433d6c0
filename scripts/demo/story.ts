// The story that the demo tells: install, make objects, wait until all are Ready, send requests, uninstall, delete the
// namespaces, and count what is left.
import { CommandFailed } from "#tools/command.ts";
import { down, find, up } from "#tools/cluster/cluster.ts";
import type { Cluster, ProviderName } from "#tools/cluster/provider.ts";
import { hookLines, readable, type HelmVersion } from "#test/support/helm.ts";
import { allReady, aPopulation, populate, type Population } from "#test/support/population.ts";
import { releaseOf, type Release } from "#test/support/release.ts";
import { carriers, residue } from "#test/support/residue.ts";
import { bringImages, stageOf, type Stage } from "#test/support/stage.ts";
import { live, standIn, type Account } from "./account.ts";
import type { Features } from "./features.ts";
import { valuesOf } from "./fronts.ts";
import type { Progress } from "./progress.ts";
import type { DemoResult } from "./promise.ts";
import { added, exchanged, type Place, prepare } from "./traffic-story.ts";
import { TRAFFIC } from "./traffic.ts";
import { remoteOf, USERS } from "./users.ts";
import { asked, gatewayApi, harm, held, leave, type Users } from "./users-story.ts";

export interface DemoOptions {
  readonly policy: "Retain" | "Delete";
  readonly count: number;
  readonly helm: HelmVersion;
  readonly crdsKeep: boolean;
  /** What users ask for beside the population, and the ways on which requests go. */
  readonly with: Features;
  /** The key of a real account; without it the stand-in is used. */
  readonly liveKey?: string;
  readonly keep: boolean;
  readonly provider: ProviderName;
  /** The cluster's name. */
  readonly name: string;
  readonly registry?: string;
  readonly hostIp?: string;
  readonly yes: boolean;
  readonly signal: AbortSignal;
}

const RELEASE = "ngrok-operator";
/** How long each wait may take at most, in milliseconds, beside what grows with the number of objects. */
const WAIT = 120_000;

/** Runs it all and takes the cluster down again, unless it is to be kept or ran before. */
export async function runDemo(options: DemoOptions, progress: Progress): Promise<DemoResult> {
  const { name } = options;
  const ranBefore = (await find(name)) !== undefined;
  const mayEnd = !options.keep && !ranBefore;
  let started = false;
  try {
    const stage = await raiseStage(options, progress, mayEnd);
    started = true;
    return await play(stage, options, progress);
  } finally {
    const end = async (): Promise<unknown> => await down(name, progress.detail);
    if (mayEnd && started) await progress.step("down", end, () => `cluster ${name} is gone`);
    else if (mayEnd) await end();
    else
      progress.detail(
        `cluster ${name} stays: npm run cluster -- env --name ${name} names it, down --name ${name} ends it`,
      );
  }
}

async function raiseStage(options: DemoOptions, { step, detail }: Progress, bound: boolean): Promise<Stage> {
  const { name, provider, registry, hostIp, yes, signal } = options;
  const cluster = await step(
    "cluster",
    async () =>
      await up({
        name,
        provider,
        tell: detail,
        bound,
        ...(registry !== undefined && { registry }),
        ...(hostIp !== undefined && { hostIp }),
        ...(yes && { confirm: async () => await Promise.resolve(true) }),
      }),
    (started: Cluster) => `${started.name} (${started.provider}) is ready; its logs are in ${started.folder}/log`,
  );
  signal.throwIfAborted();
  const image = await step(
    "images",
    async () => await bringImages(cluster, detail),
    (reference) => reference,
  );
  signal.throwIfAborted();
  return stageOf(cluster, image);
}

async function play(stage: Stage, options: DemoOptions, progress: Progress): Promise<DemoResult> {
  const { count, policy, signal } = options;
  const { step } = progress;
  const population = aPopulation(count, { name: options.liveKey ? `demo-${Date.now().toString(36)}` : "demo" });
  await using account = await step(
    "ngrok",
    async () => await accountOf(stage.cluster, options, population),
    ({ what, url }) => `${what}, for pods at ${url}`,
  );
  const release = releaseOf(stage, {
    name: RELEASE,
    namespace: RELEASE,
    helm: options.helm,
    apiURL: account.url,
    apiKey: account.key,
    values: { drainPolicy: policy, "crds.keep": options.crdsKeep, ...valuesOf(account.fronts) },
  });
  const place: Place = { stage, fronts: account.fronts, namespace: release.namespace, signal };
  let users: Users;
  let requestsOk: number | undefined;
  try {
    if (options.with.users.includes("gateway")) await gatewayApi(stage, progress);
    await prepare(place, options.with);
    await installed(release, options, progress);
    await populated(stage, population, options, progress);
    users = await asked(stage, options.with.users, progress, signal);
    requestsOk = await exchanged(place, options.with, progress);
  } catch (error) {
    // What people need to see why is many lines; the error itself stays one.
    signal.throwIfAborted();
    for (const line of (await release.diagnosis()).split("\n")) progress.detail(line);
    throw error;
  }
  const before = await carriers(stage.kubectl);
  const finalizersBefore = before.filter((object) => !object.startsWith("kubernetesoperator ")).length;
  progress.detail(`${before.length} objects carry our finalizer, the KubernetesOperator among them`);

  const { code, seconds } = await uninstalled(release, options, progress);
  signal.throwIfAborted();
  const harmed = await harm(stage, users, progress);
  await leave(stage, users);
  const asks = [...(users.before.length > 0 ? [USERS] : []), ...(requestsOk === undefined ? [] : [TRAFFIC])];
  const found = await left(stage, [...population.namespaces, ...asks, release.namespace], progress);
  const remote = await leftAtNgrok(account, options, progress);
  return {
    policy,
    objects: count + held(users) + added(options.with, "held"),
    finalizersBefore,
    residue: found,
    remote,
    remoteServed: count + remoteOf(options.with.users) + added(options.with, "remote"),
    harm: [...harmed, ...account.harm()],
    ...(requestsOk !== undefined && { requestsOk }),
    seconds,
    code,
  };
}

/** How many objects stick, once the namespaces are to go. */
async function left(stage: Stage, spaces: readonly string[], { step, detail }: Progress): Promise<number> {
  await step(
    "namespaces",
    async () => await deleteNamespaces(stage, spaces),
    (text) => text,
  );
  const { count, lines } = await step(
    "left",
    async () => await residue(stage.kubectl),
    (found) => `${found.count} objects stick`,
  );
  for (const line of lines.slice(0, 20)) detail(line);
  const crds = (await stage.kubectl.run(["get", "crds", "-o", "name"]))
    .split("\n")
    .filter((name) => name.endsWith(".k8s.ngrok.com"));
  detail(`${crds.length} CustomResourceDefinitions of ours are in the cluster`);
  return count;
}

async function leftAtNgrok(account: Account, { liveKey }: DemoOptions, { step, detail }: Progress): Promise<number> {
  const remote = await account.remote();
  for (const line of account.harm()) detail(line);
  const said = Object.entries(remote).map(([what, n]) => `${n} ${what.replaceAll("_", " ")}`);
  detail(`at ngrok: ${said.join(", ")}`);
  if (liveKey)
    await step(
      "account",
      async () => await account.clean(),
      () => "what the demo made there is deleted",
    );
  return Object.values(remote).reduce((total, n) => total + n, 0);
}

async function accountOf(cluster: Cluster, options: DemoOptions, { name }: Population): Promise<Account> {
  const { liveKey } = options;
  return liveKey === undefined ? await standIn(cluster, options.with.ways) : await live(cluster, liveKey, name);
}

async function installed(
  release: Release,
  { helm, policy, crdsKeep, signal }: DemoOptions,
  { step }: Progress,
): Promise<void> {
  await step(
    "install",
    async () => {
      const { code, stderr } = await release.install({ signal });
      if (code !== 0) throw new Error(`helm install failed: ${stderr}`);
      await release.ready();
    },
    () =>
      `helm${helm} install ${release.name} with drainPolicy=${policy} crds.keep=${crdsKeep}; the operator has registered`,
  );
}

async function populated(
  stage: Stage,
  population: Population,
  options: DemoOptions,
  progress: Progress,
): Promise<void> {
  const { count, signal } = options;
  const spaces = population.namespaces.join(", ");
  await using connection = await stage.connect();
  const create = async (): Promise<void> => await populate(connection, population, signal);
  await progress.step("create", create, () => `${count} objects in ${spaces}`);
  const wait = async (): Promise<unknown> =>
    await allReady(connection, population, { withinMs: WAIT + count * 100, signal });
  await progress.step("ready", wait, () => `all ${count} objects are Ready`);
  for (const kind of ["cloudendpoints", "domains", "ippolicies"]) {
    progress.excerpt(await stage.kubectl.run(["get", kind, "--all-namespaces"]), 5);
  }
}

async function uninstalled(
  release: Release,
  { helm, signal }: DemoOptions,
  { step, detail }: Progress,
): Promise<{ code: number; seconds: number }> {
  const onLine = (line: string): void => {
    for (const one of readable(line)) if (one.trim() !== "") detail(one);
  };
  const command = `helm${helm} uninstall ${release.name} --namespace ${release.namespace}`;
  const run = await step(
    "uninstall",
    async () => await release.uninstall([], { signal, onLine }),
    ({ code }) => `${command} ended with ${code}`,
  );
  if (run.code !== 0 || hookLines(run).length === 0)
    for (const line of (await release.diagnosis()).split("\n")) detail(line);
  return run;
}

/** Deleted or stuck: a namespace that does not go is what the count then shows. */
async function deleteNamespaces(stage: Stage, names: readonly string[]): Promise<string> {
  try {
    await stage.kubectl.run(["delete", "namespace", ...names, "--ignore-not-found", "--timeout=150s"]);
    return `${names.join(", ")} are gone`;
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return `not all are gone after 150 s: ${error.stderr.trim().split("\n").at(-1) ?? ""}`;
  }
}
