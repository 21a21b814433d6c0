// A drain that ngrok's limit makes longer than Helm waits: it says so, stops in time, the operator goes on, and the same
// command again finishes. Hook and api-manager are real processes; the stand-in refuses what is beyond the limit.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { leadingManager, seen } from "#test/support/manager-process.ts";

const PER_MINUTE = 120;
const COUNT = 75;
const values = { drainPolicy: "Delete", "cleanupHook.timeout": "30", "ngrokApi.callsPerMinute": String(PER_MINUTE) };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig({ rate: PER_MINUTE });
});
afterAll(async () => await rig[Symbol.asyncDispose]());

const deleted = (): number => rig.api.count("DELETE", "/reserved_domains", 204);
async function idsHeld(): Promise<readonly string[]> {
  const path = "jsonpath={range .items[*]}{.status.id} {.metadata.finalizers}{'\\n'}{end}";
  const lines = (await rig.kubectl("get", "domains", "-n", "shop", "-o", path)).trim().split("\n");
  return lines.filter((line) => line.includes(FINALIZER)).map((line) => line.split(" ")[0] ?? "");
}

/** The most requests that came in any 60 seconds. */
function mostInAMinute(): number {
  const times = rig.api.ledger.entries().map((entry) => entry.at);
  return Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + 60_000).length));
}

test("a wait that ngrok asks for is no word against the key: nothing is refused, the drain waits and ends", async () => {
  await rig.reset();
  await rig.domains(1);
  rig.api.faults.add({ kind: "status", status: 429, retryAfter: 3, match: { path: /^\/api_keys/ } });
  const { code, log } = await rig.run("drain", { drainPolicy: "Delete" });
  expect(log).not.toContain("refused");
  expect({ code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
});

test("ngrok allows 120 calls a minute: the hook stops before Helm does, the leader goes on, the second run finishes", async () => {
  await rig.reset();
  await rig.domains(COUNT);
  await using operator = await leadingManager(rig, ["--drain-policy=Delete"], {
    NGROK_CALLS_PER_MINUTE: String(PER_MINUTE),
  });

  const { code, log } = await rig.run("drain", values);
  expect(log).toMatch(/policy Delete time limit 2\ds/);
  expect(log).toMatch(
    /plan +75 objects, about 77 ngrok API calls at 120 a minute = \d+s; this run has \d+s, so it will stop in time/,
  );
  const [, done = "0"] = /paused +(\d+) of 75 done .*; the operator goes on meanwhile/.exec(log) ?? [log];
  expect(Number(done)).toBeGreaterThan(0);
  expect(log).toMatch(
    /follow +kubectl -n ops get kubernetesoperator ngrok -w\n(.*\n)*.*again +helm uninstall ngrok -n ops\n$/,
  );
  expect(code).toBe(1);
  // Whatever is still at ngrok has its object, which holds its id.
  const remote = rig.api.objects("reserved_domains").map(({ id }) => id);
  expect(await idsHeld()).toEqual(expect.arrayContaining(remote));

  const byHook = deleted();
  await seen(
    () => `the leader goes on; it said ${operator.log()}`,
    () => deleted() >= byHook + 5,
  );
  expect(operator.log()).toContain("drains");
  expect(operator.child.exitCode).toBeNull();

  const again = { ...values, "cleanupHook.timeout": "300" };
  const second = await rig.run("drain", again, { POD_NAME: "drain-x2", POD_UID: "2" });
  // As long as the hook takes to start, the leader may have done the rest.
  expect(second.log).toMatch(/operator +(leader manager-1 yielded|no leader held the write token)/);
  expect({ code: second.code, held: await idsHeld(), remote: rig.api.remote() }).toEqual({
    code: 0,
    held: [],
    remote: 0,
  });
  expect(deleted()).toBe(COUNT);
  expect(mostInAMinute()).toBeLessThanOrEqual(PER_MINUTE);
  expect(rig.api.ledger.entries().filter(({ status }) => status === 429)).toEqual([]);
});
