// The api-manager as the process that it is in its pod, beside the pod's object, which no kubelet starts here.
import type { ChildProcess } from "node:child_process";
import type { KubeObject } from "#kube/kind.ts";
import { Lease, Pod } from "#kube/kinds.ts";
import { at, type HookRig } from "./hook-rig.ts";
import { startOwnProgram } from "./own-program.ts";

export interface ManagerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  log(): string;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

const NAME = "manager-1";
const { signal } = new AbortController();

/** Resolves when it holds the Lease. */
export async function leadingManager(
  rig: HookRig,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ManagerProcess> {
  const uid = await managerPod(rig);
  const own = ["--release-name=ngrok", "--fullname=ngrok-operator", `--api-url=${rig.api.url}`];
  const bind = ["--health-probe-bind-address=0", "--metrics-bind-address=0"];
  const child = startOwnProgram("operator/managers/api-manager/main.ts", [...own, ...bind, ...flags], {
    PATH: process.env["PATH"],
    KUBECONFIG: rig.kubeconfig,
    POD_NAMESPACE: "ops",
    POD_NAME: NAME,
    POD_UID: uid,
    NGROK_API_KEY: "key",
    ...env,
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const manager: ManagerProcess = {
    child,
    log: () => log,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  const leads = async (): Promise<boolean> => {
    const lease = await rig.read.get(Lease, at("ngrok-operator-leader"), signal);
    return lease?.spec?.holderIdentity === `pod/${NAME}/${uid}`;
  };
  await seen(() => `the operator leads; it said: ${log}`, leads);
  return manager;
}

/** Creates the pod of the api-manager `manager-1`; returns its uid. */
export async function managerPod(rig: HookRig): Promise<string> {
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
  const spec = { containers: [{ name: "a", image: "a" }] };
  const pod = await rig.write.create(Pod, { metadata: { ...at(NAME), labels }, spec } as KubeObject, signal);
  return pod.metadata.uid ?? "";
}

/** Looks until it is so, for what is in this process or has no watch; throws after `withinMs`. */
export async function seen(
  what: () => string,
  is: () => boolean | Promise<boolean>,
  withinMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
