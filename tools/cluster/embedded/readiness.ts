// When a control plane can be used, asked of its own endpoints.
import { readFile } from "node:fs/promises";
import { request, type RequestOptions } from "node:https";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** An API server as its own admin sees it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The folder of makeIdentities. */
  readonly identities: string;
}

/** Resolves when `/readyz` says ok. Nothing tells when a port opens, so it is asked every 50 ms. */
export async function apiServerReady(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const options = await admin(endpoint, "/readyz", signal);
  let last = "no answer yet";
  for (;;) {
    const answer = await get({ ...options, timeout: 2_000 }).catch((error: unknown) => String(error));
    if (answer === "ok") return;
    last = answer;
    await pause(50, undefined, { signal }).catch(() => {
      throw new Error(`the API server at ${endpoint.host}:${endpoint.port} does not become ready: ${last}`);
    });
  }
}

/** Resolves when a watch of `path` (with its query) shows an object that `accept` likes. */
export async function seen(
  endpoint: Endpoint,
  path: string,
  accept: (object: Record<string, unknown>) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const options = await admin(endpoint, path, signal);
  await new Promise<void>((done, fail) => {
    const call = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        if (!lines.some((line) => accept(objectOf(line)))) return;
        done();
        call.destroy();
      });
      response.once("error", fail);
      response.once("end", () => fail(new Error(`the watch of ${path} ended (${response.statusCode}): ${text}`)));
    });
    call.once("error", (error) =>
      fail(signal.aborted ? new Error(`${path} does not show what is awaited in time`) : error),
    );
    call.end();
  });
}

/** Resolves when the controller manager has made the ServiceAccount without which no pod can be created. */
export async function controllersReady(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const path = "/api/v1/namespaces/default/serviceaccounts?watch=true&fieldSelector=metadata.name%3Ddefault";
  await seen(endpoint, path, () => true, signal);
}

function objectOf(line: string): Record<string, unknown> {
  const event: unknown = JSON.parse(line);
  if (event !== null && typeof event === "object" && "object" in event) return event.object as Record<string, unknown>;
  return {};
}

async function admin({ host, port, identities }: Endpoint, path: string, signal: AbortSignal): Promise<RequestOptions> {
  const [ca, cert, key] = await Promise.all(
    ["ca.crt", "admin.crt", "admin.key"].map((file) => readFile(join(identities, file))),
  );
  return { host, port, path, ca, cert, key, signal, agent: false };
}

function get(options: RequestOptions): Promise<string> {
  return new Promise((done, fail) => {
    const call = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("end", () => done(text));
      response.once("error", fail);
    });
    call.once("timeout", () => call.destroy(new Error("no answer in 2 s")));
    call.once("error", fail);
    call.end();
  });
}
