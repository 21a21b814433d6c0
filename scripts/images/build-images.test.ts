import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { buildImages, TOP, type BuiltImages } from "./build-images.ts";

// A project with one hook and one manager, and a program of a few kilobytes in the place of Node.
let top: string;
const tell = (): void => {};

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), "project-"));
  vi.stubEnv("NGROK_OPERATOR_CACHE", join(top, "cache"));
  await project("hooks/src/drain/main.ts", `import { stringify } from "yaml"; console.log(stringify([1]));`);
  await project("operator/managers/api-manager/main.ts", "console.log(2);");
  await project("hooks/src/ngrok-drain/main.ts", "console.log(4);");
  await project("LICENSE", "ours");
  await project("runtime/LICENSE", "free");
  await mkdir(join(top, "runtime/bin"));
  await copyFile("/bin/true", join(top, "runtime/bin/node"));
  await symlink(join(TOP, "node_modules"), join(top, "node_modules"));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(top, { recursive: true });
});

async function project(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(top, path)), { recursive: true });
  await writeFile(join(top, path), text);
}

const build = async (out: string, more: { revision?: false } = {}): Promise<BuiltImages> =>
  await buildImages({ top, out: join(top, out), node: join(top, "runtime/bin/node"), tell, ...more });

describe("images", () => {
  test("built twice have the same digests, with and without the cache", async () => {
    const one = await build("one");
    const two = await build("two");
    await rm(join(top, "cache"), { recursive: true });
    const three = await build("three");
    for (const name of ["operator", "hooks"] as const) {
      const archives = await Promise.all([one, two, three].map(async (built) => await readFile(built[name].archive)));
      expect(archives.every((archive) => archive.equals(archives[0] ?? Buffer.alloc(0)))).toBe(true);
      expect([two[name].digest, three[name].digest]).toEqual([one[name].digest, one[name].digest]);
    }
  });

  test("share every layer of the hooks' image, which has none of the operator's programs", async () => {
    const { operator, hooks } = await build("shared");
    const [all, some] = [layersOf(operator.archive), layersOf(hooks.archive)];
    expect(all.slice(0, some.length)).toEqual(some);
    expect(all).toHaveLength(some.length + 1);
    expect(filesOf(hooks.archive)).toContain("app/hooks/drain.mjs");
    expect(filesOf(hooks.archive)).not.toContain("app/api-manager.mjs");
    const programs = ["app/api-manager.mjs", "app/ngrok-drain.mjs", "usr/local/bin/ngrok-drain"];
    expect(filesOf(operator.archive)).toEqual(expect.arrayContaining(programs));
  });

  test("hold no shell, no source map, and the licence of each thing that they hold", async () => {
    const files = filesOf((await build("files")).operator.archive);
    expect(files.filter((path) => /\/(ba|da|)sh$|busybox|\.map$/.test(path))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining(
        ["node", "glibc", "gcc", "ngrok-operator"].map((name) => `usr/share/licenses/${name}/LICENSE`),
      ),
    );
    const text = contentOf((await build("files")).hooks.archive, "usr/share/licenses/ngrok-operator/hooks.txt");
    expect(text).toMatch(/yaml 2\.\S+ \(ISC\)\n\nCopyright/);
  });

  test("are named to the chart by digest", async () => {
    const { values, operator } = await build("values");
    expect(parse(await readFile(values, "utf8"))).toEqual({
      image: { registry: "localhost", repository: "operator", tag: "0.1.0", digest: operator.digest },
    });
  });

  test("change with their sources, and the layer of Node does not", async () => {
    const before = await build("before");
    await project("operator/managers/api-manager/main.ts", "console.log(3);");
    const after = await build("after");
    expect(after.operator.digest).not.toBe(before.operator.digest);
    expect(after.hooks.digest).toBe(before.hooks.digest);
    expect(layersOf(after.operator.archive).slice(0, 3)).toEqual(layersOf(before.operator.archive).slice(0, 3));
  });

  test("change with the commit that they name, unless they are to name none", async () => {
    const author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    const commit = (): Buffer =>
      execFileSync("git", [...author, "commit", "-q", "--allow-empty", "-m", "one"], { cwd: top });
    execFileSync("git", ["init", "-q"], { cwd: top });
    await project(".gitignore", "*");
    commit();
    const before = [await build("named"), await build("unnamed", { revision: false })] as const;
    commit();
    const after = [await build("named"), await build("unnamed", { revision: false })] as const;
    expect(after[0].operator.digest).not.toBe(before[0].operator.digest);
    expect(after[1].operator.digest).toBe(before[1].operator.digest);
  });
});

function inside(archive: string, path: string): Buffer {
  return execFileSync("tar", ["-xOf", archive, path], { maxBuffer: 1 << 28 });
}

function layersOf(archive: string): string[] {
  const index = JSON.parse(inside(archive, "index.json").toString()) as { manifests: { digest: string }[] };
  const manifest = inside(archive, `blobs/${index.manifests[0]?.digest.replace(":", "/")}`).toString();
  return (JSON.parse(manifest) as { layers: { digest: string }[] }).layers.map(({ digest }) => digest);
}

function filesOf(archive: string): string[] {
  return layersOf(archive).flatMap((digest) => {
    const input = inside(archive, `blobs/${digest.replace(":", "/")}`);
    return execFileSync("tar", ["-tzf", "-"], { input }).toString().trim().split("\n");
  });
}

function contentOf(archive: string, path: string): string {
  const layers = layersOf(archive).map((digest) => inside(archive, `blobs/${digest.replace(":", "/")}`));
  const layer = layers.find((input) => execFileSync("tar", ["-tzf", "-"], { input }).includes(path));
  return execFileSync("tar", ["-xzOf", "-", path], { input: layer ?? Buffer.alloc(0) }).toString();
}
