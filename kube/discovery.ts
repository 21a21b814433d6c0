// Which version of a kind the server serves, asked of its one group. "Absent" is a clear 404 and nothing else: who cannot
// tell (403, 5xx, timeout) throws, since an unknown kind read as absent would be a false zero.
import { systemClock, type Clock } from "#wire/clock.ts";
import { unlessAborted } from "#wire/abort.ts";
import { isClass, KnownError } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import { resourceName, type Kind } from "./kind.ts";
import { groupPath } from "./paths.ts";

export const ABSENT = "absent";

/** How long an answer is used: CRDs come and go with installs, not within seconds. */
const FRESH_MS = 10_000;

interface Answer {
  readonly at: number;
  readonly found: Promise<unknown>;
}

const caches = new WeakMap<Connection, Map<string, Answer>>();

export interface DiscoveryOptions {
  /** Asks the server whatever is cached. */
  readonly fresh?: boolean;
  readonly clock?: Clock;
}

/**
 * The best version of the kind that the server serves, or "absent" when it does not serve the kind at all.
 * Throws KnownError: when the server cannot tell, and (class invalid, code "UnknownVersion") when it serves the kind
 * only in versions that the kind does not name.
 */
export async function served(
  connection: Connection,
  kind: Kind,
  signal: AbortSignal,
  options: DiscoveryOptions = {},
): Promise<string> {
  const versions = await versionsOf(connection, kind.group, signal, options);
  for (const version of kind.versions) {
    if (versions.includes(version) && (await serves(connection, kind, version, signal, options))) return version;
  }
  for (const version of versions) {
    if (kind.versions.includes(version)) continue;
    if (await serves(connection, kind, version, signal, options)) {
      throw new KnownError("invalid", `${resourceName(kind)} is served only as ${version}`, {
        code: "UnknownVersion",
        hint: `This release knows ${kind.versions.join(", ")}: use a release that knows ${version}.`,
      });
    }
  }
  return ABSENT;
}

async function versionsOf(
  connection: Connection,
  group: string,
  signal: AbortSignal,
  options: DiscoveryOptions,
): Promise<readonly string[]> {
  if (group === "") return ["v1"];
  const answer = await cached(connection, `/apis/${group}`, signal, options);
  return listOf(answer, "versions").flatMap((each) => textOf(each, "version") ?? []);
}

async function serves(
  connection: Connection,
  kind: Kind,
  version: string,
  signal: AbortSignal,
  options: DiscoveryOptions,
): Promise<boolean> {
  const answer = await cached(connection, groupPath(kind.group, version), signal, options);
  return listOf(answer, "resources").some((each) => textOf(each, "name") === kind.plural);
}

/** Callers at the same time share one request; a failure is not remembered. 404 is the answer undefined. */
async function cached(
  connection: Connection,
  path: string,
  signal: AbortSignal,
  options: DiscoveryOptions,
): Promise<unknown> {
  const { clock = systemClock, fresh = false } = options;
  const cache = caches.get(connection) ?? new Map<string, Answer>();
  caches.set(connection, cache);
  const before = cache.get(path);
  if (!fresh && before !== undefined && clock.now() - before.at < FRESH_MS)
    return await unlessAborted(signal, before.found);
  // Others may wait for the same answer: one caller's abort must not end it for them (the call's deadline does).
  const answer: Answer = { at: clock.now(), found: ask(connection, path, new AbortController().signal) };
  cache.set(path, answer);
  answer.found.catch(() => {
    if (cache.get(path) === answer) cache.delete(path);
  });
  return await unlessAborted(signal, answer.found);
}

async function ask(connection: Connection, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await connection.request({ method: "GET", path, signal });
  } catch (error) {
    if (isClass(error, "gone")) return undefined;
    throw error;
  }
}

function listOf(answer: unknown, key: string): readonly unknown[] {
  if (typeof answer !== "object" || answer === null) return [];
  const list: unknown = Object.entries(answer).find(([name]) => name === key)?.[1];
  return Array.isArray(list) ? list : [];
}

function textOf(item: unknown, key: string): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const text: unknown = Object.entries(item).find(([name]) => name === key)?.[1];
  return typeof text === "string" ? text : undefined;
}
