// A stand-in for ngrok's edge: agents connect to it with the unmodified SDK, and what visitors send to its public ports
// reaches the agents' upstreams. It executes no traffic policy and shares nothing with the client that it measures.
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as tlsServer } from "node:tls";
import { parse } from "yaml";
import { systemClock, type Clock } from "#wire/clock.ts";
import { newId } from "../ngrok-api/ids.ts";
import { edgeAuthority, type KeyPair } from "./certificates.ts";
import { Endpoints, type Endpoint } from "./endpoints.ts";
import { EdgeFaults } from "./faults.ts";
import { HttpFront } from "./http-front.ts";
import type { Hub } from "./hub.ts";
import { Journal, type EdgeEvent } from "./journal.ts";
import type { BindRequest } from "./messages.ts";
import { refusals, type Refusal } from "./refusals.ts";
import { AgentSession } from "./session.ts";
import { TcpFront } from "./tcp-front.ts";
import { tlsFront } from "./tls-front.ts";

export interface NgrokEdgeOptions {
  /** Where all its ports listen; default 127.0.0.1. */
  readonly host?: string;
  /** For agents; default 0, any free port. */
  readonly port?: number;
  /** For visitors over HTTP without TLS; default any. */
  readonly httpPort?: number;
  /** For visitors with TLS: https and tls endpoints; default any. */
  readonly tlsPort?: number;
  /** Names and addresses by which agents know it; default localhost and 127.0.0.1. */
  readonly names?: readonly string[];
  /** An authority from before; default a new one. */
  readonly authority?: KeyPair;
  /** Those that are let in; default any but none. */
  readonly authtokens?: readonly string[];
  /** Hosts of endpoints without a wish are under it; default `edge.localhost`. */
  readonly domain?: string;
  /** One more reason to refuse an endpoint, a host that nobody reserved for instance. */
  readonly mayBind?: (request: BindRequest) => Refusal | undefined;
  /** Called for everything that happens. */
  readonly onEvent?: (event: EdgeEvent) => void;
  /** For heartbeats and latencies; default the machine's. */
  readonly clock?: Clock;
}

