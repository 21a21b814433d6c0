// `npm run release`: image, chart, provenance, list of contents and checksums, pushed to a registry. With --dry-run the
// registry is one of this machine's, the key is made for the run, and nothing stays but the files.
import { join, resolve } from "node:path";
import { Command } from "commander";
import { TOP } from "#scripts/images/build-images.ts";
import { binaries } from "#tools/binaries.ts";
import { serveRegistry } from "#tools/cluster/registry.ts";
import { obstacles, release } from "./release.ts";
import { throwawayKey } from "./signing.ts";

interface Flags {
  readonly dryRun: boolean;
  readonly registry?: string;
  readonly key?: string;
  readonly keyring?: string;
  readonly passphraseFile?: string;
  readonly publicKeyring?: string;
  readonly out: string;
}

// npm changes into the project's folder; what a person types is relative to where they stand.
const place = (path: string): string => resolve(process.env["INIT_CWD"] ?? "", path);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

const program = new Command("npm run release --")
  .description("Publishes this checkout's version: image for amd64 and arm64, and the chart that names it by digest.")
  .option("--dry-run", "to a registry of this machine's that ends with the run, signed by a key that does too", false)
  .option("--registry <host/path>", "images go below it, the chart to its `charts`; log in by `helm registry login`")
  .option("--key <name>", "the signing key's name, or a part of it")
  .option("--keyring <file>", "secret keyring: gpg --export-secret-keys NAME > FILE")
  .option("--passphrase-file <file>", "the key's passphrase")
  .option("--public-keyring <file>", "for the verification; the secret one unless given")
  .option("--out <folder>", "where the files go", join(TOP, "dist/release"))
  .showHelpAfterError("(--help explains)")
  .action(async (flags: Flags) => {
    const why = await obstacles(TOP);
    if (flags.dryRun) await rehearse(flags, why);
    else if (why.length > 0) throw new Error(`not to be released:\n  ${why.join("\n  ")}`);
    else await publish(flags);
  });

async function rehearse({ out }: Flags, why: readonly string[]): Promise<void> {
  const programs = await binaries(tell);
  await using registry = await serveRegistry(programs);
  await using key = await throwawayKey(tell);
  const address = { address: registry.address, plainHttp: true };
  await release({ top: TOP, out: place(out), programs, registry: address, key, tell });
  for (const reason of why) tell(`a real release would be refused: ${reason}`);
}

async function publish(flags: Flags): Promise<void> {
  const { registry, key: name, keyring, passphraseFile, publicKeyring, out } = flags;
  if (registry === undefined || name === undefined || keyring === undefined) {
    throw new Error("a release needs --registry, --key and --keyring; --dry-run needs none");
  }
  const key = {
    name,
    keyring: place(keyring),
    ...(passphraseFile !== undefined && { passphraseFile: place(passphraseFile) }),
    ...(publicKeyring !== undefined && { publicKeyring: place(publicKeyring) }),
  };
  const programs = await binaries(tell);
  const address = { address: registry, plainHttp: false };
  await release({ top: TOP, out: place(out), programs, registry: address, key, tell });
}

await program.parseAsync().catch((error: unknown) => {
  tell(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
