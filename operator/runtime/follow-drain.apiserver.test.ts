// The numbers of a drain in the metrics of an api-manager, which drives it or stands by: what the alerts need to tell one that
// works from one that stands still, and what cannot be freed from what is not freed yet.
import { afterAll, expect, inject, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { stateReader } from "#drain/state.ts";
import { connect } from "#kube/connection.ts";
import { Namespace } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { aCloudEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { patient } from "#test/support/patient.ts";
import { isReady, startWorld } from "#test/support/world.ts";
import { systemClock as clock } from "#wire/clock.ts";
import { afterUninstall } from "#wire/fence.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { tellDrain } from "./follow-drain.ts";
import { gate as openGate } from "./gate.ts";
import { openLog } from "./log.ts";
import { type Metrics, metrics as openMetrics } from "./metrics.ts";

const release = { name: "ngrok", namespace: "follow-drain", fullname: "ngrok" };
const at = { name: release.name, namespace: release.namespace };

const stop = new AbortController();
const { signal } = stop;
afterAll(() => stop.abort(new Error("the tests are over")));

async function toldBy({ registry }: Metrics): Promise<Record<string, number>> {
  const { values = [] } = (await registry.getSingleMetric("ngrok_operator_drain_objects")?.get()) ?? {};
  return Object.fromEntries(values.map(({ labels, value }) => [labels["outcome"], value]));
}

test("what a hook has freed is told as it goes on; the leader's own drain is left to the leader", async () => {
  await using connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
  await installCrds(connection);
  const write = writer(connection, afterUninstall(signal));
  await write.create(Namespace, { metadata: { name: release.namespace } }, signal);
  const { metadata } = await write.create(KubernetesOperator, aKubernetesOperator({ metadata: at }), signal);
  const progress = async (drained: number, failed = 0): Promise<void> => {
    const drain = { totalResources: 9, drainedResources: drained, failedResources: failed };
    await applyStatus(connection, KubernetesOperator, { ...at, uid: metadata.uid }, { drain }, "hook", signal);
  };
  const state = stateReader(reader(connection), release);
  const gate = openGate(state, clock);
  const mark = (phase: string, driver: string): void =>
    gate.observe({ metadata: { name: "state" }, data: { phase, driver, policy: "Retain", by: "pod/x", since: "now" } });
  const metrics = openMetrics({ processMetrics: false });
  const told = async () => await toldBy(metrics);

  await progress(1);
  mark("Draining", "leader");
  const log = openLog({ level: "error", encoder: "json", secrets: [] }, { write() {} });
  tellDrain({ connection, release, clock, metrics, log }, gate, signal);
  mark("Draining", "hook");
  await expect.poll(told).toEqual({ total: 9, drained: 1, failed: 0 });
  await progress(5, 2);
  await expect.poll(told).toEqual({ total: 9, drained: 5, failed: 2 });
});

test("in the leader's own drain an object is no failure until ngrok has answered, and none any more when it is freed", async () => {
  const controllers = [cloudEndpointController, kubernetesOperatorController];
  await using world = await startWorld({ controllers, options: { drainPolicy: "Delete" } });
  await world.until(KubernetesOperator, "ngrok", isReady);
  for (const name of ["one", "other"]) {
    const spec = { url: `https://${name}.internal`, bindings: ["internal"] };
    await world.create(CloudEndpoint, aCloudEndpoint({ metadata: { name }, spec }));
    await world.until(CloudEndpoint, name, isReady);
  }
  const ofTheOther = { match: { method: "DELETE", path: /endpoints/ }, skip: 1 };
  // Almost as long as a call may take: by then the first one is free, and that has been seen.
  const slow = world.api.faults.add({ kind: "latency", ms: 9_000, ...ofTheOther });
  const failing = world.api.faults.add({ kind: "status", status: 503, ...ofTheOther, times: Infinity });
  const told = async () => await toldBy(world.manager.metrics);

  await world.remove(KubernetesOperator, "ngrok");
  await expect.poll(told).toEqual({ total: 2, drained: 1, failed: 0 });
  slow.remove();
  await expect.poll(told, { timeout: 180_000 }).toEqual({ total: 2, drained: 1, failed: 1 });
  failing.remove();
  await world.gone(KubernetesOperator, "ngrok");
  expect(await told()).toEqual({ total: 2, drained: 2, failed: 0 });
});
