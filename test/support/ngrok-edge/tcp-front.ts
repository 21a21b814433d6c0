// The edge towards visitors of tcp endpoints: a port of its own for each address that agents have bound.
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Endpoint } from "./endpoints.ts";
import type { Hub } from "./hub.ts";
import { join, openProxy, visitorOf } from "./proxy.ts";

interface Listening {
  readonly server: Server;
  /** The port that is really listened on. */
  readonly port: number;
}

export class TcpFront {
  readonly #hub: Hub;
  readonly #host: string;
  readonly #domain: string;
  /** By URL; a promise, so that two who bind one address at once share its port. */
  readonly #wanted = new Map<string, Promise<Listening>>();
  readonly #open = new Map<string, Listening>();

  constructor(hub: Hub, host: string, domain: string) {
    this.#hub = hub;
    this.#host = host;
    this.#domain = domain;
  }

  /** The port that is really listened on for the URL of a tcp endpoint. */
  port(url: string): number | undefined {
    return this.#open.get(url)?.port;
  }

  /** Listens for the address (`host:port`, empty for any): on that very port when it is free, else on any. */
  async listen(address: string): Promise<number> {
    const { port } = await (address === "" ? this.#listenAnywhere() : this.#shared(`tcp://${address}`));
    return port;
  }

  /** Stops listening unless somebody has the URL; connections that stand go on. */
  tidy(url: string): void {
    if (this.#hub.endpoints.all().some((endpoint) => endpoint.url === url)) return;
    this.#open.get(url)?.server.close();
    this.#open.delete(url);
    this.#wanted.delete(url);
  }

  close(): void {
    for (const { server } of this.#open.values()) server.close();
    this.#open.clear();
  }

  async #shared(url: string): Promise<Listening> {
    const known = this.#wanted.get(url);
    if (known !== undefined) return await known;
    const wished = Number(url.slice(url.lastIndexOf(":") + 1));
    const listening = this.#start(wished).catch(async () => await this.#start(0));
    this.#wanted.set(url, listening);
    return this.#serve(url, await listening);
  }

  async #listenAnywhere(): Promise<Listening> {
    const listening = await this.#start(0);
    return this.#serve(`tcp://${this.#domain}:${listening.port}`, listening);
  }

  async #start(port: number): Promise<Listening> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.#host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  #serve(url: string, listening: Listening): Listening {
    this.#open.set(url, listening);
    const { hostname, port } = new URL(`other${url.slice(url.indexOf("://"))}`);
    listening.server.on("connection", (socket) => {
      socket.on("error", () => socket.destroy());
      const endpoint = this.#hub.endpoints.pick(["tcp"], hostname, Number(port));
      if (endpoint === undefined) socket.destroy();
      else this.#pass(endpoint, socket);
    });
    return listening;
  }

  #pass(endpoint: Endpoint, socket: Socket): void {
    try {
      join(socket, openProxy(this.#hub, endpoint, visitorOf(socket)));
    } catch {
      socket.destroy();
    }
  }
}
