// A copy of the tree as it stands, uncommitted changes included, in which a source can be changed and a test be run.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { NamedTest } from "#test/mutants/mutant.ts";

const TOP = join(import.meta.dirname, "../..");
const run = promisify(execFile);

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

export interface Copy extends AsyncDisposable {
  /** Paths from the repository's top. */
  read(file: string): Promise<string>;
  /** Replaces the one occurrence, until it is disposed. */
  changed(file: string, find: string, replace: string): Promise<AsyncDisposable>;
  /** Runs the tests of a file whose names contain this one's. A file that does not load counts as failed. */
  runTest(test: NamedTest): Promise<Count>;
}

export async function copyOfTree(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), "mutants-"));
  const listed = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: TOP,
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of new Set(listed.stdout.split("\0").filter(Boolean))) {
    // What is deleted and not committed yet is listed, too.
    await cp(join(TOP, file), join(folder, file)).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
  await symlink(join(TOP, "node_modules"), join(folder, "node_modules"));
  return {
    read: async (file) => await readFile(join(folder, file), "utf8"),
    async changed(file, find, replace) {
      const before = await readFile(join(folder, file), "utf8");
      await writeFile(
        join(folder, file),
        before.replace(find, () => replace),
      );
      return { [Symbol.asyncDispose]: async () => await writeFile(join(folder, file), before) };
    },
    runTest: async (test) => await runTest(folder, test),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function runTest(folder: string, { project, file, name }: NamedTest): Promise<Count> {
  const report = join(folder, "mutants-report.json");
  await rm(report, { force: true });
  const pattern = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const args = ["run", "--project", project, file, "-t", pattern, "--reporter=json", `--outputFile=${report}`];
  // Its exit code says no more than the report does.
  await run(join(folder, "node_modules/.bin/vitest"), args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }).catch(
    () => undefined,
  );
  const text = await readFile(report, "utf8").catch(() => "{}");
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    success = false,
  } = JSON.parse(text) as {
    numPassedTests?: number;
    numFailedTests?: number;
    success?: boolean;
  };
  return { passed: numPassedTests, failed: Math.max(numFailedTests, success ? 0 : 1) };
}
