// ngrok-drain as the program that people run: in the operator's pod with the rights that the chart gives it, and from
// outside with a kubeconfig.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Job } from "#kube/kinds.ts";
import { endOf, eventsSince } from "#test/support/audit.ts";
import { type DrainCli, startDrainCli, STATE } from "#test/support/drain-cli.ts";
import { drainDocument } from "#test/support/drain-documents.ts";
import type { ReportDocument } from "./report.ts";
import type { Status } from "./status-page.ts";

const ref = (name: string) => ({ name, namespace: "ops" });
const MARK = {
  phase: "Draining",
  policy: "Delete",
  driver: "hook",
  by: "pod/drain-x/1",
  since: "2026-01-02T03:04:05Z",
};

let cli: DrainCli;
let storyBegan = 0;

beforeAll(async () => {
  cli = await startDrainCli();
});

afterAll(async () => await cli[Symbol.asyncDispose]());

beforeEach(async () => {
  await cli.reset();
  storyBegan = await endOf(cli.plane.auditLog);
});

describe("status", () => {
  test("in the pod: state, policy, writer, progress, what to type next", async () => {
    await cli.operator();
    await cli.state(MARK);
    await cli.drainProgress(541, 2000);
    const { code, out, err } = await cli.inPod(["status"]);
    expect(err).toBe("");
    expect(out).toMatch(/state +draining since 2026-01-02T03:04:05Z, policy Delete, begun by hook pod\/drain-x\/1/);
    expect(out).toMatch(/writer +nobody holds the write token/);
    expect(out).toMatch(/done +541 of 2000, Draining by hook/);
    expect(out).toMatch(/next +helm uninstall ngrok -n ops/);
    expect(code).toBe(0);
  });

  test("--watch tells each change by watches, and ends when the install is drained", async () => {
    await cli.operator();
    await cli.state(MARK);
    const watching = cli.inPod(["status", "--watch", "-o", "json"]);
    await expect.poll(async () => await watched()).toEqual(["configmaps", "kubernetesoperators", "leases"]);
    await cli.drainProgress(7, 9);
    await cli.state({ phase: "Drained" });
    const last = { kind: KubernetesOperator, ref: ref("ngrok"), uid: await cli.uidOfOperator() };
    await cli.write.remove(last, cli.signal);
    await cli.write.patch(
      KubernetesOperator,
      last.ref,
      last.uid,
      [{ op: "remove", path: "/metadata/finalizers" }],
      cli.signal,
    );
    const { code, out } = await watching;
    const told = await Promise.all(
      out
        .trim()
        .split("\n")
        .map(async (line) => await drainDocument<Status>("status", line)),
    );
    expect(told.at(-1)).toMatchObject({ command: "status", operator: null, state: { phase: "Drained" } });
    expect(told.some(({ drain }) => JSON.stringify(drain).includes('"drainedResources":7'))).toBe(true);
    expect(code).toBe(0);
  });
});

describe("policy", () => {
  test("Retain is what kubectl would write; Delete is refused", async () => {
    await cli.operator();
    await cli.state(MARK);
    const refused = await cli.inPod(["policy", "Delete"]);
    expect({ code: refused.code, policy: (await cli.stateNow())?.["policy"] }).toEqual({ code: 2, policy: "Delete" });
    expect(refused.out).toMatch(/refused .*only ever relaxed.*Nothing was changed/);
    const { code, out } = await cli.inPod(["policy", "Retain"]);
    expect({ code, now: await cli.stateNow() }).toEqual({ code: 0, now: { ...MARK, policy: "Retain" } });
    expect(out).toMatch(/the running drain follows Retain/);
    const machine = await cli.inPod(["policy", "Retain", "-o", "json"]);
    const release = { name: "ngrok", namespace: "ops" };
    expect(JSON.parse(machine.out)).toMatchObject({ command: "policy", release, ok: true, phase: "Draining" });
    const no = await cli.inPod(["policy", "Delete", "-o", "json"]);
    expect(JSON.parse(no.out)).toMatchObject({ ok: false, reason: expect.any(String) as string });
  });
});

