// kubectl against one cluster, as a person would type it: for what is shown, counted and checked from outside.
import { join } from "node:path";
import { command } from "#tools/command.ts";
import type { Cluster } from "#tools/cluster/provider.ts";

export interface KubectlOptions {
  /** Written to its standard input, for `-f -`. */
  readonly input?: string;
  /** Milliseconds until it is killed; three minutes by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface Kubectl {
  /** Resolves to its stdout; rejects with CommandFailed, which carries what it said. */
  run(args: readonly string[], options?: KubectlOptions): Promise<string>;
  /** The same with `-o json`, parsed. */
  json<T>(args: readonly string[], options?: KubectlOptions): Promise<T>;
  /** Applies objects in one call. */
  apply(objects: readonly object[]): Promise<string>;
}

export function kubectlOf({ bin, kubeconfig }: Pick<Cluster, "bin" | "kubeconfig">): Kubectl {
  const run: Kubectl["run"] = async (args, options = {}) =>
    await command(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, ...args], { timeout: 180_000, ...options });
  return {
    run,
    json: async <T>(args: readonly string[], options?: KubectlOptions) =>
      JSON.parse(await run([...args, "-o", "json"], options)) as T,
    apply: async (objects) => {
      const list = { apiVersion: "v1", kind: "List", items: objects };
      return await run(["apply", "-f", "-"], { input: JSON.stringify(list) });
    },
  };
}
