// The commands of a page of docs/ at their word: each block by the word behind its `sh`, typed into a shell as a reader would.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "#tools/cluster/provider.ts";
import { command } from "#tools/command.ts";
import { FULLNAME, RELEASE, type Scene } from "./open-scene.ts";
import { CHART, TOP } from "./stage.ts";

export interface TypeOptions {
  /** What the page leaves to its reader, beside NS, R, F and CHART. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A folder to be looked into first, where another Helm is. */
  readonly bin?: string;
  /** Milliseconds; 90 seconds by default. */
  readonly timeout?: number;
}

/** Where they are typed, and until when. */
type Ground = Pick<Scene, "namespace"> &
  Partial<Pick<Scene, "signal">> & { readonly stage: { readonly cluster: Pick<Cluster, "bin" | "kubeconfig"> } };

export interface PageCommands {
  /** Types a block into a shell, with the page's variables set and nothing else; resolves to its stdout. */
  type(scene: Ground, word: string, options?: TypeOptions): Promise<string>;
}

/** Of a page by its path below docs/. */
export async function pageCommands(path: string): Promise<PageCommands> {
  const page = await readFile(join(TOP, "docs", path), "utf8");
  const blocks = new Map(
    [...page.matchAll(/^```sh ([a-z]+)\n([^]*?)\n```$/gm)].map(([, word = "", text = ""]) => [word, text]),
  );
  return {
    type: async (scene, word, { env: more = {}, cwd, bin: first, timeout = 240_000 } = {}) => {
      const { bin, kubeconfig } = scene.stage.cluster;
      const env = {
        PATH: [...(first === undefined ? [] : [first]), bin, process.env["PATH"]].join(":"),
        HOME: process.env["HOME"] ?? "/",
        KUBECONFIG: kubeconfig,
        NS: scene.namespace,
        R: RELEASE,
        F: FULLNAME,
        CHART,
        ...more,
      };
      const text = blocks.get(word);
      if (text === undefined) throw new Error(`docs/${path} has no block: sh ${word}`);
      const { signal } = scene;
      return await command("sh", ["-c", text], { env, timeout, ...(cwd && { cwd }), ...(signal && { signal }) });
    },
  };
}
