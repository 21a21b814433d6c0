// The programs of the product as they run in the model: the api-manager, both hooks and ngrok-drain, each on the line of its
// process.
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { cleanupHook } from "#hooks/cleanup/hook.ts";
import type { HookWorld } from "#hooks/define-hook.ts";
import { drainHook } from "#hooks/drain/hook.ts";
import { environment } from "#hooks/environment.ts";
import type { DrainCommand } from "#hooks/ngrok-drain/command.ts";
import { reader } from "#kube/reader.ts";
import { cloudEndpointController } from "#operator/controllers/cloud-endpoint/controller.ts";
import { domainController } from "#operator/controllers/domain/controller.ts";
import { kubernetesOperatorController } from "#operator/controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "#operator/controllers/traffic-policy/controller.ts";
import type { LeaderController } from "#operator/runtime/define-controller.ts";
import { KeyCheck } from "#operator/runtime/key.ts";
import { openLog } from "#operator/runtime/log.ts";
import { metrics as openMetrics } from "#operator/runtime/metrics.ts";
import type { Options } from "#operator/runtime/options.ts";
import { run } from "#operator/runtime/run.ts";
import type { Line } from "./network.ts";

export const release: Release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };

const CONTROLLERS = [kubernetesOperatorController, domainController, cloudEndpointController, trafficPolicyController];

const settings: Options = {
  version: "0.1.0",
  description: "Created by the ngrok-operator",
  region: "",
  features: ["ingress", "gateway"],
  managerName: "ngrok-operator-manager",
  clusterDomain: "svc.cluster.local",
  defaultDomainReclaimPolicy: "Delete",
  drainPolicy: "Retain",
  bindings: { endpointSelectors: ["true"], serviceAnnotations: {}, serviceLabels: {}, ingressEndpoint: "" },
  uninstall: { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined },
  metadata: {},
};

export interface Program {
  readonly line: Line;
  /** Of its pod. */
  readonly uid: string;
  /** What the chart's values say. */
  readonly policy: DrainPolicy;
  readonly crdsGo: boolean;
  /** Aborts on SIGTERM. */
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** The api-manager, whole; resolves to its exit code. */
export async function runManager({ line, uid, policy, signal, note }: Program): Promise<number> {
  const { name, clock } = line.process;
  const write = (text: string): void => {
    const { msg, why, err } = JSON.parse(text) as { msg: string; why?: string; err?: string };
    note(`${name} says: ${msg} ${why ?? ""} ${err ?? ""}`);
  };
  return await run({
    controllers: CONTROLLERS as readonly LeaderController[],
    connection: line.connection,
    ngrok: line.ngrok(signal),
    key: new KeyCheck(),
    release,
    options: { ...settings, drainPolicy: policy },
    lease: namesOf(release).lease,
    identity: `pod/${name}/${uid}`,
    clusterWide: true,
    bind: { health: "0", metrics: "0" },
    clock,
    metrics: openMetrics({ processMetrics: false }),
    log: openLog({ level: "info", encoder: "json", secrets: [] }, { write }),
    signal,
  });
}

/** A hook's run; resolves to whether it came to its end. */
export async function runHook(role: "drain" | "cleanup", program: Program): Promise<boolean> {
  const { line, signal, note } = program;
  const { name, clock } = line.process;
  const ngrok = line.ngrok(signal);
  const hook = role === "drain" ? drainHook : cleanupHook;
  const { ok } = await hook.run({
    env: environmentOf(program),
    connection: line.connection,
    ngrok: (fence) => ngrok.under(fence),
    clock,
    signal,
    say: (word, sentence) => note(`${name} says: ${word} ${sentence}`),
  });
  return ok;
}

/** ngrok-drain, with an admin's login and without a key; resolves to its exit code. */
export async function runCli(
  { line: { connection, process }, policy, note }: Pick<Program, "line" | "policy" | "note">,
  command: DrainCommand,
  argument?: string,
): Promise<number> {
  const { signal } = new AbortController();
  const killed = new Promise<number>((resolve) => (process.onKill = () => resolve(137)));
  const work = command.run(
    {
      install: {
        release,
        policy,
        clusterWide: true,
        crdsGo: false,
        hook: true,
        helmSeconds: 300,
        apiUrl: undefined,
        callsPerMinute: undefined,
        apiKeyIn: { name: "credentials", key: "API_KEY" },
        inside: false,
        assumed: [],
      },
      connection,
      read: reader(connection),
      clock: process.clock,
      signal,
      ngrok: () => Promise.resolve(undefined),
      answer: (_document, lines) => note(`${process.name}: ${lines[0]}`),
      tell: () => undefined,
      show: () => undefined,
      ask: () => Promise.resolve(undefined),
      say: () => undefined,
    },
    { argument, options: {} },
  );
  return await Promise.race([work.catch(() => 1), killed]);
}

function environmentOf({ line, uid, policy, crdsGo }: Program): HookWorld<typeof environment>["env"] {
  const given: Record<string, string> = {
    RELEASE_NAME: release.name,
    FULLNAME: release.fullname,
    DRAIN_POLICY: policy,
    HELM_TIMEOUT: "300",
    CRDS_GO: String(crdsGo),
    RBAC_CLUSTER: "true",
    REVISION: "1",
    POD_NAMESPACE: release.namespace,
    POD_NAME: line.process.name,
    POD_UID: uid,
    JOB_UID: "",
  };
  const all = Object.keys(environment).map((key) => [key, given[key] ?? ""]);
  return Object.fromEntries(all) as HookWorld<typeof environment>["env"];
}
