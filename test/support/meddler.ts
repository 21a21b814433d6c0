// Stands between a program and the API server, and is always a moment ahead of it: before a patch of finalizers passes,
// somebody else has changed them. So every guarded patch meets a conflict once, reads again, and decides anew.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { parse } from "yaml";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";

/** The finalizer that comes and goes. */
export const STRANGER = "acme.io/hold";

export interface Meddler extends AsyncDisposable {
  /** Plain HTTP, for a kubeconfig; tokens pass through. */
  readonly url: string;
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
}

/**
 * @param connection of an admin: the somebody else.
 * @param hear told of each request before it passes on, with its path and query.
 */
export async function meddler(
  kubeconfig: string,
  connection: Connection,
  hear: (method: string, path: string) => Promise<void>,
): Promise<Meddler> {
  const { clusters } = parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, ca: Buffer.from(ca, "base64") });
  const proxy = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  // A server that closes an idle connection just as it is used again would be a fault that nobody asked for.
  proxy.keepAliveTimeout = 300_000;
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url: path = "", headers } = incoming;
    await hear(method, path);
    const body = method === "PATCH" ? await bodyOf(incoming) : undefined;
    if (body !== undefined) await comeBefore(connection, path, body.toString());
    const onward = request(new URL(path, server), { method, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", (error) => outgoing.destroy(error));
    outgoing.on("close", () => onward.destroy());
    if (body === undefined) incoming.pipe(onward);
    else onward.end(body);
  };
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      agent.destroy();
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Who takes a finalizer off finds the stranger's gone; who adds one finds that the stranger was faster. */
async function comeBefore(connection: Connection, url: string, body: string): Promise<void> {
  const [path = ""] = url.split("?");
  if (!body.includes('"path":"/metadata/finalizers')) return;
  const signal = AbortSignal.timeout(120_000);
  const object = (await connection.request({ method: "GET", path, signal }).catch(() => undefined)) as
    | KubeObject
    | undefined;
  if (object === undefined) return;
  const before = object.metadata.finalizers ?? [];
  const removes = body.includes('"op":"remove"');
  const after = removes ? before.filter((entry) => entry !== STRANGER) : [STRANGER];
  if (removes ? after.length === before.length : before.length > 0) return;
  const contentType = "application/merge-patch+json";
  const patch = { metadata: { finalizers: after } };
  await connection.request({ method: "PATCH", path, contentType, body: patch, signal }).catch(() => undefined);
}
