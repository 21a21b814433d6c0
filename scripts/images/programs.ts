// The programs that go into images: every folder of hooks and managers that has a main.ts, bundled into one file each,
// since a hook that first has to find its modules starts three times slower. Only what reads a kubeconfig lies beside them.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { build, type BuildOptions, type Metafile } from "esbuild";
import { addonFor, addonOf } from "./addon.ts";

export interface Program {
  readonly name: string;
  /** Source, from the top of the project. */
  readonly entry: string;
  /** Place in the image and in dist/, e.g. `app/hooks/drain.mjs`. */
  readonly path: string;
  readonly layer: "hooks" | "operator";
}

export interface Bundle extends Program {
  readonly code: Buffer;
  /** Its source map; it stays out of the image. */
  readonly map: Buffer;
  /** Sources that went into it, from the top of the project. */
  readonly inputs: readonly string[];
}

/** People type their names, so they lie beside the managers and not among the hooks. */
export const COMMANDS: readonly string[] = ["ngrok-drain", "ngrok-translate"];

/** Folders of programs of the operator's own layer. */
const OPERATOR_FOLDERS: readonly string[] = ["operator/managers", "operator/commands"];

/** The programs below `top`, hooks first. */
export function programs(top: string): Program[] {
  const hooks = mains(top, "hooks/src").map(({ name, entry }): Program => {
    if (COMMANDS.includes(name)) return { name, entry, path: `app/${name}.mjs`, layer: "operator" };
    return { name, entry, path: `app/hooks/${name}.mjs`, layer: "hooks" };
  });
  const own = OPERATOR_FOLDERS.flatMap((folder) => mains(top, folder)).map(({ name, entry }): Program => ({
    name,
    entry,
    path: `app/${name}.mjs`,
    layer: "operator",
  }));
  return [...hooks, ...own];
}

function mains(top: string, folder: string): { name: string; entry: string }[] {
  if (!existsSync(join(top, folder))) return [];
  return readdirSync(join(top, folder))
    .toSorted()
    .map((name) => ({ name, entry: `${folder}/${name}/main.ts` }))
    .filter(({ entry }) => existsSync(join(top, entry)));
}

// Native libraries, which no bundle can hold: they lie beside it (addon.ts).
const NATIVE = ["*.node", "@ngrok/ngrok-*"];

/**
 * What reads a kubeconfig is two thirds of a program, and no pod has a kubeconfig. It is a bundle of its own beside the
 * programs, in a folder where Node finds it by its name from every one of them, and is read when it is asked for.
 */
const LOGIN = {
  /** As kube/kubeconfig.ts imports it. */
  imported: "@kubernetes/client-node/dist/config.js",
  /** As a bundle does. */
  name: "@kubernetes/client-node/config.mjs",
  program: {
    name: "client-node",
    entry: "node_modules/@kubernetes/client-node/dist/config.js",
    path: "app/node_modules/@kubernetes/client-node/config.mjs",
    layer: "hooks", // every image has that one
  },
} as const;

const SETTINGS = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minify: true,
  keepNames: true, // names of errors and functions are read by people
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none", // each layer has the licences of what it holds
  metafile: true,
  write: false,
  outExtension: { ".js": ".mjs" },
  // What packages in CommonJS take for given, and an ES module does not have: Node's own modules, files beside them.
  banner: {
    js:
      "import{createRequire as __cr}from'node:module';" +
      "const require=__cr(import.meta.url),__dirname=import.meta.dirname;",
  },
  logLevel: "silent",
} satisfies BuildOptions;

/**
 * Bundles `wanted`, and what reads a kubeconfig where one of them may; rejects with esbuild's own errors, file and line, or
 * when a bundle would need what no image has.
 */
export async function bundle(
  top: string,
  wanted: readonly Program[],
): Promise<{ bundles: Bundle[]; metafile: Metafile }> {
  const own = await bundleEach(top, wanted);
  if (!Object.values(own.metafile.outputs).some(({ imports }) => imports.some(isLogin))) return own;
  const login = await bundleEach(top, [LOGIN.program]);
  return {
    bundles: [...own.bundles, ...login.bundles],
    metafile: {
      inputs: { ...own.metafile.inputs, ...login.metafile.inputs },
      outputs: { ...own.metafile.outputs, ...login.metafile.outputs },
    },
  };
}

async function bundleEach(top: string, wanted: readonly Program[]): Promise<{ bundles: Bundle[]; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    ...SETTINGS,
    absWorkingDir: top,
    outdir: "dist",
    alias: { [LOGIN.imported]: LOGIN.name },
    external: [...NATIVE, LOGIN.name],
    entryPoints: wanted.map(({ entry, path }) => ({ in: `./${entry}`, out: path.replace(/\.mjs$/, "") })),
  });
  const contents = new Map(outputFiles.map((file) => [file.path, Buffer.from(file.contents)]));
  const bundles = wanted.map((program): Bundle => {
    const code = contents.get(join(top, "dist", program.path));
    const map = contents.get(join(top, "dist", `${program.path}.map`));
    const output = metafile.outputs[`dist/${program.path}`];
    if (!code || !map || !output) throw new Error(`esbuild made nothing of ${program.entry}`);
    const outside = output.imports.filter(isMissing).map(({ path }) => path);
    if (outside.length > 0) {
      throw new Error(`${program.entry} imports ${outside.join(", ")} at run time, but images hold no node_modules`);
    }
    return { ...program, code, map, inputs: Object.keys(output.inputs) };
  });
  return { bundles, metafile };
}

function isLogin({ path }: { path: string }): boolean {
  return path === LOGIN.name;
}

/** A require() that esbuild leaves alone is one in a try, for a package that is optional. */
function isMissing({ path, kind }: { path: string; kind: string }): boolean {
  return kind !== "require-call" && !path.startsWith("node:") && !builtinModules.includes(path) && !isLogin({ path });
}

/**
 * Writes the bundles with their maps, what they need beside them, and esbuild's metafile into `dist`, a folder at the top
 * of the project unless that is said to be elsewhere; what is left there of other programs goes.
 */
export async function writeBundles(
  dist: string,
  bundles: readonly Bundle[],
  metafile: Metafile,
  top = dirname(dist),
): Promise<void> {
  const files = new Map<string, Buffer | string>([["metafile.json", JSON.stringify(metafile)]]);
  for (const { path, code, map } of bundles) files.set(path, code).set(`${path}.map`, map);
  const addon = addonFor(bundles, addonOf(top));
  if (addon !== undefined) files.set(addon.path, await readFile(addon.source));
  const app = join(dist, "app");
  await mkdir(app, { recursive: true });
  for (const [path, content] of files) await replaceFile(join(dist, path), content);
  for (const found of await readdir(app, { recursive: true, withFileTypes: true })) {
    const path = join(found.parentPath, found.name);
    // Another build may be just writing a file of its own: that one is not behind anything.
    const isBehind = !files.has(path.slice(dist.length + 1)) && !path.endsWith(".new");
    if (found.isFile() && isBehind) await rm(path, { force: true });
  }
}

/** Writes a file at once: who reads at the same time sees the old one or the new one, whole. */
export async function replaceFile(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
