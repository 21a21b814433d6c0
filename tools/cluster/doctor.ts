// Everything that can keep a cluster from starting here, looked at at once and said with what to do.
import { statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { binariesFolder, testToolsFolder } from "../binaries.ts";
import { cacheFolder } from "../cache.ts";
import { command } from "../command.ts";
import { BUILD_PACKAGES, missingPackages } from "../debian.ts";
import type { Finding, Provider } from "./provider.ts";

const GIB = 2 ** 30;
/** A cluster with its images; and what module cache, build cache and programs take while they are built. */
const DISK = { run: 2 * GIB, build: 12 * GIB };
const MEMORY = { run: 2 * GIB, build: 4 * GIB };
const TOOLS = dirname(import.meta.dirname);

/** All findings, those of the provider first. */
export async function doctor(provider: Provider): Promise<Finding[]> {
  const programs = await binariesFolder();
  const tests = await testToolsFolder();
  const need = programs.built ? "run" : "build";
  return [
    ...(await provider.doctor()),
    cached("cluster programs", programs, "`cluster up` builds them, about 7 minutes on 2 cores"),
    cached("test programs", tests, "`npm test` builds them, about a minute"),
    await go(programs.built && tests.built),
    await buildPackages(programs.built && tests.built),
    await disk(DISK[need]),
    memory(MEMORY[need]),
  ];
}

/** One finding a line, aligned, with the remedy under what is not ok. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings.flatMap(({ what, ok, found, remedy }) => [
    `${ok ? "ok  " : "NOT "} ${what.padEnd(width)}  ${found}`,
    ...(ok || remedy === undefined ? [] : [`     ${"".padEnd(width)}  ${remedy}`]),
  ]);
}

/** That something is not built yet is no fault, only worth knowing. */
function cached(what: string, { folder, built }: { folder: string; built: boolean }, remedy: string): Finding {
  return { what, ok: true, found: built ? folder : `not built yet: ${remedy}` };
}

async function go(built: boolean): Promise<Finding> {
  const version = await command("go", ["version"], { cwd: TOOLS }).then(
    (text) => text.trim(),
    (error: unknown) => (error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : ""),
  );
  const ok = version.startsWith("go version");
  return {
    what: "go",
    ok: ok || built,
    found: ok ? version : `${version}${built ? " (not needed: everything is built)" : ""}`,
    remedy: "Install Go 1.26 or newer from https://go.dev/dl and put it on PATH",
  };
}

async function buildPackages(built: boolean): Promise<Finding> {
  const missing = await missingPackages(BUILD_PACKAGES);
  return {
    what: "build packages",
    ok: built || missing.length === 0,
    found: missing.length === 0 ? BUILD_PACKAGES.map(({ name }) => name).join(", ") : `missing: ${missing.join(", ")}`,
    remedy: `They are installed when needed on Debian as root: apt-get install ${missing.join(" ")}`,
  };
}

async function disk(needed: number): Promise<Finding> {
  let path = cacheFolder();
  for (;;) {
    const space = await statfs(path).catch(() => undefined);
    if (space === undefined && path !== dirname(path)) path = dirname(path);
    else {
      const free = space === undefined ? 0 : space.bavail * space.bsize;
      return {
        what: "disk",
        ok: free >= needed,
        found: `${gib(free)} free at ${join(path)}, ${gib(needed)} needed`,
        remedy: "Free some space, or set NGROK_OPERATOR_CACHE to a folder on a larger disk",
      };
    }
  }
}

function memory(needed: number): Finding {
  return {
    what: "memory",
    ok: totalmem() >= needed,
    found: `${gib(totalmem())}, ${gib(freemem())} of it free, ${gib(needed)} needed`,
    remedy: "Use a machine with more memory",
  };
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
