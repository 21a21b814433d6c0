// The native library of ngrok's agent SDK. No bundle can hold it, so it lies beside the bundles that need it, under the name
// by which the SDK looks for it there before it looks for a package.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "./programs.ts";

const NAME = `ngrok.linux-${process.arch}-gnu.node`;
const PACKAGE = `node_modules/@ngrok/ngrok-linux-${process.arch}-gnu`;
const SDK = "node_modules/@ngrok/ngrok/index.js";

export interface Addon {
  /** Where it is on this machine. */
  readonly source: string;
  /** Its place in the image and in dist/. */
  readonly path: string;
  /** Its package, as a source among those of a bundle. */
  readonly input: string;
}

/** The addon, when npm has brought it for this machine. */
export function addonOf(top: string): Addon | undefined {
  const source = join(top, PACKAGE, NAME);
  return existsSync(source) ? { source, path: `app/${NAME}`, input: `${PACKAGE}/${NAME}` } : undefined;
}

/** The addon, when one of the bundles needs it; throws when it needs what is not there. */
export function addonFor(top: string, bundles: readonly Bundle[]): Addon | undefined {
  const needs = bundles.find(({ inputs }) => inputs.includes(SDK));
  if (needs === undefined) return undefined;
  const addon = addonOf(top);
  if (addon !== undefined) return addon;
  throw new Error(`${needs.entry} needs ${PACKAGE}, which is not there: run \`npm ci\` on Linux with glibc`);
}