describe("cancel", () => {
  test("opens until the KubernetesOperator is being deleted, and says Helm's side (F7)", async () => {
    await cli.operator();
    await cli.state(MARK);
    const { code, out } = await cli.inPod(["cancel"]);
    expect({ code, now: await cli.stateNow() }).toEqual({ code: 0, now: { phase: "Open" } });
    expect(out).toContain("helm rollback ngrok REVISION -n ops");
    await cli.state(MARK);
    const machine = await cli.inPod(["cancel", "-o", "json"]);
    expect(JSON.parse(machine.out)).toMatchObject({ command: "cancel", ok: true, before: "Draining" });
    await cli.state(MARK);
    await cli.write.remove({ kind: KubernetesOperator, ref: ref("ngrok"), uid: await cli.uidOfOperator() }, cli.signal);
    const late = await cli.inPod(["cancel"]);
    expect({ code: late.code, phase: (await cli.stateNow())?.["phase"] }).toEqual({ code: 2, phase: "Draining" });
    expect(late.out).toMatch(/refused .*is being deleted.*Nothing is cancelled/);
  });
});

test("cancel of an uninstall whose hook has not begun: its Job is named beside Open, and stays", async () => {
  await cli.operator();
  const containers = [{ name: "drain", image: "a" }];
  const spec = { suspend: true, template: { spec: { restartPolicy: "Never", containers } } };
  const job = await cli.write.create(Job, { metadata: ref("ngrok-operator-drain"), spec } as KubeObject, cli.signal);
  const told = { phase: "Open", job: job.metadata.uid };
  try {
    for (const before of [undefined, "Open"]) {
      if (before !== undefined) await cli.state({ phase: before, job: "an earlier one" });
      const { code, out } = await cli.inPod(["cancel"]);
      expect({ code, now: await cli.stateNow() }).toEqual({ code: 0, now: told });
      expect(out).toMatch(
        /open +there was no drain; job ngrok-operator-drain, whose pod has not begun, will begin none/,
      );
    }
    expect(await cli.read.get(Job, ref("ngrok-operator-drain"), cli.signal)).toBeDefined();
  } finally {
    await cli.write.remove({ kind: Job, ref: ref("ngrok-operator-drain"), uid: job.metadata.uid! }, cli.signal);
  }
});

describe("cancel of a drain at work", () => {
  test("answers when the driver has heard it and let go (F7)", async () => {
    await cli.operator();
    await cli.state(MARK);
    await using driver = await cli.driver();
    const { code } = await cli.inPod(["cancel"]);
    const ended = await Promise.race([driver.ended, Promise.resolve("still at work")]);
    expect({ code, ended }).toEqual({ code: 0, ended: "yielded" });
  });
});

