// Which endpoints agents have bound, under which URL, and which of them a visitor is passed on to.
import { randomBytes } from "node:crypto";
import { newId } from "../ngrok-api/ids.ts";
import type { BindRequest, Proto } from "./messages.ts";
import { refusals, type Refusal } from "./refusals.ts";
import type { AgentSession } from "./session.ts";

export interface Endpoint extends BindRequest {
  readonly id: string;
  /** E.g. `https://app.example.com`, `tcp://host:1234`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly session: AgentSession;
  /** Whether the agent has heard that it is bound: what comes sooner finds nobody there. */
  heard: boolean;
  /** Streams that the agent has not taken yet. */
  readonly onTheirWay: Set<Promise<void>>;
}

/** Where a host is and what it is asked for: `https`, `app.example.com`. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** What becomes of an endpoint when it is bound or gone; the fronts hang on it. */
export interface EndpointEvents {
  bound(endpoint: Endpoint): void;
  gone(endpoint: Endpoint): void;
}

const defaultPorts = { http: 80, https: 443, tls: 443, tcp: 0 } as const satisfies Record<Proto, number>;

export class Endpoints {
  /** The domain under which endpoints without a wish get their host. */
  readonly #domain: string;
  readonly #events: EndpointEvents;
  readonly #byId = new Map<string, Endpoint>();
  readonly #byHost = new Map<string, Endpoint[]>();
  readonly #turns = new Map<string, number>();

  constructor(domain: string, events: EndpointEvents) {
    this.#domain = domain;
    this.#events = events;
  }

  all(): Endpoint[] {
    return [...this.#byId.values()];
  }

  /**
   * Binds an endpoint of `session`, or says why not. An id from before a reconnection is kept and takes the place of
   * what it was. `tcpPort` is the port that is listened on for it.
   */
  bind(session: AgentSession, request: BindRequest, tcpPort: number): Endpoint | Refusal {
    const place = this.#placeOf(request, tcpPort);
    if (place === undefined) return refusals.place(request.place);
    const url = urlOf(request.proto, place);
    const before = request.id === "" ? undefined : this.#byId.get(request.id);
    const others = this.#at(request.proto, place.host).filter((other) => other.url === url && other !== before);
    if (others.length > 0 && !(request.pooling && others.every(({ pooling }) => pooling))) return refusals.online(url);
    if (before !== undefined && before.session.id !== session.id) return refusals.online(url);
    if (before !== undefined) this.release(before);
    // Agents keep all their listeners in one table by id, whichever edge they come from.
    const id = request.id === "" ? newId("ep") : request.id;
    const endpoint: Endpoint = { ...request, ...place, id, url, session, heard: false, onTheirWay: new Set() };
    this.#byId.set(id, endpoint);
    const key = hostKey(endpoint.proto, endpoint.host);
    this.#byHost.set(key, [...(this.#byHost.get(key) ?? []), endpoint]);
    this.#events.bound(endpoint);
    return endpoint;
  }

  get(id: string): Endpoint | undefined {
    return this.#byId.get(id);
  }

  release(endpoint: Endpoint): void {
    if (this.#byId.get(endpoint.id) !== endpoint) return;
    this.#byId.delete(endpoint.id);
    const key = hostKey(endpoint.proto, endpoint.host);
    const left = this.#at(endpoint.proto, endpoint.host).filter((other) => other !== endpoint);
    if (left.length === 0) this.#byHost.delete(key);
    else this.#byHost.set(key, left);
    this.#events.gone(endpoint);
  }

  releaseAll(session: AgentSession): void {
    for (const endpoint of this.all()) if (endpoint.session === session) this.release(endpoint);
  }

  /**
   * The endpoint that has its turn among those of a host, one on the asked port before one on another: the ports that
   * the edge really listens on say nothing. Sessions without a free stream, and endpoints of which the agent has not
   * heard yet, are passed over while there are others.
   */
  pick(protos: readonly Proto[], host: string, port?: number): Endpoint | undefined {
    for (const proto of protos) {
      const all = this.#at(proto, host);
      const exact = all.filter((endpoint) => endpoint.port === port);
      const pool = exact.length > 0 ? exact : all;
      const free = pool.filter(({ session, heard }) => heard && session.hasRoom);
      const [first] = free.length > 0 ? free : pool;
      if (first === undefined) continue;
      const turn = (this.#turns.get(first.url) ?? 0) + 1;
      this.#turns.set(first.url, turn);
      return free.length > 0 ? free[turn % free.length] : first;
    }
    return undefined;
  }

  #at(proto: Proto, host: string): Endpoint[] {
    return this.#byHost.get(hostKey(proto, host)) ?? [];
  }

  #placeOf({ proto, place }: BindRequest, tcpPort: number): Place | undefined {
    if (place === "") {
      if (proto === "tcp") return { host: this.#domain, port: tcpPort };
      return { host: `${randomBytes(6).toString("hex")}.${this.#domain}`, port: defaultPorts[proto] };
    }
    const parsed = URL.parse(`other://${place}`);
    if (parsed === null || parsed.hostname === "" || `${parsed.pathname}${parsed.search}` !== "") return undefined;
    const port = parsed.port === "" ? defaultPorts[proto] : Number(parsed.port);
    return port === 0 ? undefined : { host: parsed.hostname.toLowerCase(), port };
  }
}

const hostKey = (proto: Proto, host: string) => `${proto}://${host.toLowerCase()}`;

function urlOf(proto: Proto, { host, port }: Place): string {
  return port === defaultPorts[proto] ? `${proto}://${host}` : `${proto}://${host}:${port}`;
}
