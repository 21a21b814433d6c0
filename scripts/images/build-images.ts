// Source to images: bundles, layers, two images that share them, and the values by which the chart names them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { VERSION } from "#api/version.ts";
import { cacheFolder, type Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import { addonFor } from "./addon.ts";
import { pullBase } from "./base-image.ts";
import { archiveOf, assemble, type BaseImage, type Image } from "./image.ts";
import { makeLayer, type Layer } from "./layer.ts";
import { licencesOf } from "./licences.ts";
import { type Platform, platformOf } from "./platform.ts";
import { bundle, COMMANDS, programs, replaceFile, writeBundles, type Bundle, type Program } from "./programs.ts";
import { baseEntries, NONROOT, nodeEntries } from "./runtime.ts";
import { file, link, type Entry } from "./tar.ts";

export const TOP = join(import.meta.dirname, "..", "..");
/** The registry part of a reference that no registry has; a cluster's node asks its own registry for it. */
export const LOCAL_REGISTRY = "localhost";

const LICENCES = "usr/share/licenses/ngrok-operator";

export interface BuildImagesOptions {
  readonly tell: Tell;
  /** The project, this one unless given. */
  readonly top?: string;
  /** Folder of the archives and of values.yaml; dist/images unless given. */
  readonly out?: string;
  /** A reference of an image that takes the place of our own base layer. */
  readonly base?: string;
  /** The registry that values.yaml names. */
  readonly registry?: string;
  /** The Node that goes in; that of node_modules unless given. */
  readonly node?: string;
  /** Node's name of the architecture; this machine's unless given. */
  readonly arch?: string;
  /** False leaves the commit out of the labels: the same sources make the same image then, commit after commit. */
  readonly revision?: false;
}

export interface BuiltImage {
  /** Path of the tar of an OCI layout. */
  readonly archive: string;
  readonly digest: string;
  /** Bytes to pull. */
  readonly size: number;
}

export interface BuiltImages {
  readonly operator: BuiltImage;
  readonly hooks: BuiltImage;
  /** Path of values.yaml, to be given to `helm install -f`. */
  readonly values: string;
}

/** Builds both images and writes archives, values.yaml and, into dist/app, the bundles with their source maps. */
export async function buildImages(options: BuildImagesOptions): Promise<BuiltImages> {
  const { tell, top = TOP } = options;
  const out = options.out ?? join(top, "dist/images");
  const platform = await platformOf(top, options.arch ?? process.arch, tell, options.node);
  const [runtime, code, labels] = await Promise.all([
    runtimeOf(options, platform),
    codeLayers(top, platform, tell),
    labelsOf(top, options.revision !== false),
  ]);
  const image = (name: string, layers: readonly Layer[], run?: readonly string[]): Image =>
    assemble({
      arch: platform.arch,
      ...(runtime.base && { base: runtime.base }),
      ...(run && { command: run }),
      layers: [...runtime.layers, ...layers],
      user: NONROOT,
      labels: labels(name),
    });
  const images = {
    operator: image("operator", [code.hooks, ...code.agent, code.operator], ["/app/api-manager.mjs"]),
    hooks: image("hooks", [code.hooks]),
  };
  for (const layer of [...(runtime.base?.layers ?? []), ...runtime.layers, code.hooks, ...code.agent, code.operator]) {
    tell(`  layer ${layer.name.padEnd(9)} ${megabytes(layer.blob.content.length)}  ${layer.blob.digest.slice(0, 19)}`);
  }
  const built = async (name: keyof typeof images): Promise<BuiltImage> => {
    const { digest, size } = images[name];
    const archive = join(out, `${name}.tar`);
    await replaceFile(archive, archiveOf(images[name], VERSION));
    tell(`  image ${name.padEnd(9)} ${megabytes(size)}  ${digest}  ${archive}`);
    return { archive, digest, size };
  };
  const [operator, hooks] = [await built("operator"), await built("hooks")];
  const values = join(out, "values.yaml");
  await replaceFile(values, valuesOf(operator.digest, options.registry ?? LOCAL_REGISTRY));
  return { operator, hooks, values };
}

/** What lies below the programs: another image or our base layer, and on it Node. */
async function runtimeOf(
  { base: name, tell }: BuildImagesOptions,
  platform: Platform,
): Promise<{ base?: BaseImage; layers: readonly Layer[] }> {
  const cache = join(cacheFolder(), "layers");
  const nodeLayer = async (): Promise<Layer> => await makeLayer("node", await nodeEntries(platform), cache);
  if (name !== undefined) {
    const libraries = platform.libraries.filter(({ optional }) => !optional).map(({ place }) => place);
    const [base, layer] = await Promise.all([pullBase(name, platform.arch, libraries, tell), nodeLayer()]);
    return { base, layers: [layer] };
  }
  const baseLayer = async (): Promise<Layer> => await makeLayer("base", await baseEntries(platform, tell), cache);
  return { layers: await Promise.all([baseLayer(), nodeLayer()]) };
}

/** `agent` is empty where no program needs the agent's SDK. */
async function codeLayers(
  top: string,
  platform: Platform,
  tell: Tell,
): Promise<Record<Program["layer"], Layer> & { readonly agent: readonly Layer[] }> {
  const { bundles, metafile } = await bundle(top, programs(top));
  await writeBundles(join(top, "dist"), bundles, metafile);
  tell(`bundled ${bundles.map(({ name }) => name).join(", ")}`);
  const layer = async (name: Program["layer"]): Promise<Layer> =>
    await makeLayer(
      name,
      await programEntries(
        top,
        name,
        bundles.filter((one) => one.layer === name),
      ),
    );
  return { hooks: await layer("hooks"), agent: await agentLayer(platform, bundles), operator: await layer("operator") };
}

/** Apart from the programs: it is large, and changes only with the SDK. */
async function agentLayer(platform: Platform, bundles: readonly Bundle[]): Promise<readonly Layer[]> {
  const addon = addonFor(bundles, platform.addon, platform.arch);
  if (addon === undefined) return [];
  const entries = [
    file(addon.path, await readFile(addon.source), 0o755),
    file(`${LICENCES}/agent.txt`, await licencesOf(platform.top, [addon.input])),
  ];
  return [await makeLayer("agent", entries, join(cacheFolder(), "layers"))];
}

async function programEntries(top: string, layer: string, bundles: readonly Bundle[]): Promise<Entry[]> {
  const inputs = bundles.flatMap((one) => one.inputs);
  return [
    ...bundles.map(({ path, code }) => file(path, code)),
    ...bundles.filter(({ name }) => COMMANDS.includes(name)).flatMap(onPath),
    file(`${LICENCES}/${layer}.txt`, await licencesOf(top, inputs)),
    ...(layer === "hooks" ? [file(`${LICENCES}/LICENSE`, await readFile(join(top, "LICENSE")))] : []),
  ];
}

/**
 * A command by its name on PATH, and as kubectl finds a plugin of that name. There is no shell: the kernel starts Node by
 * the first line. A person runs it beside the operator, within the same limit of memory, so Node is told to be frugal.
 */
function onPath({ name, path }: Bundle): Entry[] {
  const text = `#!/usr/local/bin/node --max-semi-space-size=2\nimport("/${path}");\n`;
  const plugin = `kubectl-${name.replaceAll("-", "_")}`;
  return [file(`usr/local/bin/${name}`, text, 0o755), link(`usr/local/bin/${plugin}`, name)];
}

/**
 * OCI's labels of an image, by its name. The revision is left out where the sources are not those of a commit. Asking
 * takes no lock, so that a commit at the same time does not fail.
 */
async function labelsOf(top: string, named: boolean): Promise<(name: string) => Record<string, string>> {
  const git = async (...args: string[]): Promise<string> =>
    (await command("git", ["--no-optional-locks", "-C", top, ...args]).catch(() => "")).trim();
  const revision = await git("rev-parse", "HEAD");
  const clean = named && revision !== "" && (await git("status", "--porcelain")) === "";
  return (name) => ({
    "org.opencontainers.image.title": name === "operator" ? "ngrok-operator" : `ngrok-operator ${name}`,
    "org.opencontainers.image.description": "The ngrok operator for Kubernetes, whose uninstall cannot get stuck",
    "org.opencontainers.image.version": VERSION,
    "org.opencontainers.image.licenses": "MIT",
    ...(clean && { "org.opencontainers.image.revision": revision }),
  });
}

/** The hooks' image is left to the chart, whose default is the operator's: on uninstall day it is on the node. */
function valuesOf(digest: string, registry: string): string {
  const text = stringify({ image: { registry, repository: "operator", tag: VERSION, digest } });
  return `# Written by \`npm run images\`: helm install ngrok-operator chart -f dist/images/values.yaml\n${text}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2).padStart(6)} MB`;
}
