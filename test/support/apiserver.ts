// The tier `apiserver`: one control plane for the whole run, started before the first test, and one of its own for a
// test that restarts it.
import type { TestProject } from "vitest/node";
import { binaries, testTools } from "#tools/binaries.ts";
import { CONTROL_PLANE_PACKAGES, ensurePackages } from "#tools/debian.ts";
import {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from "#tools/cluster/embedded/control-plane.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of the admin's kubeconfig of the run's control plane: `inject("kubeconfig")`. */
    kubeconfig: string;
    /** Path of its audit log, one JSON event a line. */
    auditLog: string;
  }
}

/** Vitest's global setup; what it returns is the teardown. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Here, where no hook's deadline runs: on a fresh machine this builds, for minutes.
  await testTools((line) => console.log(line));
  const started = Date.now();
  const plane = await ownControlPlane();
  console.log(`control plane at ${plane.server} ready in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  project.provide("kubeconfig", plane.kubeconfig);
  project.provide("auditLog", plane.auditLog);
  return async () => {
    await plane[Symbol.asyncDispose]();
  };
}

/** A control plane for one test: `await using plane = await ownControlPlane()`. Takes about 5 s. */
export async function ownControlPlane(options: Omit<ControlPlaneOptions, "bin"> = {}): Promise<ControlPlane> {
  const tell = (line: string): void => console.log(line);
  await ensurePackages(CONTROL_PLANE_PACKAGES, tell);
  return await startControlPlane({ ...options, bin: await binaries(tell) });
}
