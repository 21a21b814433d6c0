// `bench ready`: how fast N new CloudEndpoints become Ready under the operator as the chart deploys it, against the same
// three calls for each from a bare client; and what memory the api-manager has then.
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { CloudEndpoint as CloudEndpointKind } from "#api/cloud-endpoint.ts";
import type { Connection } from "#kube/connection.ts";
import { refOf } from "#kube/kind.ts";
import { objectPath } from "#kube/paths.ts";
import { allReady, aPopulation, populate, type Population } from "#test/support/population.ts";
import { releaseOf } from "#test/support/release.ts";
import type { Stage } from "#test/support/stage.ts";
import { best, isDisturbed, perSecond, ratio, rounded } from "./arithmetic.ts";
import { ceiling, type BareRequest } from "./bare.ts";
import { type Ground, KEY, standIn, withCrds } from "./ground.ts";
import { benchNamespaces, clearOut, storedOf } from "./herd.ts";
import { memoryOf } from "./memory.ts";
import type { Say } from "./say.ts";

export interface ReadyResult {
  readonly bench: "ready";
  readonly timed: string;
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly rawPerSecond: number;
  readonly ratio: number;
  readonly disturbed: boolean;
  readonly rawByWidth: Readonly<Record<string, number>>;
  readonly rawCount: number;
  /** Resident memory of the api-manager's process right after, and its peak; MB of 1,000,000 bytes. */
  readonly apiManagerMB: number;
  readonly apiManagerPeakMB: number;
  /** The whole helm uninstall with drainPolicy=Delete over the same objects. */
  readonly uninstallSeconds: number;
}

const TIMED =
  "from the first CloudEndpoint's creation, by 32 connections, to the event that shows the last one Ready; the bare " +
  "client's objects exist before and get finalizer, endpoint at ngrok and status";
const RAW_COUNT = 2_000;
const RELEASE = { name: "bench", namespace: "bench-release" };
/** The finalizer's patch and the status. */
const WRITES_PER_OBJECT = 2;

export interface ReadyOptions {
  readonly count: number;
  readonly signal: AbortSignal;
}

/** `ground` is the cluster of `stage`. */
export async function benchReady(ground: Ground, stage: Stage, options: ReadyOptions, say: Say): Promise<ReadyResult> {
  const { count, signal } = options;
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  const bareClient = { url: ngrok.url, key: KEY };
  const { rates } = await withCrds(
    ground,
    connection,
    async () =>
      await ceiling(ground, bareClient, async (width) => await newEndpoints(connection, width, signal), { say }),
  );
  ngrok.reset();
  const values = { drainPolicy: "Delete", "crds.keep": false };
  const release = releaseOf(stage, { ...RELEASE, helm: 4, apiURL: ngrok.url, apiKey: KEY, values });
  await say.step("helm install, and the operator has registered", async () => {
    const { code, stderr } = await release.install({ signal });
    if (code !== 0) throw new Error(`helm install failed: ${stderr}`);
    await release.ready();
  });
  const population = endpointsOf(count, "fresh");
  const began = performance.now();
  const ready = allReady(connection, population, { withinMs: 120_000 + count * 100, signal });
  await say.step(`${count} CloudEndpoints are Ready`, async () => {
    await Promise.all([populate(connection, population, signal), ready]);
  });
  const seconds = (performance.now() - began) / 1000;
  const memory = await memoryOf(stage.kubectl, RELEASE, "controller");
  if (ngrok.remote() !== count) throw new Error(`ngrok holds ${ngrok.remote()} endpoints instead of ${count}`);
  const end = await say.step(
    `helm uninstall, Delete, ${count} objects`,
    async () => await release.uninstall([], { signal }),
  );
  if (end.code !== 0) throw new Error(`helm uninstall failed: ${end.stderr}`);
  const [rate, raw] = [perSecond(count, seconds), best(rates)];
  return {
    bench: "ready",
    timed: TIMED,
    count,
    seconds: rounded(seconds),
    perSecond: rounded(rate),
    rawPerSecond: rounded(raw),
    ratio: rounded(ratio(rate, raw)),
    disturbed: isDisturbed(raw, WRITES_PER_OBJECT),
    rawByWidth: Object.fromEntries(Object.entries(rates).map(([width, one]) => [width, rounded(one)])),
    rawCount: RAW_COUNT,
    apiManagerMB: rounded(memory.residentMB),
    apiManagerPeakMB: rounded(memory.peakMB),
    uninstallSeconds: rounded(end.seconds),
  };
}

function endpointsOf(count: number, name: string): Population {
  // Every third of a population is an endpoint; three times as many give all of them.
  const whole = aPopulation(count * 3, { name, namespaces: benchNamespaces(3) });
  return { ...whole, objects: whole.objects.filter(({ kind }) => kind === "CloudEndpoint") };
}

async function newEndpoints(connection: Connection, width: number, signal: AbortSignal) {
  const population = endpointsOf(RAW_COUNT, `raw-${width}`);
  await populate(connection, population, signal);
  const stored = await storedOf(connection, population, signal);
  return {
    chains: stored.map(({ object }) => chainOf(object as CloudEndpoint)),
    clear: async () => await clearOut(connection, population, signal),
  };
}

/** What has to be sent for a new endpoint, whoever does it: the claim, the creation at ngrok, the status. */
function chainOf(endpoint: CloudEndpoint): BareRequest[] {
  const { spec, metadata } = endpoint;
  const path = objectPath(CloudEndpointKind, "v1alpha1", refOf(endpoint));
  const claim = [
    { op: "test", path: "/metadata/uid", value: metadata.uid },
    { op: "add", path: "/metadata/finalizers", value: [FINALIZER] },
    { op: "add", path: "/metadata/annotations", value: { [DRAIN_OWNER]: "bench-release/bench" } },
  ];
  const { url, description, bindings, trafficPolicy } = spec;
  const policy = JSON.stringify(trafficPolicy?.inline);
  const body = { type: "cloud", url, description, metadata: spec.metadata, bindings, traffic_policy: policy };
  const conditions = ["DomainReady", "TrafficPolicyApplied", "CloudEndpointCreated", "Ready"].map((type) => ({
    type,
    status: "True",
    reason: type,
    message: "CloudEndpoint is active and ready",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  }));
  const status = {
    apiVersion: endpoint.apiVersion,
    kind: "CloudEndpoint",
    metadata: refOf(endpoint),
    status: { id: "ep_bench0000000000000000000000", assignedURL: url, conditions },
  };
  return [
    {
      server: "kubernetes",
      method: "PATCH",
      path,
      contentType: "application/json-patch+json",
      body: JSON.stringify(claim),
    },
    { server: "ngrok", method: "POST", path: "/endpoints", body: JSON.stringify(body) },
    {
      server: "kubernetes",
      method: "PATCH",
      path: `${path}/status?fieldManager=bare&force=true`,
      contentType: "application/apply-patch+yaml",
      body: JSON.stringify(status),
    },
  ];
}
