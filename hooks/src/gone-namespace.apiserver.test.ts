// The watched namespace was deleted before the uninstall, and the drain hook's rights in it went along.
import { afterAll, beforeAll, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { type HookRig, hookRig } from "#test/support/hook-rig.ts";

let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());

test.for(["Retain", "Delete"])(
  "%s: a watched namespace that is gone holds nothing, and keeps no uninstall from its end (F9, F10)",
  async (drainPolicy, { expect }) => {
    await rig.reset();
    await rig.domains(1);
    await rig.anOperator([FINALIZER]);
    const { code, log } = await rig.run("drain", { drainPolicy, "ingress.watchNamespace": "deleted-long-ago" });
    expect(log).toMatch(/done +1 objects/);
    expect(code).toBe(0);
  },
);
