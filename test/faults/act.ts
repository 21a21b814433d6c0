// What a scenario's steps are given: the scene of its case, the faults it can cause, and the ways to wait for something.
import { delimiter } from "node:path";
import type { Fronts } from "#scripts/demo/fronts.ts";
import { command } from "#tools/command.ts";
import type { ApiProxy } from "#test/support/api-proxy.ts";
import { eventsSince } from "#test/support/audit.ts";
import { readable, type HelmRun } from "#test/support/helm.ts";
import type { Population } from "#test/support/population.ts";
import type { Processes } from "#test/support/processes.ts";
import type { Release } from "#test/support/release.ts";
import { FULLNAME, type Scene } from "#test/support/open-scene.ts";
import type { Random } from "./random.ts";
import type { Act, RunCase, Scenario } from "./scenario.ts";

export interface Setting {
  readonly scenario: Scenario;
  readonly run: RunCase;
  readonly scene: Scene;
  readonly fronts: Fronts;
  readonly release: Release;
  readonly population: Population;
  readonly proxy: ApiProxy;
  readonly processes: Processes;
  readonly random: Random;
  /** Of the audit log, just before the first `helm uninstall`. */
  readonly position: () => number;
}

/** An act, and what it has gathered for the flow. */
export interface OpenAct extends Act {
  readonly undos: readonly (() => Promise<unknown>)[];
  readonly runs: HelmRun[];
}

export function actOf(setting: Setting): OpenAct {
  const { scenario, run, scene, release, proxy, processes, random } = setting;
  const { kubectl, cluster } = scene.stage;
  const at = ["-n", scene.namespace];
  const runs: HelmRun[] = [];
  const undos: (() => Promise<unknown>)[] = [];
  const uninstall = async (flags: readonly string[]): Promise<HelmRun> => {
    const time = ["--timeout", `${scenario.helmTimeout}s`];
    const all = [...time, ...(scenario.flags ?? []), ...flags];
    return await release.uninstall(all, { timeout: (scenario.helmTimeout + 90) * 1000, signal: scene.signal });
  };
  const act: OpenAct = {
    ...setting,
    kubectl,
    ngrok: scene.ngrok,
    signal: scene.signal,
    at,
    runs,
    undos,
    onEnd: (undo) => void undos.unshift(undo),
    again: async (flags = []) => {
      const ended = await (scenario.way === undefined ? uninstall(flags) : scenario.way(act));
      runs.push(ended);
      return ended;
    },
    killAt: (match, n) => {
      const arrives = random.chance(0.5);
      const kill = (uid: string | undefined): void => {
        if (uid === undefined || processes.signalPod(uid, "SIGKILL") === 0)
          throw new Error(`the caller to be killed has no process here (pod ${uid})`);
      };
      return proxy.add({
        kind: "do",
        match,
        skip: n - 1,
        run: ({ pod }) => kill(pod?.uid),
        ...(arrives ? { after: "commit" } : { drop: true }),
      });
    },
    phase: async (is, withinMs = 120_000) => {
      const state = `configmap/${FULLNAME}-drain-state`;
      const flags = [`--for=jsonpath={.data.phase}=${is}`, `--timeout=${Math.ceil(withinMs / 1000)}s`];
      await kubectl.run(["wait", ...at, ...flags, state], { timeout: withinMs + 10_000, signal: scene.signal });
    },
    printed: (pattern) => {
      const text = textOf(runs.slice(-1));
      const match = pattern.exec(text);
      if (match === null) throw new Error(`helm uninstall did not print ${pattern}:\n${text}`);
      return match[1] ?? match[0];
    },
    shell: async (line) => {
      const helm = run.helm === 4 ? "" : 'helm() { helm3 "$@"; }\n';
      const env = { PATH: `${cluster.bin}${delimiter}${process.env["PATH"]}`, KUBECONFIG: cluster.kubeconfig };
      return await command("sh", ["-ec", helm + line], { env, timeout: 240_000, signal: scene.signal });
    },
    audit: async () => await eventsSince(scene.auditLog, setting.position()),
  };
  return act;
}

/** What a person reads of these runs. */
export function textOf(runs: readonly HelmRun[]): string {
  return runs.flatMap(({ stdout, stderr }) => [stdout, ...stderr.split("\n").flatMap(readable)]).join("\n");
}