export interface NgrokEdge extends AsyncDisposable {
  /** What an agent is given as its server address, e.g. `localhost:40123`. */
  readonly serverAddr: string;
  readonly port: number;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** The certificate of its authority, PEM. */
  readonly ca: string;
  /** The authority with its key, for `authority` of a later one. */
  readonly authority: KeyPair;
  readonly faults: EdgeFaults;
  readonly journal: Journal;
  /** Agents that have authenticated and are connected, in that order. */
  sessions(): AgentSession[];
  /** What is bound. */
  endpoints(): Endpoint[];
  /** The port that is really listened on for a tcp endpoint's URL; undefined when it is not bound. */
  tcpPort(url: string): number | undefined;
  /** Resets all agents and refuses new ones. */
  goDown(): Promise<void>;
  /** Listens again on the same port. Agents that were lost more than three seconds ago come after two minutes. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Starts an edge. Rejects when it cannot listen. */
export async function startNgrokEdge(options: NgrokEdgeOptions = {}): Promise<NgrokEdge> {
  const { host = "127.0.0.1", domain = "edge.localhost", names = [] } = options;
  const authority = await edgeAuthority(options.authority);
  const leaf = await authority.issue(["localhost", "127.0.0.1", ...names]);
  const sessions = new Set<AgentSession>();
  const hub = newHub(options, sessions, domain, host);
  const agents = tlsServer({ ...leaf, noDelay: true }, (socket) => {
    hub.journal.add({ kind: "connected", from: `${socket.remoteAddress}:${socket.remotePort}` });
    sessions.add(new AgentSession(socket, sockets.under(socket), hub));
  });
  agents.on("tlsClientError", (error) => hub.journal.add({ kind: "garbled", from: error.message }));
  const visitors = tlsFront(hub, hub.http, authority, leaf);
  const sockets = new Sockets([agents, visitors, hub.http.http1]);
  const close = async () => {
    for (const session of sessions) session.close();
    hub.tcp.close();
    await sockets.close();
  };
  const listening = async (server: Server, wished = 0) =>
    await listen(server, host, wished).catch(async (error: unknown) => {
      await close();
      throw error;
    });
  const port = await listening(agents, options.port);
  const httpPort = await listening(hub.http.http1, options.httpPort);
  const tlsPort = await listening(visitors, options.tlsPort);
  const goDown = async () => {
    const closed = new Promise((resolve) => agents.close(resolve));
    for (const session of sessions) session.drop();
    sockets.destroy(agents);
    await closed;
  };
  return {
    serverAddr: `${names[0] ?? "localhost"}:${port}`,
    port,
    httpPort,
    tlsPort,
    ca: authority.cert,
    authority: { cert: authority.cert, key: authority.key },
    faults: hub.faults,
    journal: hub.journal,
    sessions: () => [...sessions].filter(({ auth }) => auth !== undefined),
    endpoints: () => hub.endpoints.all(),
    tcpPort: (url) => hub.tcp.port(url),
    goDown,
    comeBack: async () => void (await listen(agents, host, port)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface WholeHub extends Hub {
  readonly http: HttpFront;
  readonly tcp: TcpFront;
}

function newHub(options: NgrokEdgeOptions, sessions: Set<AgentSession>, domain: string, host: string): WholeHub {
  const journal = new Journal(options.onEvent);
  const said = (kind: "bound" | "unbound", { id, url, session }: Endpoint) =>
    journal.add({ kind, session: session.id, endpoint: id, url });
  const endpoints = new Endpoints(domain, {
    bound: (endpoint) => said("bound", endpoint),
    gone: (endpoint) => {
      hub.http.gone(endpoint);
      hub.tcp.tidy(endpoint.url);
      said("unbound", endpoint);
    },
  });
  const hub: WholeHub = {
    clock: options.clock ?? systemClock,
    faults: new EdgeFaults(),
    journal,
    endpoints,
    authtokens: options.authtokens === undefined ? undefined : new Set(options.authtokens),
    admit(session, clientId) {
      // The connection that it had before is dead, whether or not the edge has seen that.
      for (const other of sessions) if (clientId !== "" && other.id === clientId) other.drop();
      const id = clientId === "" ? newId("as") : clientId;
      journal.add({ kind: "authenticated", session: id });
      return id;
    },
    async bind(session, request) {
      const refusal = policyFault(request.trafficPolicy) ?? options.mayBind?.(request);
      if (refusal !== undefined) return refusal;
      const port = request.proto === "tcp" ? await hub.tcp.listen(request.place) : 0;
      const made = endpoints.bind(session, request, port);
      if ("message" in made && request.proto === "tcp") hub.tcp.tidy(`tcp://${request.place || `${domain}:${port}`}`);
      return made;
    },
    lost(session, why) {
      endpoints.releaseAll(session);
      sessions.delete(session);
      if (session.id !== "") journal.add({ kind: "lost", session: session.id, why });
    },
    get http() {
      return http;
    },
    get tcp() {
      return tcp;
    },
  };
  const http = new HttpFront(hub);
  const tcp = new TcpFront(hub, host, domain);
  return hub;
}

/** A policy must at least be an object, in JSON or YAML; what it says is not executed. */
function policyFault(policy: string): Refusal | undefined {
  if (policy === "") return undefined;
  try {
    const value: unknown = parse(policy);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? undefined
      : refusals.policy("it is not an object");
  } catch {
    return refusals.policy("it is neither JSON nor YAML");
  }
}

/** The open connections of servers, to be ended with them. */
class Sockets {
  readonly #servers: readonly Server[];
  readonly #sockets = new Map<Socket, Server>();

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
    for (const server of servers) {
      server.on("connection", (socket: Socket) => {
        this.#sockets.set(socket, server);
        socket.on("close", () => this.#sockets.delete(socket));
      });
    }
  }

  /** The TCP connection that a connection with TLS runs over. */
  under(secure: Socket): Socket | undefined {
    return [...this.#sockets.keys()].find(
      ({ remotePort, localPort }) => remotePort === secure.remotePort && localPort === secure.localPort,
    );
  }

  destroy(of: Server): void {
    for (const [socket, server] of this.#sockets) if (server === of) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await Promise.all(closed);
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
