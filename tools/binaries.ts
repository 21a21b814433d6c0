// The programs that npm does not bring - Kubernetes, etcd, containerd, runc, crane, Helm 3 and 4, and the tests' own -
// built once from pinned Go modules and kept outside the checkout.
import { existsSync, watch } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone, cacheFolder, madeOnce, type Tell } from "./cache.ts";
import { command } from "./command.ts";
import { BUILD_PACKAGES, ensurePackages } from "./debian.ts";
import { makePause } from "./pause.ts";
import { cacheKey, checkBuilds, clusterBuilds, goEnvironment, ruleBuilds, testBuilds, type GoBuild } from "./recipe.ts";

const TOOLS = import.meta.dirname;
const TESTING = join(TOOLS, "testing");
const CHECKS = join(TOOLS, "checks");
const RULES = join(TOOLS, "rules");

/** Where the programs of a cluster are or will be; `built` says which. Asks nothing of the machine. */
export async function binariesFolder(): Promise<{ folder: string; built: boolean }> {
  const [mod, sum] = await moduleFiles(TOOLS);
  const pause = await readFile(join(TOOLS, "pause.ts"), "utf8");
  return place("binaries", cacheKey(mod, sum, clusterBuilds(mod), pause, process.arch));
}

/** The same for the programs of the tests. */
export async function testToolsFolder(): Promise<{ folder: string; built: boolean }> {
  const [mod, sum] = await moduleFiles(TESTING);
  const python = await readFile(join(TESTING, "requirements.txt"), "utf8");
  return place("testing", cacheKey(mod, sum, testBuilds(mod), python, process.arch));
}

/**
 * The folder with kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl, etcd,
 * containerd, containerd-shim-runc-v2, runc, crane, helm (4, also as helm4) and helm3, and the OCI layout `pause`.
 * Builds them when they are not there, which takes minutes and is told line by line.
 */
export async function binaries(tell: Tell): Promise<string> {
  const { folder, built } = await binariesFolder();
  if (built) return folder;
  return await alone("go-build", tell, () =>
    madeOnce(folder, async (temporary) => {
      tell("building Kubernetes, etcd, containerd and Helm, once: up to 10 minutes on 2 cores");
      await ready(TOOLS, tell);
      const [mod] = await moduleFiles(TOOLS);
      for (const build of clusterBuilds(mod)) await goBuild(TOOLS, build, temporary, tell);
      await symlink("helm4", join(temporary, "helm"));
      await step("the pause image", tell, async () => {
        await makePause(await moduleFolder(TOOLS, "k8s.io/kubernetes"), join(temporary, "pause"));
      });
    }),
  );
}

/** What only the tests need. */
export interface TestTools {
  /** With ct, yamllint, yamale, helm-unittest and kind. */
  readonly bin: string;
  /** With ct's own chart_schema.yaml and lintconf.yaml, for `--chart-yaml-schema` and `--lint-conf`. */
  readonly ct: string;
  /** With Gateway API's CRDs, in the folders standard and experimental. */
  readonly gatewayApi: string;
}

/** The tools of the tests, built when they are not there (about a minute, if the cluster's programs were built here). */
export async function testTools(tell: Tell): Promise<TestTools> {
  const { folder, built } = await testToolsFolder();
  const tools = { bin: join(folder, "bin"), ct: join(folder, "ct"), gatewayApi: join(folder, "gateway-api") };
  if (built) return tools;
  await alone("go-build", tell, () =>
    madeOnce(folder, async (temporary) => {
      tell("building chart-testing, helm-unittest and kind, once: about a minute");
      await ready(TESTING, tell);
      const [mod] = await moduleFiles(TESTING);
      await mkdir(join(temporary, "bin"));
      for (const build of testBuilds(mod)) await goBuild(TESTING, build, join(temporary, "bin"), tell);
      await step("yamllint and yamale", tell, () => pythonTools(temporary));
      await cp(join(await moduleFolder(TESTING, "github.com/helm/chart-testing/v3"), "etc"), join(temporary, "ct"), {
        recursive: true,
      });
      const crds = join(await moduleFolder(TESTING, "sigs.k8s.io/gateway-api"), "config/crd");
      for (const channel of ["standard", "experimental"]) {
        await cp(join(crds, channel), join(temporary, "gateway-api", channel), { recursive: true });
      }
      await command("chmod", ["-R", "u+w", temporary]); // Go's module cache is read-only, and copies keep that
    }),
  );
  return tools;
}

/** The folder with actionlint, kubeconform and kube-score, built when they are not there (about half a minute). */
export async function checkTools(tell: Tell): Promise<string> {
  return await programs(
    CHECKS,
    checkBuilds(),
    "actionlint, kubeconform and kube-score, once: about half a minute",
    tell,
  );
}

/** The path of promtool, built when it is not there (about two minutes). */
export async function promtool(tell: Tell): Promise<string> {
  return join(await programs(RULES, ruleBuilds(), "promtool, once: about two minutes", tell, ownCaches), "promtool");
}

