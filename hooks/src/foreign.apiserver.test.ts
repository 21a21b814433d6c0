// With crds.keep=false another controller's finalizer on an object of our kinds, whether ours was ever on it or not, would hold
// a CRD that Helm deletes: it is refused beforehand, told at the end, and never an exit 0. What is printed is typed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { parseState } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { at, type Ended, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";

const { signal } = new AbortController();
const HOLD = "acme.example/hold";
const values = { "crds.keep": "false", drainPolicy: "Delete" };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(1);
  await rig.anOperator();
});

afterEach(async () => {
  const held = ["ngroktrafficpolicy/held", "-n", "shop"];
  await rig.kubectl("patch", ...held, "--type=merge", "-p", '{"metadata":{"finalizers":null}}');
  await rig.kubectl("delete", ...held);
});

const phase = async () => parseState(await rig.read.get(ConfigMap, at("ngrok-operator-drain-state"), signal)).phase;
const domain = async () => await rig.read.get(Domain, { name: "shop-1", namespace: "shop" }, signal);

/** An object of ours that is nobody's to free; it goes with what holds it. */
async function aHeldPolicy(): Promise<void> {
  const metadata = { name: "held", namespace: "shop", finalizers: [HOLD] };
  await rig.write.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata }), signal);
}

/** Types the way out that a run has printed. */
async function letGo({ log }: Ended): Promise<void> {
  const line = /if nobody comes for it any more: (kubectl .*)/.exec(log)?.[1] ?? "exit 1";
  const env = { PATH: `${await binaries(console.log)}:${process.env["PATH"]}`, KUBECONFIG: rig.kubeconfig };
  await command("sh", ["-c", line], { env });
}

test("on an object that never had ours it is refused before the mark, and the printed command works (F14)", async () => {
  await aHeldPolicy();
  const first = await rig.run("drain", values);
  expect({ code: first.code, phase: await phase() }).toEqual({ code: 1, phase: "Open" });
  expect(first.log).toMatch(
    /refused +this release owns the CRDs .* ngroktrafficpolicy shop\/held still carries acme\.example\/hold/,
  );
  expect((await domain())?.metadata.finalizers).toEqual([FINALIZER]);
  await letGo(first);
  expect((await rig.run("drain", values)).code).toBe(0);
});

test("beside ours on several it is refused as well; one goes by the command, ours stays on it for the drain (F14)", async () => {
  await aHeldPolicy();
  const both = JSON.stringify({ metadata: { finalizers: [FINALIZER, "acme.example/one", HOLD] } });
  await rig.kubectl("patch", "domain/shop-1", "-n", "shop", "--type=merge", "-p", both);
  const first = await rig.run("drain", values);
  expect(first.log).toMatch(
    /domain shop\/shop-1 still carries acme\.example\/one, acme\.example\/hold .* \(and 1 more\)\./,
  );
  await letGo(first);
  expect((await domain())?.metadata.finalizers).toEqual([FINALIZER]);
  await letGo(await rig.run("drain", values));
  expect((await rig.run("drain", values)).code).toBe(0);
  expect(await domain()).toBeUndefined();
});

test("that comes in the middle of the drain stops it at its end, truly told, and the same command again is no exit 0 (F14)", async () => {
  // Not before the policy is there, however long that takes.
  const slow = rig.api.faults.add({ kind: "latency", ms: 3_600_000, match: { method: "DELETE" }, times: Infinity });
  const started = await rig.start("drain", values);
  await expect.poll(async () => (await domain())?.metadata.deletionTimestamp).toBeDefined();
  await aHeldPolicy();
  slow.remove();
  const first = await started.ended;
  expect({ code: first.code, domain: await domain() }).toEqual({ code: 1, domain: undefined });
  expect(first.log).toMatch(/foreign +ngroktrafficpolicy shop\/held still carries acme\.example\/hold/);
  expect(first.log).toMatch(/stopped +1 of 1 done, no finalizer of this release is left; but the CRDs/);
  expect(first.log).not.toContain("keeps its finalizer");
  const second = await rig.run("drain", values);
  expect({ code: second.code, refused: /refused .*shop\/held still carries/.test(second.log) }).toEqual({
    code: 1,
    refused: true,
  });
  await letGo(first);
  expect((await rig.run("drain", values)).code).toBe(0);
});

test("where the CRDs stay it stops nothing (F14)", async () => {
  await aHeldPolicy();
  expect((await rig.run("drain", { drainPolicy: "Delete" })).code).toBe(0);
});
