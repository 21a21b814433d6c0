// The authorities that a cluster adds to those that agents and forwarders trust: files of a folder to which a volume is
// mounted. They are read once, as the program starts; whether they have changed since is told.
import { watch } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#wire/clock.ts";
import { asError, KnownError } from "#wire/errors.ts";
import type { Log } from "./log.ts";

/** Where they stand; it need not exist. */
export const AUTHORITIES = "/etc/ssl/certs/ngrok";

/** A change of a mounted volume is several of its folder. */
const SETTLE_MS = 1_000;

/**
 * PEM texts, in the order of the files' names. Throws KnownError for what cannot be read, or holds no certificate: it was
 * put there to be trusted.
 */
export async function readAuthorities(folder: string): Promise<string[]> {
  const unreadable = (error: unknown): never => {
    throw new KnownError("invalid", `the authorities in ${folder} cannot be read: ${asError(error).message}`, {
      hint: "let the pod's user read the folder and its files, or take it away",
      cause: error,
    });
  };
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? [] : unreadable(error),
  );
  const texts = await Promise.all(
    // A mounted volume has folders of its own beside the files.
    names
      .filter((name) => !name.startsWith("."))
      .toSorted()
      .map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })),
  ).catch(unreadable);
  const wrong = texts.find(({ text }) => !text.includes("-----BEGIN CERTIFICATE-----"));
  if (wrong !== undefined)
    throw new KnownError("invalid", `${join(folder, wrong.name)} is no PEM certificate`, {
      hint: "put the authority's certificate there as PEM text, or take the file away",
    });
  return texts.map(({ text }) => text);
}

export interface Followed {
  readonly folder: string;
  /** What was read from it. */
  readonly before: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Calls `changed` each time that other authorities stand in the folder than before. What cannot be used is only logged:
 * who started anew with it would end. A folder that is not there is not waited for: no volume comes to a pod that runs.
 */
export function followAuthorities({ folder, before, clock, log, signal }: Followed, changed: () => void): void {
  let known = before;
  let isDue = false;
  const look = async (): Promise<void> => {
    await clock.sleep(SETTLE_MS, signal);
    isDue = false;
    const now = await readAuthorities(folder);
    if (signal.aborted || isDeepStrictEqual(now, known)) return;
    known = now;
    changed();
  };
  const heard = (): void => {
    if (isDue) return;
    isDue = true;
    look().catch((error: unknown) => {
      if (!signal.aborted) log.warn({ folder, err: asError(error).message }, "the authorities have changed, to no use");
    });
  };
  const deaf = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "ENOENT")
      log.warn({ folder, err: error.message }, "no change of the authorities will be noticed");
  };
  try {
    watch(folder, { signal, persistent: false }, heard).on("error", deaf);
    // They may have changed since they were read.
    heard();
  } catch (error) {
    deaf(asError(error));
  }
}
