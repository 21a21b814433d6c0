// The api-manager's program over a population that it has reconciled itself, when its KubernetesOperator is deleted: the
// drain that a deletion by hand or a GitOps tool without hooks sets off.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { objectPath } from "#kube/paths.ts";
import { allReady, aPopulation, populate } from "#test/support/population.ts";
import { rounded } from "./arithmetic.ts";
import type { Latency } from "./bystander.ts";
import type { DriverRun, Setting } from "./drain.ts";
import { KEY } from "./ground.ts";
import { benchNamespaces, claimedOf, clearOut } from "./herd.ts";
import { startLeader } from "./leader-process.ts";
import { mustBeDrained, profileFlags } from "./verdict.ts";

export async function drainByLeader(setting: Setting): Promise<{ run: DriverRun; latency: Latency }> {
  const { ground, connection, ngrok, bystander, release, options, say } = setting;
  const { policy, count, namespaces, program, signal } = options;
  await using leader = startLeader(ground, {
    program,
    release,
    policy,
    ngrokUrl: ngrok.url,
    ngrokKey: KEY,
    nodeFlags: profileFlags(options),
  });
  const population = aPopulation(count, { name: "led", namespaces: benchNamespaces(namespaces) });
  await say.step(`${count} objects in ${namespaces} namespaces are Ready`, async () => {
    const ready = allReady(connection, population, { withinMs: 120_000 + count * 100, signal });
    await Promise.all([populate(connection, population, signal), ready]);
  });
  const settled = await leader.memory();
  say.line(`the api-manager: ${settled.residentMB.toFixed(0)} MB, at most ${settled.peakMB.toFixed(0)} MB`);
  await leader.forgetPeak();
  const { result: times, latency } = await say.step(
    `the api-manager drains, ${policy}, ${count} objects`,
    async () =>
      await bystander.beside(async () => {
        const second = leader.said(({ msg, pass }) => msg === "drain pass" && pass === 2);
        // A stretch that was too short is no end: the leader goes on by itself.
        const ended = leader.said(({ msg, ending }) => msg === "the drain has ended for now" && ending !== "paused");
        const began = performance.now();
        const path = objectPath(KubernetesOperator, KubernetesOperator.versions[0], release);
        await connection.request({ method: "DELETE", path, signal });
        await second;
        const passed = performance.now();
        const { ending, farewell } = await ended;
        if (farewell === undefined) throw new Error(`the api-manager's drain ended ${String(ending)}`);
        return { passed: passed - began, whole: performance.now() - began };
      }),
  );
  const memory = await leader.memory();
  await leader.stop();
  await mustBeDrained(setting, true, await claimedOf(connection, population, signal));
  if (setting.goesOn) await clearOut(connection, population, signal);
  return {
    latency,
    run: {
      seconds: rounded(times.whole / 1000),
      passSeconds: rounded(times.passed / 1000),
      peakMemoryMB: rounded(Math.max(settled.peakMB, memory.peakMB)),
      settledMemoryMB: rounded(settled.residentMB),
      drainPeakMemoryMB: rounded(memory.peakMB),
    },
  };
}
