// The login of a pod: its ServiceAccount's token, which the kubelet replaces as it ages, and the cluster's CA.
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { KnownError } from "#wire/errors.ts";
import type { LoginSource } from "./login.ts";

export const SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount";

/** `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT. */
export function inCluster(host: string, port: string, directory: string = SERVICE_ACCOUNT_DIR): LoginSource {
  const origin = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return async () => {
    const [token, ca] = await Promise.all([read(directory, "token"), read(directory, "ca.crt")]);
    return { origin, basePath: "", tls: { ca }, headers: { authorization: `Bearer ${token.trim()}` } };
  };
}

async function read(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), "utf8");
  } catch (error) {
    throw new KnownError("invalid", `cannot read ${join(directory, name)}`, {
      hint: "The pod needs its ServiceAccount's token: set automountServiceAccountToken to true.",
      cause: error,
    });
  }
}
