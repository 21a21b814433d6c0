// What a hook that could not begin tells a person to type next: its whole program, without a cluster.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { hookUserAgent, wroteFinalizer } from "#kube/written.ts";
import { cleanupHook } from "./cleanup/hook.ts";
import type { Hook } from "./define-hook.ts";
import { drainHook } from "./drain/hook.ts";
import { rehearsalHook } from "./rehearsal/hook.ts";
import { runHook } from "./run-hook.ts";

/** The log of a hook whose environment lacks everything that the chart sets. */
async function logOf(hook: Pick<Hook, "name" | "phase" | "env">, env: Record<string, string> = {}): Promise<string> {
  let log = "";
  const stdout = { write: (text: string) => (log += text) };
  const started: Hook = {
    ...hook,
    weight: 0,
    summary: "",
    rbac: [],
    run: () => Promise.reject(new Error("not reached")),
  };
  expect(await runHook(started, { env: { TERMINATION_LOG: "/dev/null", ...env }, stdout, once: () => {} })).toBe(1);
  return log;
}

test("a rehearsal that could not begin never asks for an uninstall", async () => {
  const log = await logOf(rehearsalHook);
  expect(log).toMatch(
    /failed +the environment lacks RELEASE_NAME.*\n.*remedy .*\n.*again +run the same helm test again/,
  );
  expect(log).not.toContain("helm uninstall");
});

test("the drain asks for the same uninstall", async () => {
  expect(await logOf(drainHook)).toMatch(
    /again +run the same helm uninstall again; it goes on where this run ended\n$/,
  );
});

test("the cleanup, whose release Helm may have forgotten, asks for an install before the uninstall then", async () => {
  expect(await logOf(cleanupHook)).toMatch(
    /again .* helm uninstall again; .* helm install it, then helm uninstall it\n$/,
  );
});

test("whatever an error's text brings along, each line is one, without quotes and tabs: Helm 4 prints them escaped", async () => {
  const nowhere = { KUBECONFIG: '/nowhere "at all"\n\tor here' };
  const log = await logOf({ name: "drain", phase: "pre-delete", env: {} }, nowhere);
  expect(log).toContain("nowhere 'at all' or here");
  expect(log.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d failed +[^\t"]+$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d remedy +[^\t"]+$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d again +[^\t"]+$/),
  ]);
});

test("the pod's termination message is the last lines that Kubernetes shows whole, the remedy among them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-hook-"));
  const path = join(folder, "message");
  const log = await logOf(
    { name: "drain", phase: "pre-delete", env: {} },
    { KUBECONFIG: `/${"x".repeat(5_000)}`, TERMINATION_LOG: path },
  );
  const message = await readFile(path, "utf8");
  await rm(folder, { recursive: true });
  expect(log.length).toBeGreaterThan(4_096);
  expect({ short: message.length < 4_096, isTheEnd: log.endsWith(message) }).toEqual({ short: true, isTheEnd: true });
  expect(message).toMatch(/again +run the same helm uninstall again/);
});

test.for([drainHook, cleanupHook])("what $name writes is known for ours, by the name of its calls", ({ name }) => {
  const fieldsV1 = { "f:metadata": { "f:finalizers": { [`v:"${FINALIZER}"`]: {} } } };
  const managedFields = [{ manager: hookUserAgent(name), operation: "Update", fieldsV1 }];
  expect(wroteFinalizer({ managedFields }, [FINALIZER])).toBe(true);
});
