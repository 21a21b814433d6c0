// The images themselves: their programs run on nothing but their files, and registries keep their digests.
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildImages, TOP, type BuiltImages } from "#scripts/images/build-images.ts";
import { binaries } from "#tools/binaries.ts";
import { push, serveRegistry } from "#tools/cluster/registry.ts";
import { command, CommandFailed } from "#tools/command.ts";

const quiet = (): void => {};
const asRoot = process.getuid?.() === 0;
let folder: string;
let images: BuiltImages;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
  images = await buildImages({ tell: quiet, out: join(folder, "images") });
});

afterAll(async () => await rm(folder, { recursive: true, force: true }));

interface Manifest {
  readonly layers: { digest: string; size: number }[];
  readonly annotations: Record<string, string>;
}

/** The manifest of an archive, and where its blobs are. */
async function unpacked(archive: string): Promise<{ manifest: Manifest; blob: (digest: string) => string }> {
  const layout = await mkdtemp(join(folder, "layout-"));
  await command("tar", ["-xf", archive, "-C", layout]);
  const blob = (digest: string): string => join(layout, "blobs", digest.replace(":", "/"));
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  return { manifest: JSON.parse(await readFile(blob(index.manifests[0]?.digest ?? ""), "utf8")) as Manifest, blob };
}

/** The file system that a container of the image sees, but for what the kubelet mounts. */
async function rootOf(archive: string): Promise<string> {
  const root = await mkdtemp(join(folder, "root-"));
  await chmod(root, 0o755);
  const { manifest, blob } = await unpacked(archive);
  for (const { digest } of manifest.layers) await command("tar", ["-xzpf", blob(digest), "-C", root]);
  return root;
}

/** Node in the image, as its user; stdout. */
async function nodeIn(root: string, ...args: string[]): Promise<string> {
  const alone = ["-i", `PATH=${process.env["PATH"]}`, "chroot", "--userspec=65532:65532", root];
  return await command("env", [...alone, "/usr/local/bin/node", ...args]);
}

describe.runIf(asRoot)("as root, with chroot, an image by its files alone", () => {
  test("has a Node that knows its user, the certificate authorities and a folder to write to, and no shell", async () => {
    const root = await rootOf(images.operator.archive);
    const code = `
      const fs = require("fs");
      fs.writeFileSync("/tmp/x", "");
      const bundle = fs.readFileSync("/etc/ssl/certs/ca-certificates.crt", "utf8");
      console.log(JSON.stringify([process.version, os.userInfo().username, bundle.match(/BEGIN CERT/g).length]));`;
    expect(JSON.parse(await nodeIn(root, "-e", code))).toEqual([process.version, "nonroot", rootCertificates.length]);
    const programs = (await readdir(root, { recursive: true })).filter((path) => /(^|\/)s?bin\/[^/]+$/.test(path));
    const commands = ["kubectl-ngrok_drain", "kubectl-ngrok_translate", "ngrok-drain", "ngrok-translate", "node"];
    expect(programs.toSorted()).toEqual(commands.map((name) => `usr/local/bin/${name}`));
  });

  test("has ngrok-drain on its PATH, by its own name and as kubectl's plugin", async () => {
    const root = await rootOf(images.operator.archive);
    for (const name of ["ngrok-drain", "kubectl-ngrok_drain"]) {
      const said = await command("chroot", [
        "--userspec=65532:65532",
        root,
        `/usr/local/bin/${name}`,
        "plan",
        "--help",
      ]);
      expect(said).toMatch(/Examples:\n +ngrok-drain plan/);
    }
  });

  test("has ngrok-translate, which reads manifests from its standard input", async () => {
    const root = await rootOf(images.operator.archive);
    const page = await readFile(join(TOP, "docs/ingress.md"), "utf8");
    // The class, and the first example.
    const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text);
    const input = blocks.slice(0, 2).join("---\n");
    const args = ["--userspec=65532:65532", root, "/usr/local/bin/ngrok-translate", "-", "-o", "table"];
    expect(await command("chroot", args, { input })).toMatch(/^KIND .*\n(Cloud|Agent)Endpoint /);
  });

  test("holds every module that its programs load", async () => {
    const root = await rootOf(images.operator.archive);
    const files = await readdir(join(root, "app"), { recursive: true });
    const programs = files.filter((path) => path.endsWith(".mjs") && !path.startsWith("node_modules/"));
    expect(programs).toEqual(expect.arrayContaining(["hooks/cleanup.mjs", "hooks/drain.mjs"]));
    for (const program of programs) {
      // A manager looks at its command line, a hook misses its environment: each says so once everything is loaded. With 1
      // ngrok-translate says that it refused an input, so a wrong command line is 2.
      const wrong = program === "ngrok-translate.mjs" ? 2 : 1;
      const said = await nodeIn(root, `/app/${program}`, "--no-such-option").catch((error: unknown) => {
        if (error instanceof CommandFailed && error.code === wrong) return error.stderr;
        throw error;
      });
      expect(said, program).toMatch(/usage|option|lacks/i);
      expect(said, program).not.toMatch(/ERR_MODULE_NOT_FOUND|Dynamic require|SyntaxError/);
    }
  });

  test("holds what reads a kubeconfig beside them, for who names one", async () => {
    const root = await rootOf(images.operator.archive);
    const asked = nodeIn(root, "/app/ngrok-drain.mjs", "status", "--kubeconfig", "/app/there-is-none");
    await expect(asked).rejects.toMatchObject({
      stderr: expect.stringContaining("kubeconfig /app/there-is-none cannot be read (ENOENT)") as string,
    });
  });
});

