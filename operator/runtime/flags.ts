// The command line of a pod: from the flags that its manager defines to texts, with one clear line for what is wrong.
import { parseArgs } from "node:util";
import { KnownError } from "#wire/errors.ts";
import type { Flag } from "./define-manager.ts";

export type FlagValues = Readonly<Record<string, string>>;

/**
 * `--name=value`, `--name value`; a flag whose default is true or false may also stand alone. Throws KnownError invalid
 * that names the flag and what it takes.
 */
export function parseFlags(flags: readonly Flag[], argv: readonly string[]): FlagValues {
  const options = Object.fromEntries(
    flags.map(({ name, default: value }) => [name, { type: "string" as const, default: value }]),
  );
  const alone = new Set(flags.filter(isSwitch).map(({ name }) => `--${name}`));
  const args = argv.map((arg) => (alone.has(arg) ? `${arg}=true` : arg));
  const values = parsed(options, args);
  for (const flag of flags) {
    const value = values[flag.name] ?? flag.default;
    const problem = isSwitch(flag) && !/^(true|false)$/.test(value) ? "write true or false" : flag.check?.(value);
    if (problem !== undefined) throw new KnownError("invalid", `--${flag.name}=${value}: ${problem}`);
  }
  return values;
}

function parsed(options: Record<string, { type: "string"; default: string }>, args: readonly string[]): FlagValues {
  try {
    return parseArgs({ options, args: [...args], strict: true, allowPositionals: false }).values as FlagValues;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new KnownError("invalid", `command line: ${text.split(". ")[0] ?? text}`);
  }
}

export function isSwitch(flag: Flag): boolean {
  return flag.default === "true" || flag.default === "false";
}

/** A check: the value is one of these. */
export function oneOf(...values: readonly string[]): (value: string) => string | undefined {
  return (value) => (values.includes(value) ? undefined : `it is neither ${values.join(" nor ")}`);
}

/** A check: the value is not empty. */
export function notEmpty(why: string): (value: string) => string | undefined {
  return (value) => (value === "" ? `it is empty: ${why}` : undefined);
}

/** `k=v,k=v` as an object. */
export function pairs(text: string): Record<string, string> {
  const entries = text === "" ? [] : text.split(",").map((pair): [string, string] => splitPair(pair));
  return Object.fromEntries(entries);
}

/** A check for `pairs`. */
export function arePairs(value: string): string | undefined {
  const wrong = value === "" ? undefined : value.split(",").find((pair) => !/^[^=]+=/.test(pair));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not of the form key=value`;
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at).trim(), pair.slice(at + 1)];
}

/** A list as the flag takes it: JSON, in whose texts a comma is a comma; else `a,b`, also within brackets. */
export function list(text: string): readonly string[] {
  return jsonTexts(text) ?? split(text);
}

function jsonTexts(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isTexts ? value.filter((item) => item.trim() !== "") : undefined;
  } catch {
    return undefined;
  }
}

function split(text: string): readonly string[] {
  const bare = text.replace(/^\[(.*)\]$/s, "$1");
  return bare
    .split(",")
    .map((item) => item.trim().replace(/^"(.*)"$/s, "$1"))
    .filter((item) => item !== "");
}
