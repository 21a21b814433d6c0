// The operator as the uninstall finds it, and what dies while it goes on.
import assert from "node:assert/strict";
import type { AddedCallFault } from "#test/support/api-proxy.ts";
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { defineScenario, type Act, type Policy } from "../scenario.ts";

/**
 * Calls of a hook that frees 30 objects, those of the other two pods and of the users, but for its last ones: how many there
 * are differs from run to run, and a kill beyond the last one would be none. Seen: `operator-alive` prints them.
 */
const CALLS_OF_DRAIN: Readonly<Record<Policy, number>> = { Retain: 172, Delete: 218 };

/** From the KubernetesOperator's deletion on: its finalizer, the Lease, and what is read between them. */
const LAST_CALLS_OF_DRAIN = 3;
/** Without a drain before it that failed. */
const CALLS_OF_CLEANUP = 40;

export async function scaleToZero({ kubectl, at }: Act): Promise<void> {
  const all = ["--selector", `app.kubernetes.io/instance=${RELEASE}`];
  await kubectl.run(["scale", ...at, "deployment", ...all, "--replicas=0"]);
  const pods = ["pods", ...all];
  await kubectl.run(["wait", ...at, "--for=delete", ...pods, "--timeout=150s"]);
}

export const kills = [
  defineScenario({
    name: "operator-alive",
    sentence: "The operator works and nothing is wrong (E5)",
    keepFalse: true,
    smoke: true,
    after: async ({ proxy, run }) => {
      console.log(`calls under ${run.policy}: drain ${proxy.count("drain")}, cleanup ${proxy.count("cleanup")}`);
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "operator-at-zero",
    sentence: "All pods of the operator are scaled to zero before the uninstall (E14)",
    keepFalse: true,
    smoke: true,
    before: scaleToZero,
  }),
  defineScenario({
    name: "hook-killed",
    sentence: "The drain hook's process is killed at a call that is drawn over its whole run (E14)",
    keepFalse: true,
    smoke: true,
    firstEnd: "maybe",
    before: async (act) => {
      const n = act.random.int(1, CALLS_OF_DRAIN[act.run.policy]);
      const kill = act.killAt({ caller: "drain" }, n);
      console.log(`kills the hook at call ${n}`);
      act.onEnd(async () => {
        await Promise.resolve();
        if (kill.hits === 0) throw new Error(`the hook made fewer than ${n} calls, so it was not killed`);
      });
    },
  }),
  defineScenario({
    name: "hook-killed-at-its-end",
    sentence:
      "The drain hook's process is killed as it says farewell: all is freed, the KubernetesOperator is going (E14)",
    keepFalse: true,
    firstEnd: "maybe",
    before: async ({ proxy, random, killAt, onEnd }) => {
      const n = random.int(1, LAST_CALLS_OF_DRAIN);
      let kill: AddedCallFault | undefined;
      proxy.add({
        kind: "do",
        match: { caller: "drain", method: "DELETE", path: /\/kubernetesoperators\// },
        run: () => void (kill = killAt({ caller: "drain" }, n)),
      });
      console.log(`kills the hook at call ${n} after the KubernetesOperator's deletion`);
      onEnd(async () => {
        await Promise.resolve();
        if (kill?.hits !== 1) throw new Error(`the hook made fewer than ${n} calls after that deletion`);
      });
    },
    after: async ({ kubectl, at, run }) => {
      const report = [
        "get",
        ...at,
        "configmap",
        `${FULLNAME}-drain-report`,
        "-o",
        "jsonpath={.data.kept}{.data.removed}",
      ];
      const lines = (await kubectl.run(report)).trim().split("\n");
      // Three kinds of ten objects each, and those of the other two pods.
      assert.ok(lines.length >= 30, `the report has ${lines.length} lines under ${run.policy}`);
    },
  }),
  defineScenario({
    name: "cleanup-killed",
    sentence: "The process of the cleanup after the release is killed at a call that is drawn over its whole run (F2)",
    keepFalse: true,
    firstEnd: "maybe",
    before: async ({ random, killAt, onEnd }) => {
      const n = random.int(1, CALLS_OF_CLEANUP);
      const kill = killAt({ caller: "cleanup" }, n);
      console.log(`kills the cleanup at call ${n}`);
      onEnd(async () => {
        await Promise.resolve();
        if (kill.hits !== 1) throw new Error(`the cleanup made fewer than ${n} calls, so it was not killed`);
      });
    },
  }),
  defineScenario({
    name: "leader-killed",
    sentence: "The leader's process is killed at a call that is drawn between the mark and its yielding to the hook",
    keepFalse: true,
    smoke: true,
    before: async ({ proxy, random, killAt, onEnd }) => {
      const n = random.int(1, 3);
      let kill: AddedCallFault | undefined;
      // From the mark on it ends its calls, frees the Lease and stands again; what comes first is cut off.
      const armed = proxy.add({
        kind: "do",
        match: { caller: "drain", method: "PATCH", path: /\/configmaps\/.*-drain-state$/ },
        run: () => void (kill = killAt({ caller: "manager" }, n)),
      });
      console.log(`kills the leader at call ${n} after the mark`);
      onEnd(async () => {
        await Promise.resolve();
        if (armed.hits === 0 || kill?.hits !== 1)
          throw new Error(`the leader made fewer than ${n} calls after the mark`);
      });
    },
  }),
];