describe("a registry", () => {
  test("keeps the digest of what was built", async () => {
    const { bin, address } = await aRegistry();
    expect(await push(bin, address, images.operator.archive)).toBe(`${address}/operator@${images.operator.digest}`);
    const remote = `${address}/operator@${images.operator.digest}`;
    await command(join(bin, "crane"), ["validate", "--remote", remote]);
  });

  test("takes what was built by the README's own command", async () => {
    const { bin, address } = await aRegistry();
    const readme = await readFile(join(TOP, "README.md"), "utf8");
    const [, line = ""] = /`([^`]* crane push [^`]*)`/.exec(readme) ?? [];
    const text = line.replaceAll("REGISTRY", address).replace("dist/images/operator.tar", images.operator.archive);
    const env = { PATH: `${bin}:${process.env["PATH"]}` };
    await command("sh", ["-ec", text], { cwd: await mkdtemp(join(folder, "typed-")), env });
    const digest = await command(join(bin, "crane"), ["digest", `${address}/ngrok-operator:0.1.0`]);
    expect(digest.trim()).toBe(images.operator.digest);
  });

  test("gives another base, and the layers above it stay the same", async () => {
    const { bin, address } = await aRegistry();
    await push(bin, address, images.hooks.archive, "base");
    const base = `${address}/base@${images.hooks.digest}`;
    const based = await buildImages({ tell: quiet, out: join(folder, "based"), base });
    const layersOf = async (archive: string): Promise<string[]> =>
      (await unpacked(archive)).manifest.layers.map(({ digest }) => digest);
    const [ours, theirs] = [await layersOf(images.operator.archive), await layersOf(images.hooks.archive)];
    const [ourBase, node] = ours;
    const above = (await layersOf(based.operator.archive)).slice(theirs.length);
    expect((await layersOf(based.operator.archive)).slice(0, theirs.length)).toEqual(theirs);
    expect(above).toHaveLength(ours.length - 1);
    expect(above[0]).toBe(node);
    expect(above).not.toContain(ourBase);
    expect((await unpacked(based.operator.archive)).manifest.annotations).toMatchObject({
      "org.opencontainers.image.base.name": base,
      "org.opencontainers.image.base.digest": images.hooks.digest,
    });
  });

  test("whose image lacks Node's libraries gives no base, but the reason", async () => {
    const { bin, address } = await aRegistry();
    await push(bin, address, join(bin, "pause"));
    const built = buildImages({ tell: quiet, out: join(folder, "none"), base: `${address}/pause:latest` });
    await expect(built).rejects.toThrow(/pause:latest has no .*libstdc\+\+.* choose a base with glibc/);
  });
});

/** A registry that ends with the test. */
async function aRegistry(): Promise<{ bin: string; address: string }> {
  const bin = await binaries(quiet);
  const registry = await serveRegistry(bin);
  onTestFinished(async () => await registry[Symbol.asyncDispose]());
  return { bin, address: registry.address };
}
