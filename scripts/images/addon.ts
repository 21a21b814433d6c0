// The native library of ngrok's agent SDK. No bundle can hold it, so it lies beside the bundles that need it, under the name
// by which the SDK looks for it there before it looks for a package.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "./programs.ts";

const packageOf = (arch: string): string => `node_modules/@ngrok/ngrok-linux-${arch}-gnu`;
const SDK = "node_modules/@ngrok/ngrok/index.js";

export interface Addon {
  /** Where it is on this machine. */
  readonly source: string;
  /** Its place in the image and in dist/. */
  readonly path: string;
  /** Its package, as a source among those of a bundle. */
  readonly input: string;
}

/** The addon for `arch`, this machine's unless given, when it is among the packages of `top`. */
export function addonOf(top: string, arch: string = process.arch): Addon | undefined {
  const name = `ngrok.linux-${arch}-gnu.node`;
  const input = `${packageOf(arch)}/${name}`;
  const source = join(top, input);
  return existsSync(source) ? { source, path: `app/${name}`, input } : undefined;
}

/** The addon for `arch`, when one of the bundles needs it; throws when it needs what is not there. */
export function addonFor(
  bundles: readonly Bundle[],
  addon: Addon | undefined,
  arch: string = process.arch,
): Addon | undefined {
  const needs = bundles.find(({ inputs }) => inputs.includes(SDK));
  if (needs === undefined) return undefined;
  if (addon !== undefined) return addon;
  throw new Error(`${needs.entry} needs ${packageOf(arch)}, which is not there: run \`npm ci\` on Linux with glibc`);
}
