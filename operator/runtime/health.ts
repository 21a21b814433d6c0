// What the kubelet asks: is this process alive (`/healthz`), can it do its work (`/readyz`)? Both say why not in words.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One thing that must hold: undefined when it does, else the reason and what to do about it. */
export interface Check {
  readonly name: string;
  ask(): string | undefined;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export type Routes = Readonly<Record<string, () => Page | Promise<Page>>>;

/** All checks, one a line, as `[+] name` or `[-] name: reason`; 503 when one does not hold. */
export function healthPage(checks: readonly Check[]): Page {
  const answers = checks.map((check) => ({ name: check.name, reason: check.ask() }));
  const lines = answers.map(({ name, reason }) => (reason === undefined ? `[+] ${name}` : `[-] ${name}: ${reason}`));
  const status = answers.some(({ reason }) => reason !== undefined) ? 503 : 200;
  return { status, type: "text/plain; charset=utf-8", body: `${lines.join("\n")}\n` };
}

/** What Prometheus reads. */
export function metricsRoutes(registry: { readonly contentType: string; metrics(): Promise<string> }): Routes {
  return {
    "/metrics": async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves GET on these paths. `bind` is `host:port` or `:port`; "0" serves nothing, as controller-runtime has it.
 * Throws a readable Error when the address cannot be had.
 */
export async function serve(bind: string, routes: Routes): Promise<Listening> {
  if (bind === "0") return { port: 0, [Symbol.asyncDispose]: () => Promise.resolve() };
  const separator = bind.lastIndexOf(":");
  const port = Number(bind.slice(separator + 1));
  const host = bind.slice(0, Math.max(separator, 0)).replace(/^\[|\]$/g, "");
  const server = createServer((request, response) => {
    void answer(routes, request.url ?? "/", response);
  });
  await listening(server, port, host, bind);
  // A connection that could not be accepted (no descriptor is left) is for whoever asked to tell; unheard it would end the process.
  server.on("error", () => {});
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function listening(server: Server, port: number, host: string, bind: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`cannot listen on ${bind}: ${error.message}`, { cause: error })));
    server.listen(host === "" ? { port } : { port, host }, resolve);
  });
}

async function answer(routes: Routes, url: string, response: ServerResponse): Promise<void> {
  const route = routes[url.replace(/\?.*$/, "")];
  const page: Page =
    route === undefined
      ? {
          status: 404,
          type: "text/plain; charset=utf-8",
          body: `only ${Object.keys(routes).join(", ")} are served here\n`,
        }
      : await Promise.resolve()
          .then(route)
          .catch((error: unknown) => ({ status: 500, type: "text/plain; charset=utf-8", body: `${String(error)}\n` }));
  response.writeHead(page.status, { "content-type": page.type }).end(page.body);
}
