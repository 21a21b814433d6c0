// A drain that ngrok's limit makes longer than Helm waits: it says so, stops in time, the operator goes on, and the same
// command again finishes. Hook and api-manager are real processes; the stand-in refuses what is beyond the limit.
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Lease, Pod } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const PER_MINUTE = 120;
const COUNT = 75;
const { signal } = new AbortController();
const values = { drainPolicy: "Delete", "cleanupHook.timeout": "30", "ngrokApi.callsPerMinute": String(PER_MINUTE) };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig({ rate: PER_MINUTE });
}, 60_000);
afterAll(async () => await rig[Symbol.asyncDispose]());

interface Manager extends AsyncDisposable {
  readonly child: ChildProcess;
  log(): string;
}

/** The api-manager as its pod would run it, and the pod, which no kubelet starts here. */
async function manager(): Promise<Manager> {
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
  const spec = { containers: [{ name: "a", image: "a" }] };
  const pod = await rig.write.create(Pod, { metadata: { ...at("manager-1"), labels }, spec } as KubeObject, signal);
  const flags = [
    "--release-name=ngrok",
    "--fullname=ngrok-operator",
    "--drain-policy=Delete",
    `--api-url=${rig.api.url}`,
  ];
  const bind = ["--health-probe-bind-address=0", "--metrics-bind-address=0"];
  const child = spawn(process.execPath, ["operator/managers/api-manager/main.ts", ...flags, ...bind], {
    env: {
      PATH: process.env["PATH"],
      KUBECONFIG: rig.kubeconfig,
      POD_NAMESPACE: "ops",
      POD_NAME: "manager-1",
      POD_UID: pod.metadata.uid,
      NGROK_API_KEY: "key",
      NGROK_CALLS_PER_MINUTE: String(PER_MINUTE),
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    child,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Looks at what is in this process until it is so; a turn of the loop is enough between looks. */
async function seen(what: string, is: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const deleted = (): number => rig.api.count("DELETE", "/reserved_domains", 204);
const holder = async (): Promise<string> =>
  (await rig.read.get(Lease, at("ngrok-operator-leader"), signal))?.spec?.holderIdentity ?? "";

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

test("ngrok allows 120 calls a minute: the hook stops before Helm does, the leader goes on, the second run finishes", async () => {
  await rig.reset();
  await rig.domains(COUNT);
  await using operator = await manager();
  await seen("the operator leads", async () => (await holder()).startsWith("pod/manager-1/"));

  const first = await rig.start("drain", values);
  const began = performance.now();
  const { code, log } = await first.ended;
  const seconds = (performance.now() - began) / 1000;
  expect(log).toMatch(
    /plan +75 objects, about 75 ngrok API calls at 120 a minute = \d+s; this run has \d+s, so it will stop in time/,
  );
  const [, done = "0"] = /paused +(\d+) of 75 done .*; the operator goes on meanwhile/.exec(log) ?? [log];
  expect(Number(done)).toBeGreaterThan(0);
  expect(log).toMatch(
    /follow +kubectl -n ops get kubernetesoperator ngrok -w\n.*again +helm uninstall ngrok -n ops\n$/,
  );
  expect({ code, inTime: seconds < 30 }).toEqual({ code: 1, inTime: true });
  // Whatever is still at ngrok has its object, which holds its id.
  const remote = rig.api.objects("reserved_domains").map(({ id }) => id);
  expect(await idsHeld()).toEqual(expect.arrayContaining(remote));

  const byHook = deleted();
  await seen("the leader goes on", () => deleted() >= byHook + 5);
  expect(operator.log()).toContain("drains");
  expect(operator.child.exitCode).toBeNull();

  const again = { ...values, "cleanupHook.timeout": "300" };
  const second = await rig.run("drain", again, { POD_NAME: "drain-x2", POD_UID: "2" });
  expect(second.log).toMatch(/operator +leader manager-1 yielded/);
  expect({ code: second.code, held: await idsHeld(), remote: rig.api.remote() }).toEqual({
    code: 0,
    held: [],
    remote: 0,
  });
  expect(deleted()).toBe(COUNT);
  expect(mostInAMinute()).toBeLessThanOrEqual(PER_MINUTE);
  expect(rig.api.ledger.entries().filter(({ status }) => status === 429)).toEqual([]);
}, 240_000);
