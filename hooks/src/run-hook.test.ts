// What a hook that could not begin tells a person to type next: its whole program, without a cluster.
import { expect, test } from "vitest";
import { cleanupHook } from "./cleanup/hook.ts";
import type { Hook } from "./define-hook.ts";
import { drainHook } from "./drain/hook.ts";
import { rehearsalHook } from "./rehearsal/hook.ts";
import { runHook } from "./run-hook.ts";

/** The log of a hook whose environment lacks everything that the chart sets. */
async function logOf(hook: Pick<Hook, "name" | "phase" | "env">): Promise<string> {
  let log = "";
  const stdout = { write: (text: string) => (log += text) };
  const started: Hook = {
    ...hook,
    weight: 0,
    summary: "",
    rbac: [],
    run: () => Promise.reject(new Error("not reached")),
  };
  expect(await runHook(started, { env: { TERMINATION_LOG: "/dev/null" }, stdout, once: () => {} })).toBe(1);
  return log;
}

test("a rehearsal that could not begin never asks for an uninstall", async () => {
  const log = await logOf(rehearsalHook);
  expect(log).toMatch(
    /failed +the environment lacks RELEASE_NAME.*\n.*remedy .*\n.*again +run the same helm test again/,
  );
  expect(log).not.toContain("helm uninstall");
});

test.each([drainHook, cleanupHook])("hook $name asks for the same uninstall", async (hook) => {
  expect(await logOf(hook)).toMatch(/again +run the same helm uninstall again; it goes on where this run ended\n$/);
});
