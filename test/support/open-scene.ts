// What a test on a whole cluster stands on: an account at ngrok of its own, namespaces of its own, and releases that explain
// themselves when it fails. It knows no test runner.
import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "#kube/connection.ts";
import { endOf, eventsSince } from "./audit.ts";
import type { HelmVersion } from "./helm.ts";
import { startNgrokApi, type NgrokApi, type NgrokApiOptions } from "./ngrok-api/server.ts";
import { allReady, aPopulation, populate, type Population } from "./population.ts";
import { productOf } from "./product.ts";
import { releaseOf, type Release } from "./release.ts";
import { labelled, residue } from "./residue.ts";
import { keepRights, rightsSeen } from "./rights-seen.ts";
import { CHART, type Stage } from "./stage.ts";

export const RELEASE = "edge";
/** The chart's fullname for it. */
export const FULLNAME = `${RELEASE}-ngrok-operator`;

export interface SceneOptions {
  readonly helm?: HelmVersion;
  readonly values?: Readonly<Record<string, string | number | boolean>>;
  /** Path of the chart; that of the checkout by default. */
  readonly chart?: string;
}

export interface Scene {
  readonly stage: Stage;
  readonly ngrok: NgrokApi;
  readonly connection: Connection;
  /** Of the release. Each scene has namespaces of its own, since a namespace takes five seconds to go. */
  readonly namespace: string;
  /** Of the objects. */
  readonly namespaces: readonly [string, string, string];
  readonly signal: AbortSignal;
  /** Installs the chart as `edge` and waits until it has registered. Helm 4 by default. */
  install(options?: SceneOptions): Promise<Release>;
  /** Makes this many objects, over the three namespaces unless said otherwise, and waits until all are Ready. */
  populate(count: number, into?: readonly string[]): Promise<Population>;
  /** What sticks, without the namespaces of earlier tests, which may still be going. */
  residue(): Promise<string[]>;
  /** What carries the release's instance label, in namespaces of this scene or in none. */
  leftovers(): Promise<string[]>;
  /** The place in the audit log, for `eventsSince`. */
  auditPosition(): Promise<number>;
  readonly auditLog: string;
}

/**
 * What Kubernetes' own controllers take away some time after a Deployment or a Service: Helm does not wait for them, so a look
 * must. ReplicaSets wait for the garbage collector, pods for their grace time.
 */
const FOLLOWS = /^(replicaset|pod|endpoints|endpointslice) /;
/** What still follows then stays, and is told. */
const FOLLOWS_WITHIN_MS = 150_000;

/** A scene that runs until it is disposed; what it made in the cluster is for the caller to take away. */
export interface OpenScene extends Scene, AsyncDisposable {
  /** What tells why something went wrong with its releases, for people. */
  diagnosis(): Promise<string>;
}

export interface OpenSceneOptions {
  readonly signal: AbortSignal;
  /** Values of every release, below those of `install`. */
  readonly values?: SceneOptions["values"];
  /** Of the account at ngrok, beside its key: who signs its certificates, for one. */
  readonly account?: NgrokApiOptions;
}

export async function openScene(stage: Stage, options: OpenSceneOptions): Promise<OpenScene> {
  const { signal, values: common = {}, account = {} } = options;
  const { cluster } = stage;
  const { auditLog } = cluster;
  if (auditLog === undefined) throw new Error(`cluster ${cluster.name} has no audit log: use --provider embedded`);
  const releases: Release[] = [];
  const id = crypto.randomUUID().slice(0, 4);
  const namespace = `ngrok-${id}`;
  const namespaces = [`one-${id}`, `two-${id}`, `three-${id}`] as const;
  const ngrok = await startNgrokApi({ ...account, host: cluster.hostIp, keys: ["stand-in-key"] });
  const connection = await stage.connect();
  const began = await endOf(auditLog);
  let isOurChart = true;
  return {
    stage,
    ngrok,
    connection,
    namespace,
    namespaces,
    signal,
    auditLog,
    residue: async () => {
      const own = [namespace, ...namespaces].map((name) => `namespace ${name} is stuck`);
      return (await residue(stage.kubectl)).lines.filter(
        (line) => !line.startsWith("namespace ") || own.includes(line),
      );
    },
    leftovers: async () => {
      const all = async (): Promise<string[]> => {
        const lines = await labelled(stage.kubectl, `app.kubernetes.io/instance=${RELEASE}`);
        return lines.filter((line) => !line.includes("/") || line.includes(`${id}/`));
      };
      const over = Date.now() + FOLLOWS_WITHIN_MS;
      for (;;) {
        const left = await all();
        const isOn = left.some((line) => line.startsWith("deployment "));
        if (isOn || !left.some((line) => FOLLOWS.test(line)) || Date.now() > over) return left;
        await pause(500, undefined, { signal });
      }
    },
    auditPosition: async () => await endOf(auditLog),
    install: async ({ helm = 4, values = {}, chart = CHART } = {}) => {
      if (chart !== CHART) isOurChart = false;
      const apiURL = `http://${cluster.hostIp}:${ngrok.port}`;
      const release = releaseOf(stage, {
        name: RELEASE,
        namespace,
        helm,
        apiURL,
        chart,
        values: { ...common, ...values },
      });
      releases.push(release);
      const { code, stderr } = await release.install();
      if (code !== 0) throw new Error(`helm${helm} install: ${stderr}`);
      await release.ready();
      return release;
    },
    populate: async (count, into = namespaces) => {
      const population = aPopulation(count, { namespaces: into });
      await populate(connection, population, signal);
      await allReady(connection, population, { withinMs: 180_000 + count * 100, signal });
      return population;
    },
    diagnosis: async () => (await Promise.all(releases.map(async (release) => await release.diagnosis()))).join("\n"),
    [Symbol.asyncDispose]: async () => {
      try {
        if (isOurChart && releases.length > 0) {
          const seen = rightsSeen(await eventsSince(auditLog, began), namespace, id);
          await keepRights(productOf(stage.image), namespace, seen);
        }
      } finally {
        await connection[Symbol.asyncDispose]();
        await ngrok.close();
      }
    },
  };
}
