// The order of all deadlines, from the value to the Job: the run < Helm's timeout < activeDeadlineSeconds.
import { expect, test } from "vitest";
import { budgetOf } from "#drain/budget.ts";
import { idOf, objects } from "./helm.ts";

test.for([30, 300, 900, 86_400])("cleanupHook.timeout=%i (F22)", async (timeout) => {
  const all = (await objects({ set: [`cleanupHook.timeout=${timeout}`] })).filter(({ kind }) => kind === "Job");
  const jobs = all.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] !== "test");
  expect(jobs.map(idOf)).toEqual(["Job ngrok/edge-ngrok-operator-cleanup", "Job ngrok/edge-ngrok-operator-drain"]);
  const { runMs, helmSeconds, jobSeconds } = budgetOf(timeout);
  expect(runMs).toBe(timeout * 900);
  expect(runMs).toBeLessThan(helmSeconds * 1000);
  expect(helmSeconds).toBeLessThan(jobSeconds);
  for (const job of jobs) {
    expect(job.spec?.activeDeadlineSeconds).toBe(jobSeconds);
    const env = job.spec?.template?.spec.containers[0]?.env ?? [];
    expect(env).toContainEqual({ name: "HELM_TIMEOUT", value: String(timeout) });
  }
});
