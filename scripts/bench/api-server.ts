// How a program without any code of ours reaches the API server as its admin.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";

export interface BareServer {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; "certificate-authority-data": string } }[];
  readonly users: readonly { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** The admin's login, as every cluster of tools/cluster writes it. */
export async function apiServerOf(path: string): Promise<BareServer> {
  const { clusters, users } = parse(await readFile(path, "utf8")) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (!cluster?.["certificate-authority-data"] || !user?.["client-key-data"])
    throw new Error(`${path}: the bare client needs a cluster's CA and a client certificate in the file itself`);
  const pem = (data: string): string => Buffer.from(data, "base64").toString("utf8");
  return {
    origin: cluster.server,
    headers: { accept: "application/json", "user-agent": "bare" },
    tls: {
      ca: pem(cluster["certificate-authority-data"]),
      cert: pem(user["client-certificate-data"]),
      key: pem(user["client-key-data"]),
    },
  };
}
