// A command of ngrok-drain as a definition, and the world that it works in. Every command answers with an exit code from
// one list.
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import type { Fence } from "#wire/fence.ts";
import type { Install } from "./install.ts";

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
  /** One of many answers, a line each: `status --watch`. */
  tell(document: object, line: string): void;
  /** What goes on meanwhile, for people; with `-o json` on stderr. */
  say(word: string, sentence: string): void;
}

export interface Asked {
  readonly argument: string | undefined;
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

export interface DrainCommand {
  readonly name: string;
  /** `<policy>`, with its description. */
  readonly argument?: readonly [name: string, description: string];
  readonly summary: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** What people type, and what it does for them. */
  readonly examples: readonly (readonly [typed: string, does: string])[];
  readonly exits: string;
  run(world: World, asked: Asked): Promise<number>;
}