/** Go's caches for one build: of the 1.5 GB that promtool needs, nothing but the program is of use again. */
async function ownCaches(): Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }> {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-go-"));
  const caches = { GOMODCACHE: join(folder, "modules"), GOCACHE: join(folder, "build") };
  return {
    // Without the flag nobody but root could remove the modules.
    env: { ...caches, GOFLAGS: "-buildvcs=false -modcacherw" },
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** The folder with the programs of a module, which is one key of the cache. */
async function programs(
  module: string,
  builds: readonly GoBuild[],
  what: string,
  tell: Tell,
  caches?: typeof ownCaches,
): Promise<string> {
  const [mod, sum] = await moduleFiles(module);
  const { folder, built } = place("testing", cacheKey(mod, sum, builds, process.arch));
  if (built) return folder;
  return await alone("go-build", tell, () =>
    madeOnce(folder, async (temporary) => {
      tell(`building ${what}`);
      await ready(module, tell);
      await using own = await caches?.();
      for (const build of builds) await goBuild(module, build, temporary, tell, own?.env);
    }),
  );
}

/** Paths of Gateway API's CRD manifests of one channel, `standard` unless said otherwise. */
export async function gatewayApiCrds(
  channel: "standard" | "experimental" = "standard",
  tell: Tell = () => {},
): Promise<string[]> {
  const folder = join((await testTools(tell)).gatewayApi, channel);
  const files = (await readdir(folder)).filter((file) => file.endsWith("s.yaml") && !file.includes("_vap_"));
  return files.toSorted().map((file) => join(folder, file));
}

async function moduleFiles(folder: string): Promise<[mod: string, sum: string]> {
  return [await readFile(join(folder, "go.mod"), "utf8"), await readFile(join(folder, "go.sum"), "utf8")];
}

function place(kind: string, key: string): { folder: string; built: boolean } {
  const folder = join(cacheFolder(), kind, key);
  return { folder, built: existsSync(folder) };
}

/** What a build needs: a Linux, the packages, and a Go that is new enough (it says so itself, at once). */
async function ready(folder: string, tell: Tell): Promise<void> {
  if (process.platform !== "linux") {
    throw new Error(`the programs of a cluster run on Linux, this is ${process.platform}: use a Linux machine or VM`);
  }
  await command("go", ["version"], { cwd: folder }).catch((error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`Go is needed to build the programs: install Go 1.26 or newer from https://go.dev/dl. ${said}`);
  });
  await ensurePackages(BUILD_PACKAGES, tell);
}

async function goBuild(
  cwd: string,
  build: GoBuild,
  folder: string,
  tell: Tell,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const outputs = build.packages.map(programOf);
  const names = outputs.map((name) => build.rename?.[name] ?? name);
  const started = Date.now();
  const seen = new Set<string>();
  // One build of many programs is silent for minutes; each program is told when it appears.
  const watcher = watch(folder, (_event, file) => {
    const name = file === null ? "" : (build.rename?.[file] ?? file);
    if (!names.includes(name) || seen.has(name) || names.length === 1) return;
    seen.add(name);
    tell(`  ${name} after ${seconds(started)}`);
  });
  try {
    const args = ["build", ...build.args, "-o", `${folder}/`, ...build.packages];
    await command("go", args, { cwd, env: { ...goEnvironment(build), ...env }, diesWithParent: true });
  } finally {
    watcher.close();
  }
  for (const [from, to] of Object.entries(build.rename ?? {})) await rename(join(folder, from), join(folder, to));
  tell(`built ${names.join(", ")} in ${seconds(started)}`);
}

/** What go calls the program of a package: the last element of its path that is no major version. */
function programOf(path: string): string {
  return (
    path
      .replace(/\/v\d+$/, "")
      .split("/")
      .at(-1) ?? path
  );
}

async function moduleFolder(cwd: string, module: string): Promise<string> {
  const found: unknown = JSON.parse(await command("go", ["mod", "download", "-json", module], { cwd }));
  if (found !== null && typeof found === "object" && "Dir" in found && typeof found.Dir === "string") return found.Dir;
  throw new Error(`go mod download ${module} names no folder`);
}

/** Python programs in a folder of their own, started by wrappers, since a virtual environment cannot be renamed. */
async function pythonTools(folder: string): Promise<void> {
  const requirements = join(TESTING, "requirements.txt");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  await command("python3", [...pip, "--target", join(folder, "python"), "-r", requirements]);
  const start = {
    yamllint: "from yamllint.cli import run; run()",
    yamale: "from yamale.command_line import main; main()",
  };
  for (const [name, code] of Object.entries(start)) {
    const wrapper = `#!/bin/sh\nPYTHONPATH="$(dirname "$0")/../python" exec python3 -c '${code}' "$@"\n`;
    await writeFile(join(folder, "bin", name), wrapper);
    await chmod(join(folder, "bin", name), 0o755);
  }
}

async function step(name: string, tell: Tell, work: () => Promise<void>): Promise<void> {
  const started = Date.now();
  await work();
  tell(`built ${name} in ${seconds(started)}`);
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
