// A program as it goes into the image, in a folder of the bench's own, with the flags that the chart starts it with.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, programs, writeBundles } from "#scripts/images/programs.ts";
import { TOP } from "#test/support/stage.ts";

export interface BundledProgram extends AsyncDisposable {
  /** Path of the bundle; its source map lies beside it. */
  readonly path: string;
  readonly bytes: number;
  /** Node's, as the chart has them. */
  readonly flags: readonly string[];
  /** What the chart tells the C library. */
  readonly env: Readonly<Record<string, string>>;
}

const TEMPLATES = {
  drain: "chart/templates/hooks/drain.yaml",
  "api-manager": "chart/templates/api-manager/deployment.yaml",
  "agent-manager": "chart/templates/_replicas.tpl",
  "bindings-forwarder-manager": "chart/templates/_replicas.tpl",
} as const;

export async function bundleProgram(name: keyof typeof TEMPLATES): Promise<BundledProgram> {
  const wanted = programs(TOP).filter((program) => program.name === name);
  const { bundles, metafile } = await bundle(TOP, wanted);
  const [only] = bundles;
  if (only === undefined) throw new Error(`there is no program ${name}`);
  const launch = launchOf(await readFile(join(TOP, TEMPLATES[name]), "utf8"));
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-"));
  await writeBundles(folder, bundles, metafile, TOP);
  return {
    path: join(folder, only.path),
    bytes: only.code.length,
    ...launch,
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** Node's flags stand between the program and its script; the arenas are the only thing that is said to glibc. */
export function launchOf(template: string): Pick<BundledProgram, "flags" | "env"> {
  const command = /- \/usr\/local\/bin\/node\n([\s\S]*?)- \/app\//.exec(template)?.[1];
  if (command === undefined) throw new Error("the template does not say how Node is started");
  const flags = [...command.matchAll(/^\s*- (--\S+)$/gm)].map(([, flag]) => flag ?? "");
  const arenas = /- name: MALLOC_ARENA_MAX\n\s*value: "(\d+)"/.exec(template)?.[1];
  return { flags, env: arenas === undefined ? {} : { MALLOC_ARENA_MAX: arenas } };
}
