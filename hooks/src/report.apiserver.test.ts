// A drain of thousands by the real hook, with the rights that the chart gives it: what it writes meanwhile, and a report that
// no single ConfigMap could hold.
import { afterAll, beforeAll, expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { readReport } from "#drain/keep.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { endOf, eventsSince, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { isClass } from "#wire/errors.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";

const COUNT = 3_000;
/** As long as Kubernetes takes them, so that 3,000 lines are more than a mebibyte. */
const LONG = { namespace: `n${"s".repeat(62)}`, name: (n: number) => `e${n}-`.padEnd(253, "x") };
const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
  await rig.reset();
});
afterAll(async () => await rig[Symbol.asyncDispose]());

async function endpoints(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, n) => from + n).values();
  const work = async (): Promise<void> => {
    for (const n of numbers) await steadily(async () => await endpoint(n));
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

async function endpoint(n: number): Promise<void> {
  const at = { name: LONG.name(n), namespace: LONG.namespace };
  const claimed = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
  const wanted = aCloudEndpoint({ metadata: { ...at, ...claimed }, spec: { url: `https://e${n}.internal` } });
  await rig.write.create(CloudEndpoint, wanted, signal).catch((error: unknown) => {
    if (!isClass(error, "conflict")) throw error; // an attempt that timed out had made it
  });
  await applyStatus(rig.connection, CloudEndpoint, at, { id: `ep_${String(n).padStart(27, "0")}` }, "test", signal);
}

/** An API server of a busy machine may not be in time for each of 6,000 writes. */
async function steadily(work: () => Promise<void>): Promise<void> {
  for (let left = 5; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !isClass(error, "transient")) throw error;
    }
  }
}

const pieces = async (): Promise<string[]> => {
  const names = await rig.kubectl(
    "get",
    "configmaps",
    "-n",
    "ops",
    "-l",
    "app.kubernetes.io/component=drain-report",
    "-o",
    "name",
  );
  return names
    .trim()
    .split("\n")
    .map((name) => name.replace("configmap/ngrok-operator-", ""));
};

const reopen = async (): Promise<string> =>
  await rig.kubectl(
    "patch",
    "configmap",
    "ngrok-operator-drain-state",
    "-n",
    "ops",
    "--type=json",
    '-p=[{"op":"remove","path":"/data"}]',
  );

test("3,000 objects: status.drain is written at most once a second, the report lies in two ConfigMaps, and that of the next install replaces it (F27)", async () => {
  await rig.write.create(Namespace, { metadata: { name: LONG.namespace } }, signal);
  await endpoints(0, COUNT);
  await rig.anOperator();
  const since = await endOf(rig.auditLog);
  const first = await rig.run("drain");
  expect(first.code, first.log).toBe(0);

  const changes = writes(await eventsSince(rig.auditLog, since)).filter(({ user }) => user.username.includes(":ops:"));
  const shown = changes.filter(
    ({ objectRef }) => objectRef?.resource === "kubernetesoperators" && objectRef.subresource === "status",
  );
  const times = shown
    .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
    .toSorted((a, b) => a - b);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  // The policy before the mark, the first and the last word come when they come; in between one a second.
  expect(times.length).toBeLessThanOrEqual(Math.floor(seconds) + 4);
  expect(times.length).toBeGreaterThanOrEqual(2);

  expect(await pieces()).toEqual(["drain-report", "drain-report-2"]);
  const report = await readReport(rig.read, release, signal);
  expect(report).toMatchObject({ complete: true, policy: "Retain", omitted: 0 });
  expect(report?.told.kept).toHaveLength(COUNT);
  expect(report?.told.kept.join("\n").length).toBeGreaterThan(1 << 20);

  // The same drain goes on: what it finds later is added.
  await endpoints(COUNT, COUNT + 1);
  const second = await rig.run("drain");
  expect(second.code, second.log).toBe(0);
  expect((await readReport(rig.read, release, signal))?.told.kept).toHaveLength(COUNT + 1);

  // Another install, whose drain has a single word to say.
  await reopen();
  await endpoints(COUNT + 1, COUNT + 2);
  const third = await rig.run("drain");
  expect(third.code, third.log).toBe(0);
  expect(await pieces()).toEqual(["drain-report"]);
  expect((await readReport(rig.read, release, signal))?.told.kept).toEqual([
    `cloudendpoint ${LONG.namespace}/${LONG.name(COUNT + 1)} ep_${String(COUNT + 1).padStart(27, "0")}`,
  ]);

  // And one whose drain has nothing to say: what the last one kept is no longer the truth.
  await reopen();
  const fourth = await rig.run("drain");
  expect(fourth.code, fourth.log).toBe(0);
  expect(await rig.read.get(ConfigMap, at("ngrok-operator-drain-report"), signal)).toBeUndefined();
  expect(changes.filter(({ objectRef }) => objectRef?.resource === "configmaps").map(said)).toEqual(
    expect.arrayContaining([expect.stringContaining("create configmaps ops/ngrok-operator-drain-report-2 ")]),
  );
});
