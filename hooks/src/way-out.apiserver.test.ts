// When a hook must stop it says what to type, and what it printed works: a key that may not delete, time that is over, a
// login that Helm has taken away.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { FINALIZER } from "#api/keys.ts";
import { command } from "#tools/command.ts";
import { binaries } from "#tools/binaries.ts";
import { type HookRig, hookRig } from "#test/support/hook-rig.ts";

let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(2);
});

const finalizers = async (): Promise<string> =>
  await rig.kubectl("get", "domains", "-n", "shop", "-o", "jsonpath={.items[*].metadata.finalizers[*]}");

/** A line that the hook printed, typed into a shell. */
async function typed(line: string): Promise<void> {
  const bin = await binaries(() => {});
  const env = { PATH: `${bin}:${process.env["PATH"]}`, KUBECONFIG: rig.kubeconfig };
  await command("sh", ["-c", line], { env });
}

test("a key that may not delete: nothing is let go, and the printed command lets the same hook end (F15, W4)", async () => {
  const refusal = { kind: "status", status: 403, code: 206, match: { method: "DELETE" }, times: Infinity } as const;
  rig.api.faults.add(refusal);
  const first = await rig.run("drain", { drainPolicy: "Delete" });
  expect({ code: first.code, finalizers: await finalizers() }).toEqual({
    code: 1,
    finalizers: `${FINALIZER} ${FINALIZER}`,
  });
  expect(first.log).toMatch(/blocked +domain shop\/shop-\d: ERR_NGROK_206/);
  expect(first.log).toMatch(/back +or keep the release: kubectl .* && helm rollback ngrok 1 -n ops/);
  const [, remedy = ""] = /remedy +or keep what is at ngrok: (kubectl .*')$/m.exec(first.log) ?? [];
  expect(first.log).toMatch(/again +helm uninstall ngrok -n ops\n$/);

  await typed(remedy);
  const second = await rig.run("drain", { drainPolicy: "Delete" }, { POD_NAME: "drain-x2", POD_UID: "2" });

  expect({ code: second.code, finalizers: await finalizers(), remote: rig.api.remote() }).toEqual({
    code: 0,
    finalizers: "",
    remote: 2,
  });
});

test("Delete without a key is refused while an object is left, and ends where nothing is: the Secret may have gone before (E1)", async () => {
  const keyless = { NGROK_API_KEY: "" };
  const first = await rig.run("drain", { drainPolicy: "Delete" }, keyless);
  expect({ code: first.code, log: first.log }).toEqual({
    code: 1,
    log: expect.stringMatching(/refused .*there is no API key\. Nothing was changed/) as string,
  });
  await rig.reset();

  const second = await rig.run("drain", { drainPolicy: "Delete" }, keyless);

  expect({ code: second.code, log: second.log }).toEqual({
    code: 0,
    log: expect.stringMatching(/verified .*no finalizer of this release is left/) as string,
  });
});

test("the time of the hook is over before ngrok answers: exit 1, so that Helm deletes nothing, and what to do next (E7)", async () => {
  rig.api.faults.add({ kind: "status", status: 503, match: { method: "DELETE" }, times: Infinity });
  const values = { drainPolicy: "Delete", "cleanupHook.timeout": "30" };
  const { code, log } = await rig.run("drain", values);
  expect({ code, finalizers: await finalizers() }).toEqual({ code: 1, finalizers: `${FINALIZER} ${FINALIZER}` });
  expect(log).toMatch(/paused +0 of 2 done in the time of this run/);
  expect(log).toMatch(/again +helm uninstall ngrok -n ops\n$/);
});

test("a login that is not accepted any more is Helm's doing: it says to take more time (F21)", async () => {
  const login = join(rig.folder, "taken.kubeconfig");
  const admin = parse(await readFile(rig.kubeconfig, "utf8")) as { users: { user: object }[] };
  const users = admin.users.map((user) => ({ ...user, user: { token: "of.a.deleted.account" } }));
  await writeFile(login, stringify({ ...admin, users }), { mode: 0o600 });
  const { code, log } = await rig.run("drain", {}, { KUBECONFIG: login });
  expect(code).toBe(1);
  expect(log).toMatch(/again +Helm gave up waiting: run the same helm uninstall again; .* with a larger --timeout/);
});
