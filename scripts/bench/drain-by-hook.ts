// The drain hook's program over a herd: its times from what it says, its memory from the kernel, its success from nobody
// but the API server and ngrok's stand-in.
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ownerOf } from "#api/release.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { afterUninstall } from "#wire/fence.ts";
import { rounded } from "./arithmetic.ts";
import type { Latency } from "./bystander.ts";
import type { DriverRun, Setting } from "./drain.ts";
import { KEY } from "./ground.ts";
import { makeHerd } from "./herd.ts";
import { hookEnvironment, runHookProcess, saidAt } from "./hook-process.ts";
import { mustBeDrained, profileFlags } from "./verdict.ts";

export async function drainByHook(setting: Setting): Promise<{ run: DriverRun; latency: Latency }> {
  const { ground, connection, ngrok, bystander, release, options, say } = setting;
  const { policy, count, namespaces, program, signal } = options;
  const herd = await say.step(
    `${count} objects in ${namespaces} namespaces, claimed by ${ownerOf(release)}`,
    async () =>
      await makeHerd(connection, ngrok, { count, namespaces, name: "drained", owner: ownerOf(release) }, signal),
  );
  await register(setting);
  const env = hookEnvironment({
    release,
    policy,
    ngrokUrl: ngrok.url,
    ngrokKey: KEY,
    kubeconfig: ground.kubeconfig,
  });
  const flags = [...program.flags, ...profileFlags(options)];
  const { result: run, latency } = await say.step(
    `the drain hook's program, ${policy}, ${count} objects`,
    async () =>
      await bystander.beside(async () => await runHookProcess(ground, program.path, { ...program.env, ...env }, flags)),
  );
  for (const { word, sentence } of run.lines) say.line(`  ${word.padEnd(9)} ${sentence}`);
  await mustBeDrained(setting, run.code === 0, await herd.claimed());
  if (setting.goesOn) await herd.clear();
  const [from, passed, done] = [saidAt(run, "operator").at, saidAt(run, "drained").at, saidAt(run, "done").at];
  return {
    latency,
    run: {
      seconds: rounded((done - from) / 1000),
      passSeconds: rounded((passed - from) / 1000),
      peakMemoryMB: rounded(run.peakMemoryMB),
      processSeconds: rounded(run.processSeconds),
      cpuSeconds: rounded(run.cpuSeconds),
    },
  };
}

/** A KubernetesOperator as the operator leaves it, registered at ngrok. */
async function register({ connection, ngrok, release, options: { signal } }: Setting): Promise<void> {
  const { namespace, name } = release;
  const write = writer(connection, afterUninstall(signal));
  const id = await ngrok.add("kubernetes_operators", { deployment: { name, namespace, version: "1" } });
  const operator = aKubernetesOperator({ metadata: { name, namespace, finalizers: [FINALIZER] } });
  const { metadata } = await write.create(KubernetesOperator, operator, signal);
  await applyStatus(connection, KubernetesOperator, metadata, { id }, "bench", signal);
}
