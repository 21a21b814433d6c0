// The packages of the distribution that the programs need: installed where we may, named where we may not.
import { existsSync } from "node:fs";
import { alone, type Tell } from "./cache.ts";
import { command, onPath } from "./command.ts";

/** A Debian package and what shows that it (or its like on another distribution) is there: a program or a file. */
export interface DebianPackage {
  readonly name: string;
  readonly program?: string;
  readonly files?: readonly string[];
}

const HEADERS = ["/usr/include/seccomp.h", "/usr/local/include/seccomp.h"];
const STATIC_LIBC = [
  "/usr/lib/x86_64-linux-gnu/libc.a",
  "/usr/lib/aarch64-linux-gnu/libc.a",
  "/usr/lib64/libc.a",
  "/usr/lib/libc.a",
];

/** Where the CNI plugins are, first hit wins: Debian's place, then the upstream one. */
export const CNI_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin"];

/** To build runc and the pause program, which are C in part. */
export const BUILD_PACKAGES: readonly DebianPackage[] = [
  { name: "gcc", program: "gcc" },
  { name: "libc6-dev", files: STATIC_LIBC },
  { name: "libseccomp-dev", files: HEADERS },
  { name: "pkg-config", program: "pkg-config" },
];

/** To run the API server: its certificates are made by openssl. */
export const CONTROL_PLANE_PACKAGES: readonly DebianPackage[] = [
  { name: "openssl", program: "openssl" },
  { name: "util-linux", program: "setpriv" },
];

/** To run a node in namespaces of its own. */
export const NODE_PACKAGES: readonly DebianPackage[] = [
  ...CONTROL_PLANE_PACKAGES,
  { name: "iptables", program: "iptables" },
  { name: "conntrack", program: "conntrack" },
  { name: "iproute2", program: "ip" },
  { name: "curl", program: "curl" },
  { name: "containernetworking-plugins", files: CNI_FOLDERS.map((folder) => `${folder}/ptp`) },
];

/** To try the completion of ngrok-drain in each shell that it is for. */
export const SHELL_PACKAGES: readonly DebianPackage[] = [
  { name: "zsh", program: "zsh" },
  { name: "fish", program: "fish" },
];

/** To sign a chart. */
export const SIGNING_PACKAGES: readonly DebianPackage[] = [{ name: "gnupg", program: "gpg" }];

/** The packages of `wanted` that this machine lacks. */
export async function missingPackages(wanted: readonly DebianPackage[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { name, program, files } of wanted) {
    const there = program === undefined ? files?.some((file) => existsSync(file)) : await onPath(program);
    if (!there) missing.push(name);
  }
  return missing;
}

/** Installs what is missing of `wanted`, when root and where apt-get is; else throws with the command to type. */
export async function ensurePackages(wanted: readonly DebianPackage[], tell: Tell): Promise<void> {
  if ((await missingPackages(wanted)).length === 0) return;
  await alone("apt-get", tell, async () => {
    const missing = await missingPackages(wanted);
    if (missing.length === 0) return;
    const line = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
    if (process.getuid?.() !== 0 || !(await onPath("apt-get"))) {
      throw new Error(`packages are missing: ${missing.join(", ")}. Install them, on Debian as root with: ${line}`);
    }
    const started = Date.now();
    tell(`${line} ...`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const flags = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
    // A machine that has never updated its lists, or not for long, has to do so once.
    await command("apt-get", [...flags, ...missing], { env }).catch(async () => {
      await command("apt-get", ["update"], { env });
      await command("apt-get", [...flags, ...missing], { env });
    });
    tell(`installed ${missing.join(", ")} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  });
}
