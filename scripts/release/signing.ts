// The key that signs a chart: the releaser's own, or for a dry run one that is made for it and forgotten with it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import { ensurePackages, SIGNING_PACKAGES } from "#tools/debian.ts";

export interface SigningKey {
  /** Part of the key's name, as `helm package --key` takes it. */
  readonly name: string;
  /** Path of the secret keyring, exported as gpg's old format: Helm reads no other. */
  readonly keyring: string;
  readonly passphraseFile?: string;
  /** Path of the public keyring, for `helm verify`; the secret one, which holds both, unless given. */
  readonly publicKeyring?: string;
}

/** A key that is good for a day and has no passphrase. */
export async function throwawayKey(tell: Tell): Promise<SigningKey & AsyncDisposable> {
  await ensurePackages(SIGNING_PACKAGES, tell);
  const home = await mkdtemp(join(tmpdir(), "ngrok-gpg-"));
  const gpg = async (...args: string[]): Promise<string> =>
    await command("gpg", ["--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", ...args]);
  const name = "ngrok-operator dry run";
  const end = async (): Promise<void> => {
    await command("gpgconf", ["--homedir", home, "--kill", "all"]);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await gpg("--passphrase", "", "--quick-generate-key", `${name} <nobody@example.invalid>`, "rsa2048", "sign", "1d");
    const [keyring, publicKeyring] = [join(home, "secring.gpg"), join(home, "pubring.gpg")];
    await gpg("--passphrase", "", "--output", keyring, "--export-secret-keys");
    await gpg("--output", publicKeyring, "--export");
    return { name, keyring, publicKeyring, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}
