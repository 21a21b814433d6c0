// `bench takeover`: how long an uninstall waits for the right to write, by who held it. Hook and api-manager are real
// processes on a control plane of their own; what a kubelet would do is all that is missing.
import type { KubeObject } from "#kube/kind.ts";
import { Lease } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { leadingManager } from "#test/support/manager-process.ts";
import { rounded } from "./arithmetic.ts";
import type { Say } from "./say.ts";

export interface TakeoverResult {
  readonly bench: "takeover";
  readonly timed: string;
  /** Seconds by who held the Lease. */
  readonly living: number;
  readonly free: number;
  readonly podGone: number;
  readonly hung: number;
}

const TIMED =
  "from the start of the drain hook's process to its word that it has the write token: a living api-manager that yields, " +
  "a free Lease, a holder without a pod, an api-manager that was stopped (SIGSTOP)";
const WITHIN_MS = 120_000;

export async function benchTakeover(say: Say, signal: AbortSignal): Promise<TakeoverResult> {
  await using rig = await say.step("a control plane without a node", async () => await hookRig());
  const one = async (what: string, arrange: () => Promise<AsyncDisposable | undefined>): Promise<number> => {
    signal.throwIfAborted();
    await rig.reset();
    await rig.anOperator();
    await using _holder = await arrange();
    return rounded(await say.step(what, async () => await tokenSeconds(rig)));
  };
  const heldBy = async (holderIdentity: string): Promise<undefined> => {
    const spec = { holderIdentity, leaseDurationSeconds: 15 };
    await rig.write.create(Lease, { metadata: at("ngrok-operator-leader"), spec } as KubeObject, signal);
    return undefined;
  };
  return {
    bench: "takeover",
    timed: TIMED,
    living: await one("from a living api-manager", async () => await leadingManager(rig)),
    free: await one("a free Lease", async () => await heldBy("")),
    podGone: await one("from a holder without a pod", async () => await heldBy(`pod/gone-1/${crypto.randomUUID()}`)),
    hung: await one("from an api-manager that hangs", async () => {
      const manager = await leadingManager(rig);
      manager.child.kill("SIGSTOP");
      return manager;
    }),
  };
}

/** Seconds until the hook says that it drains. Throws with its log when it never does, or does not end well. */
async function tokenSeconds(rig: HookRig): Promise<number> {
  // Its rights are there before it starts; Helm makes them before the pod as well.
  const { child, ended } = await rig.start("drain");
  const began = performance.now();
  const late = setTimeout(() => child.kill("SIGKILL"), WITHIN_MS);
  let seconds: number | undefined;
  let log = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
    if (log.includes("this hook drains")) seconds ??= (performance.now() - began) / 1000;
  });
  const run = await ended;
  clearTimeout(late);
  if (run.code !== 0 || seconds === undefined) throw new Error(`the hook ended with ${run.code}:\n${run.log}`);
  return seconds;
}
