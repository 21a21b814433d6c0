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

/** Of each the one with the command, and where that one has more from. */
const TEMPLATES = {
  drain: ["hooks/drain.yaml"],
  "api-manager": ["api-manager/deployment.yaml"],
  "agent-manager": ["_replicas.tpl"],
  "bindings-forwarder-manager": ["_replicas.tpl", "bindings-forwarder/_launch.tpl"],
} as const;

export async function bundleProgram(name: keyof typeof TEMPLATES): Promise<BundledProgram> {
  const wanted = programs(TOP).filter((program) => program.name === name);
  const { bundles, metafile } = await bundle(TOP, wanted);
  const [only] = bundles;
  if (only === undefined) throw new Error(`there is no program ${name}`);
  const paths = TEMPLATES[name].map((path) => join(TOP, "chart/templates", path));
  const launch = launchOf(await Promise.all(paths.map(async (path) => await readFile(path, "utf8"))));
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-"));
  await using made = new AsyncDisposableStack();
  made.defer(async () => await rm(folder, { recursive: true, force: true }));
  await writeBundles(folder, bundles, metafile, TOP);
  const kept = made.move();
  return {
    path: join(folder, only.path),
    bytes: only.code.length,
    ...launch,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Node's flags stand between the program and its script, or are all that a template of its own has for Node. */
function launchOf(templates: readonly string[]): Pick<BundledProgram, "flags" | "env"> {
  const [first = "", ...others] = templates;
  const command = /- \/usr\/local\/bin\/node\n([\s\S]*?)- \/app\//.exec(first)?.[1];
  if (command === undefined) throw new Error("the template does not say how Node is started");
  const flags = [command, ...others].flatMap((text) =>
    [...text.matchAll(/^\s*- (--\S+)$/gm)].map(([, flag]) => flag ?? ""),
  );
  const told = templates.flatMap((text) => [...text.matchAll(/- name: (MALLOC_\w+)\n\s*value: "(\d+)"/g)]);
  return { flags, env: Object.fromEntries(told.map(([, name = "", value = ""]) => [name, value])) };
}
