// The way to a registry and back: image and chart are pushed as people will pull them, and pulled again to be compared.
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { command, CommandFailed } from "#tools/command.ts";
import type { ChartPackage, ReleasedImage } from "./chart-package.ts";
import type { IndexLayout } from "./index-layout.ts";
import type { SigningKey } from "./signing.ts";

export interface Registry {
  /** HOST[:PORT][/PATH]: images stand below it, charts below its `charts`. */
  readonly address: string;
  /** Without TLS, for one on this machine. */
  readonly plainHttp: boolean;
}

/** The folder with Helm 4 and crane. */
type Programs = string;

export function chartsOf({ address }: Registry): string {
  return `oci://${address}/charts`;
}

/** Pushes the index as `tag`, both architectures under it. Pushing what is there already changes nothing. */
export async function pushImage(
  programs: Programs,
  layout: IndexLayout,
  { registry, repository, digest }: ReleasedImage,
  tag: string,
): Promise<void> {
  await withHelmsLogin(programs, async (env) => {
    const crane = join(programs, "crane");
    const name = `${registry}/${repository}`;
    await command(crane, ["push", "--index", layout.folder, `${name}:${tag}`], { env, timeout: 300_000 });
    const there = (await command(crane, ["digest", `${name}:${tag}`], { env, timeout: 60_000 })).trim();
    if (there !== digest) throw new Error(`${name}:${tag} is ${there} in the registry, not ${digest} as it was built`);
  });
}

/** Pushes the chart with its provenance, pulls both and verifies what came back. Resolves to the chart's digest there. */
export async function pushChart(
  programs: Programs,
  { archive, name, version }: ChartPackage,
  registry: Registry,
  key: SigningKey,
): Promise<string> {
  const helm = join(programs, "helm4");
  const plain = registry.plainHttp ? ["--plain-http"] : [];
  await command(helm, ["push", archive, chartsOf(registry), ...plain], { timeout: 120_000 });
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-pulled-"));
  try {
    const verify = ["--verify", "--keyring", key.publicKeyring ?? key.keyring];
    const pull = ["pull", `${chartsOf(registry)}/${name}`, "--version", version, "--destination", folder];
    const said = await pulled(helm, [...pull, ...verify, ...plain]);
    const [pushed, back] = await Promise.all([archive, join(folder, basename(archive))].map((path) => readFile(path)));
    if (pushed === undefined || back === undefined || !pushed.equals(back)) {
      throw new Error(`${chartsOf(registry)}/${name} gives back another chart than was pushed`);
    }
    return said;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pulled(helm: string, args: readonly string[]): Promise<string> {
  // Helm tells the digest on either stream, by version.
  const said = await command("sh", ["-c", 'exec "$0" "$@" 2>&1', helm, ...args], { timeout: 120_000 });
  const digest = /sha256:[0-9a-f]{64}/.exec(said)?.[0];
  if (digest === undefined) throw new Error(`helm pull told no digest: ${said}`);
  return digest;
}

/** `helm registry login` is the one login: crane reads the same file under Docker's name for it. */
async function withHelmsLogin(programs: Programs, work: (env: Record<string, string>) => Promise<void>): Promise<void> {
  const config = (await command(join(programs, "helm4"), ["env", "HELM_REGISTRY_CONFIG"])).trim();
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-login-"));
  try {
    await cp(config, join(folder, "config.json")).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error; // nobody has logged in
    });
    await work({ DOCKER_CONFIG: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** True when a registry has a chart of this version: a release is never replaced. */
export async function isPublished(
  programs: Programs,
  registry: Registry,
  name: string,
  version: string,
): Promise<boolean> {
  const plain = registry.plainHttp ? ["--plain-http"] : [];
  const show = ["show", "chart", `${chartsOf(registry)}/${name}`, "--version", version, ...plain];
  return await command(join(programs, "helm4"), show, { timeout: 60_000 }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CommandFailed && /not found|NAME_UNKNOWN|MANIFEST_UNKNOWN/i.test(error.stderr)) return false;
      throw error;
    },
  );
}
