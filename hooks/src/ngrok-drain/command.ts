// A command of ngrok-drain as a definition, and the world that it works in. Every command answers with an exit code from
// one list.
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import type { Fence } from "#wire/fence.ts";
import { KnownError } from "#wire/errors.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Install, Where } from "./install.ts";

/** What every command's exit code means. */
export const EXIT = {
  ok: 0,
  /** An error: it says what is wrong and the remedy. Also a drain that is not done yet. */
  failed: 1,
  /** Asked for what may not be: nothing has changed. For `plan`: an uninstall would be blocked. */
  refused: 2,
  /** The cluster or ngrok did not say. */
  unknown: 3,
} as const;

/** The part of `process` that the program needs; main.ts hands in the real one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Asks a person and resolves to the line that they type; undefined when there is nobody to ask. */
  ask(question: string): Promise<string | undefined>;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface World {
  readonly install: Install;
  readonly connection: Connection;
  readonly read: Reader;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** ngrok under a fence; undefined without a key. Throws KnownError when the key cannot be read, or is none. */
  ngrok(fence: Fence): Promise<NgrokPort | undefined>;
  /** The answer, once: a document for `-o json`, lines for people. */
  answer(document: object, lines: readonly string[]): void;
  /** Lines for people before the answer; with `-o json` the document has what they say. */
  show(lines: readonly string[]): void;
  /** A line that a person types; undefined when nobody can be asked, and always with `-o json`. */
  ask(question: string): Promise<string | undefined>;
  /** One of many answers, a line each: `status --watch`. */
  tell(document: object, line: string): void;
  /** What goes on meanwhile, for people; with `-o json` on stderr. */
  say(word: string, sentence: string): void;
}

/** What the search for an install works with. */
export interface Search {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True when a flag names another cluster than the pod's own. */
  readonly elsewhere: boolean;
  readonly read: Reader;
  readonly signal: AbortSignal;
}

export const POLICIES: readonly DrainPolicy[] = ["Retain", "Delete"];

export function askedPolicy(text: string | boolean | undefined): DrainPolicy | undefined {
  if (text === undefined || text === "Retain" || text === "Delete") return text;
  throw new KnownError("invalid", `--policy ${text} is neither Retain nor Delete`);
}

export interface Asked {
  readonly argument: string | undefined;
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

export interface DrainCommand {
  readonly name: string;
  /** `<policy>`, with its description; `suggested` by completion, others are for the command to judge. */
  readonly argument?: readonly [name: string, description: string, suggested?: readonly string[]];
  readonly summary: string;
  /** `values` are all that there may be. */
  readonly options?: readonly (readonly [flags: string, description: string, values?: readonly string[]])[];
  /** Finds the install that is meant, where the ordinary way (findInstall) would not. */
  find?(asked: Asked, where: Where, search: Search): Promise<Install>;
  /** What people type, and what it does for them. */
  readonly examples: readonly (readonly [typed: string, does: string])[];
  readonly exits: string;
  run(world: World, asked: Asked): Promise<number>;
}
