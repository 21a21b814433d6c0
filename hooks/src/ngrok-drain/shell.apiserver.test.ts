// The ways to ngrok-drain from a checkout: by its launcher on the machine's own Node, by npx in a fresh clone, as kubectl's
// plugin, and completed by a real bash, zsh and fish, and by kubectl.
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { ensurePackages, SHELL_PACKAGES } from "#tools/debian.ts";

const TOP = join(import.meta.dirname, "../../..");
/** Nothing of an install is there under this name. */
const NOWHERE = ["-n", "default", "--release", "nowhere", "--fullname", "nowhere"];

let folder: string;
let bin: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ngrok-drain-shell-"));
  bin = await binaries(console.log);
  await ensurePackages(SHELL_PACKAGES, console.log);
  for (const name of ["ngrok-drain", "kubectl-ngrok_drain", "kubectl_complete-ngrok_drain"])
    await symlink(join(TOP, "scripts/ngrok-drain.js"), join(folder, name));
  const node = dirname(process.execPath);
  env = { PATH: [folder, bin, node, process.env["PATH"]].join(":"), KUBECONFIG: inject("kubeconfig") };
});
afterAll(async () => await rm(folder, { recursive: true }));

/** Exit code and output, whatever the code. */
async function run(program: string, args: readonly string[], cwd = folder): Promise<{ code: number; out: string }> {
  return await new Promise((done) => {
    const child = execFile(program, args, { env: { ...process.env, ...env }, cwd, timeout: 150_000 }, (error, out) => {
      done({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out });
    });
    child.stdin?.end();
  });
}

test("as kubectl's plugin it takes kubectl's kubeconfig, and its exit code is kubectl's", async () => {
  const { code, out } = await run(join(bin, "kubectl"), ["ngrok-drain", "status", ...NOWHERE]);
  expect(out).toMatch(/^release +default\/nowhere\nstate +unknown: the drain state ConfigMap is not there$/m);
  expect(code).toBe(3);
});

test("kubectl completes its commands, flags and values", async () => {
  const completed = async (...words: string[]) =>
    (await run(join(bin, "kubectl"), ["__complete", "ngrok-drain", ...words])).out.split("\n");
  expect(await completed("pl")).toEqual(expect.arrayContaining([expect.stringMatching(/^plan\tSay what/), ":4"]));
  expect((await completed("plan", "--policy", "")).map((line) => line.split("\t")[0])).toEqual(
    expect.arrayContaining(["Retain", "Delete"]),
  );
});

test("bash completes by what the program says, and leaves paths to itself", async () => {
  const ask = async (...words: string[]): Promise<string[]> => {
    const typed = words.map((word) => `'${word}'`).join(" ");
    const script = `source <(ngrok-drain completion bash); COMP_WORDS=(ngrok-drain ${typed}); COMP_CWORD=${words.length}
      _ngrok_drain; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run("bash", ["--norc", "-c", script])).out.trim().split("\n");
  };
  expect(await ask("re")).toEqual(["rescue", "report"]);
  expect(await ask("plan", "--policy", "")).toEqual(["Retain", "Delete"]);
  expect(await ask("plan", "--kubeconfig", "")).toEqual([""]);
});

test("fish completes a line by what the program says, each word with what it does, and leaves paths to itself", async () => {
  await writeFile(join(folder, "here.yaml"), "");
  const ask = async (line: string): Promise<string[]> =>
    (await run("fish", ["--no-config", "-c", `ngrok-drain completion fish | source; complete -C '${line}'`])).out
      .trim()
      .split("\n");
  expect(await ask("ngrok-drain res")).toEqual([expect.stringMatching(/^rescue\tFree what is left/)]);
  const words = async (line: string) => (await ask(line)).map((one) => one.split("\t")[0]);
  expect(new Set(await words("ngrok-drain plan --policy "))).toEqual(new Set(["Delete", "Retain"]));
  expect(await words("ngrok-drain plan --policy=R")).toEqual(["--policy=Retain"]);
  expect(await words("ngrok-drain plan --kubeconfig here.")).toEqual(["here.yaml"]);
});

test("zsh completes what is typed at its prompt, and leaves paths to itself", async () => {
  await writeFile(join(folder, "here.yaml"), "");
  // At a terminal of its own: Tab ends the word, Ctrl-A goes back to make an echo of the line.
  const typing = String.raw`zmodload zsh/zpty; zpty z zsh -f -i
    say() { zpty -w -n z "$1"; zpty -r z out "*$2*"; }
    say $'PS1=; bindkey -e; autoload -Uz compinit; compinit -u -D; source <(ngrok-drain completion zsh); print LO""ADED\n' LOADED
    for typed in "$@"; do
      say "ngrok-drain $typed"$'\t\C-aprint -r -- \C-e E""ND\n' END
      line=${"$"}{out##*$'\n'}; print -r -- ${"$"}{line%%$'\r'*}
    done; zpty -d z`;
  const { out } = await run("zsh", ["-f", "-c", typing, "zsh", "resc", "plan --policy R", "plan --kubeconfig her"]);
  expect(out.trim().split(/\s*END\s*/)).toEqual([
    "ngrok-drain rescue",
    "ngrok-drain plan --policy Retain",
    "ngrok-drain plan --kubeconfig here.yaml",
    "",
  ]);
});

test("npx brings it in a fresh clone, by the package and by its name, with the caller's folder as its own", async () => {
  const clone = join(folder, "clone");
  const listed = await command("git", ["-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const path of listed.split("\0").filter(Boolean))
    await cp(join(TOP, path), join(clone, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error; // deleted, and not committed yet
    });
  // What npm ci would bring; the launcher sees that it is what package-lock.json asks for.
  await symlink(join(TOP, "node_modules"), join(clone, "node_modules"));
  await cp(inject("kubeconfig"), join(clone, "docs/here.yaml"));
  const flags = [...NOWHERE, "--kubeconfig"];
  const byName = await run("npx", ["ngrok-drain", "status", ...flags, "here.yaml"], join(clone, "docs"));
  expect(byName.out).toMatch(/state +unknown: the drain state ConfigMap is not there/);
  const byPackage = await run("npx", [".", "status", ...flags, "docs/here.yaml", "-o", "json"], clone);
  expect(JSON.parse(byPackage.out)).toMatchObject({ command: "status", state: { phase: "Unknown" } });
  expect([byName.code, byPackage.code]).toEqual([3, 3]);
});
