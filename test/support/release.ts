// One install of the chart and what can be asked of it from outside, for tests and demo alike.
import { CommandFailed } from "#tools/command.ts";
import type { HelmOptions, HelmRun, HelmVersion } from "./helm.ts";
import { CHART, type Stage } from "./stage.ts";

export interface ReleaseOptions {
  readonly name: string;
  readonly namespace: string;
  readonly helm: HelmVersion;
  /** ngrok's API as pods reach it. */
  readonly apiURL: string;
  /** Default `stand-in-key`. */
  readonly apiKey?: string;
  /** As `--set` takes them: `drainPolicy: "Delete"`. */
  readonly values?: Readonly<Record<string, string | number | boolean>>;
  /** Path of the chart; that of the checkout by default. */
  readonly chart?: string;
}

export interface Release extends ReleaseOptions {
  /** `helm install`, without a wait. */
  install(options?: HelmOptions, flags?: readonly string[]): Promise<HelmRun>;
  /** Waits until the operator has registered; throws when that takes longer than some minutes. */
  ready(): Promise<void>;
  uninstall(flags?: readonly string[], options?: HelmOptions): Promise<HelmRun>;
  /** Everything that tells why something went wrong, for people. */
  diagnosis(): Promise<string>;
}

export function releaseOf(stage: Pick<Stage, "kubectl" | "helm" | "imageFlags">, options: ReleaseOptions): Release {
  const { name, namespace, helm: version, apiURL, apiKey = "stand-in-key", values = {}, chart = CHART } = options;
  const { kubectl } = stage;
  const at = ["--namespace", namespace];
  const account = { apiURL, "credentials.apiKey": apiKey, "credentials.authtoken": "unused" };
  // Agents are ready only where there is an edge that they reach.
  const sets = Object.entries({ ...account, "agent.enabled": false, ...values });
  const flags = [...stage.imageFlags, ...sets.flatMap(([key, value]) => ["--set", `${key}=${value}`])];
  const diagnosis = async (): Promise<string> => {
    const asked = [
      ["-n", namespace, "get", "pods,jobs,kubernetesoperators", "-o", "wide"],
      ["-n", namespace, "get", "configmaps", "--field-selector=metadata.name!=kube-root-ca.crt", "-o", "yaml"],
      ["-n", namespace, "get", "events", "--sort-by=.lastTimestamp"],
      ["-n", namespace, "logs", "-l", `app.kubernetes.io/instance=${name}`, "--all-pods", "--prefix", "--tail=60"],
    ];
    const answers = asked.map(async (args) => {
      const text = await kubectl.run(args).catch((error: unknown) => String(error));
      return `$ kubectl ${args.join(" ")}\n${text.trim()}`;
    });
    return (await Promise.all(answers)).join("\n");
  };
  return {
    ...options,
    install: async (run, more = []) =>
      await stage.helm(version, ["install", name, chart, ...at, "--create-namespace", ...flags, ...more], run),
    ready: async () => {
      const operator = `kubernetesoperator/${name}`;
      try {
        // A pod that is ready has seen our kinds: before, kubectl may not know them yet.
        const pods = ["deployment", "--selector", `app.kubernetes.io/instance=${name}`];
        await kubectl.run(["rollout", "status", ...at, ...pods, "--timeout=150s"]);
        await kubectl.run(["wait", ...at, "--for=create", operator, "--timeout=150s"]);
        await kubectl.run(["wait", ...at, "--for=condition=Ready", operator, "--timeout=150s"]);
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        const last = error.stderr.trim().split("\n").at(-1);
        throw new Error(`release ${namespace}/${name} has not registered after some minutes: ${last}`, {
          cause: error,
        });
      }
    },
    uninstall: async (more = [], run) => await stage.helm(version, ["uninstall", name, ...at, ...more], run),
    diagnosis,
  };
}