describe("run and report", () => {
  test("drains as cli/<uuid> by the same engine, and the report names what stayed", async () => {
    await cli.operator();
    await cli.domain("ours", "ops/ngrok");
    await cli.domain("theirs", "team/ngrok");
    const none = await cli.outside(["report", "-n", "ops", "-o", "json"]);
    expect({ code: none.code, ...(await drainDocument<ReportDocument>("report", none.out)) }).toMatchObject({
      code: 3,
      complete: false,
      policy: null,
    });
    const { code, out } = await cli.outside(["run", "-n", "ops"], { NGROK_API_KEY: "key" });
    expect(out).toMatch(/drain +release ops\/ngrok policy Retain as cli\/[0-9a-f-]{36}/);
    expect(out).toMatch(/done +1 objects, 0 deleted at ngrok/);
    expect({ code, state: await cli.stateNow() }).toMatchObject({
      code: 0,
      state: { phase: "Drained", driver: "cli" },
    });
    expect(await cli.read.get(KubernetesOperator, ref("ngrok"), cli.signal)).toBeUndefined();
    const kept = async (name: string) =>
      (await cli.read.get(Domain, { name, namespace: "shop" }, cli.signal))?.metadata.finalizers;
    expect({ ours: await kept("ours"), theirs: await kept("theirs") }).toEqual({ theirs: [FINALIZER] });
    const again = await cli.outside(["run", "-n", "ops", "-o", "json"], { NGROK_API_KEY: "key" });
    expect(JSON.parse(again.out)).toMatchObject({
      command: "run",
      ok: true,
      policy: "Retain",
      ending: "clean",
      done: 0,
    });
    const report = await cli.outside(["report", "-n", "ops", "-o", "json"]);
    expect(await drainDocument("report", report.out)).toMatchObject({
      complete: true,
      policy: "Retain",
      kept: [{ kind: "domain", object: "shop/ours", id: expect.stringMatching(/^rd_/) as string, why: null }],
      removed: [],
    });
  });

  test("with operator, KubernetesOperator and drain state gone, it frees what they left; the install is named by flags (W19)", async () => {
    await cli.domain("ours", "ops/ngrok");
    await cli.kubectl("delete", "configmap", STATE, "-n", "ops");
    // The operator is gone with its pods: while one is there, the state would be made anew for it to read.
    const gone = ["--all", "-n", "ops", "--force", "--grace-period=0"];
    for (const kind of ["deployments", "replicasets", "pods"]) await cli.kubectl("delete", kind, ...gone);
    const lost = await cli.outside(["run", "-n", "ops"]);
    expect(lost.err).toMatch(/no install of the operator was found in namespace ops\nremedy: name it: -n NAMESPACE/);
    const named = ["-n", "ops", "--release", "ngrok", "--fullname", "ngrok-operator"];
    expect(await cli.outside(["run", ...named])).toMatchObject({ code: 0, err: "" });
    const domain = await cli.read.get(Domain, { name: "ours", namespace: "shop" }, cli.signal);
    expect([domain?.metadata.finalizers, await cli.stateNow()]).toEqual([undefined, undefined]);
  });

  test("Delete without a key, or with a login that may not, is refused before anything has changed", async () => {
    await cli.operator();
    const keyless = await cli.outside(["run", "-n", "ops", "--policy", "Delete"]);
    expect(keyless.out).toMatch(/refused .*there is no API key. Nothing was changed/);
    const inside = await cli.inPod(["run"]);
    expect(inside.out).toMatch(
      /refused .*this login may not get pods in namespace ops and 1 more\. Nothing was changed/,
    );
    expect(inside.out).toMatch(
      /remedy +from outside, .*: kubectl ngrok-drain run -n ops, or npx ngrok-drain run -n ops/,
    );
    expect([keyless.code, inside.code, await cli.stateNow()]).toEqual([2, 2, undefined]);
  });
});

describe("secrets", () => {
  const KEY = "2abcSECRETSECRET";

  test("no command shows the API key, whether it stands in the environment, in the Secret or in what ngrok answers", async () => {
    await cli.operator();
    await cli.domain("ours", "ops/ngrok");
    const secret = ["secret", "ngrok-operator-credentials", "-n", "ops"];
    await cli.kubectl("create", secret[0]!, "generic", ...secret.slice(1), `--from-literal=API_KEY=${KEY}`);
    const text = JSON.stringify({
      error_code: "ERR_NGROK_206",
      status_code: 403,
      msg: `the key ${KEY} may not do this`,
    });
    const fault = cli.api.faults.add({ kind: "status", status: 403, text, times: Number.POSITIVE_INFINITY });
    const lines = [
      ["plan"],
      ["status"],
      ["run", "--policy", "Delete"],
      ["rescue", "ngrok", "--policy", "Delete"],
      ["report"],
    ];
    const said: string[] = [];
    for (const line of lines) {
      for (const env of [{}, { NGROK_API_KEY: KEY }]) {
        const { out, err } = await cli.outside([...line, "-n", "ops", "-o", "json"], env);
        said.push(out, err);
      }
    }
    fault.remove();
    await cli.kubectl("delete", ...secret);
    const all = said.join("\n");
    expect(all).toContain("ERR_NGROK_206: the key [API key] may not do this");
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(Buffer.from(KEY).toString("base64"));
  });

  test("nor the password of a proxy that is not there", async () => {
    await cli.operator();
    const proxied = { NGROK_API_KEY: KEY, HTTP_PROXY: "http://user:PASSWORD@127.0.0.1:1" };
    const { code, out, err } = await cli.outside(["plan", "-n", "ops"], proxied);
    expect(out).toMatch(/^ +ngrok's API key: .+/m);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out + err).not.toMatch(/PASSWORD|SECRET/);
  });
});

/** What the operator's account has been watching since the story began. */
async function watched(): Promise<string[]> {
  const events = await eventsSince(cli.plane.auditLog, storyBegan);
  const watches = events.filter(({ verb, user }) => verb === "watch" && user.username.includes("serviceaccount:ops"));
  return [...new Set(watches.map(({ objectRef }) => objectRef?.resource ?? ""))].toSorted();
}
