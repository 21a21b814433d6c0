// A stand-in for ngrok's REST API over real HTTP: the same wire, state in memory, faults on demand, a ledger of requests.
// It shares nothing with the client that it measures.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { newAccount, type Account } from "./account.ts";
import type { Authority } from "./certificates.ts";
import type { Remote } from "./collection.ts";
import { controlPrefix, serveControl } from "./control.ts";
import type { Certificates } from "./domains.ts";
import { serve, type Hub } from "./exchange.ts";
import { Faults } from "./faults.ts";
import { Keys, type Rights } from "./keys.ts";
import { Ledger, type Entry } from "./ledger.ts";
import { RateLimit } from "./rate-limit.ts";
import type { Resource } from "./resource.ts";

export interface NgrokApiOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The keys that work, all with every right or each with its own. Absent: any key works. */
  readonly keys?: readonly string[] | Readonly<Record<string, Rights>>;
  /** The status for a key that is not known; default 403, which ngrok was seen to answer. */
  readonly wrongKeyStatus?: 401 | 403;
  /** How long each answer takes at least, milliseconds; default 0. */
  readonly latencyMs?: number;
  /** Requests per minute above which it answers 429; default no limit. */
  readonly rate?: number;
  /** Whether custom domains get their certificate at once (default) or never. */
  readonly certificates?: Certificates;
  /** Refuse public endpoints of whose host nothing is reserved (ERR_NGROK_18006), as ngrok does; default false. */
  readonly demandReservation?: boolean;
  /** What operators with a binding get as ingress_endpoint, `host:port`. */
  readonly ingressEndpoint?: string;
  /** How long binding certificates are valid, days; default 90. */
  readonly certificateDays?: number;
  /** Who signs them, to be trusted by another stand-in too; default a new one. */
  readonly authority?: Authority;
  /** How many requests the ledger keeps one by one; default 10,000. */
  readonly ledgerLimit?: number;
  /** Called for every request once it is answered. */
  readonly onRequest?: (entry: Entry) => void;
  /** Monotonic milliseconds, for the rate limit; default performance.now. */
  readonly now?: () => number;
}

export interface NgrokApi extends AsyncDisposable {
  /** E.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly keys: Keys;
  /** Requests so far, e.g. `count("DELETE", "/endpoints", 204)`; the path names a collection, what is absent is any. */
  count(method?: string, path?: string, status?: number): number;
  /** Objects per collection, e.g. `{ endpoints: 3, ... }`. */
  state(): Record<string, number>;
  /** Endpoints, domains, IP policies and addresses together: what is left at ngrok, registrations not counted. */
  remote(): number;
  /** Copies of all objects of a collection, as a GET would show them, oldest first. */
  objects(collection: string): Record<string, unknown>[];
  /** Makes an object without a request; resolves to its id. Rejects with what a POST would be refused with. */
  add(collection: string, body: Record<string, unknown>): Promise<string>;
  /** Sets fields of an object as only ngrok itself could (a certificate that fails, say). */
  edit(collection: string, id: string, fields: Record<string, unknown>): void;
  /** Forgets objects, faults and ledger. */
  reset(): void;
  /** The certificate (PEM) of the authority that signs binding certificates. */
  authority(): Promise<string>;
  close(): Promise<void>;
}

/** Starts the stand-in. Rejects when it cannot listen. */
export async function startNgrokApi(options: NgrokApiOptions = {}): Promise<NgrokApi> {
  let authority: Promise<Authority> | undefined;
  // Loaded on first use: most tests need no certificate.
  const getAuthority = () =>
    (authority ??=
      options.authority === undefined
        ? import("./certificates.ts").then((module) => module.createAuthority(options.certificateDays ?? 90))
        : Promise.resolve(options.authority));
  const fresh = () =>
    newAccount({
      certificates: options.certificates ?? "issued",
      demandReservation: options.demandReservation ?? false,
      ingressEndpoint: options.ingressEndpoint ?? "kubernetes-binding-ingress.ngrok.io:443",
      issue: async (csr) => await (await getAuthority()).issue(csr),
    });
  const hub: Hub = {
    account: fresh(),
    faults: new Faults(),
    ledger: new Ledger(options.ledgerLimit ?? 10_000, options.onRequest),
    keys: new Keys(options.keys, options.wrongKeyStatus ?? 403),
    rate:
      options.rate === undefined ? undefined : new RateLimit(options.rate, options.now ?? (() => performance.now())),
    latencyMs: options.latencyMs ?? 0,
  };
  const { close, port, host } = await listen(options, (request, response) => {
    if (request.url?.startsWith(controlPrefix)) void serveControl(api, request, response);
    else void serve(hub, request, response);
  });
  const api: NgrokApi = {
    url: `http://${host}:${port}`,
    port,
    faults: hub.faults,
    ledger: hub.ledger,
    keys: hub.keys,
    count: (method, path, status) => hub.ledger.count(method, path, status),
    state: () => hub.account.counts(),
    remote: () => hub.account.remote(),
    objects: (collection) => [...resource(hub.account, collection).values()].map((object) => copy(object)),
    add: (collection, body) => add(resource(hub.account, collection), body, api.url),
    edit: (collection, id, fields) => void Object.assign(resource(hub.account, collection).get(id), fields),
    reset() {
      hub.account = fresh();
      hub.faults.clear();
      hub.ledger.clear();
    },
    authority: async () => (await getAuthority()).certificate,
    close,
    [Symbol.asyncDispose]: close,
  };
  return api;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(options: NgrokApiOptions, listener: Listener) {
  const server = createServer(listener);
  // A server that closes an idle connection just as it is used again looks like a fault nobody asked for.
  server.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  const any = address === "0.0.0.0" || address === "::";
  const host = any ? "127.0.0.1" : family === "IPv6" ? `[${address}]` : address;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, host, close };
}

function resource(account: Account, collection: string): Resource {
  const found = account.resources.get(collection.replace(/^\//, ""));
  if (found === undefined)
    throw new Error(`no collection '${collection}'; known: ${[...account.resources.keys()].join(", ")}`);
  return found;
}

async function add(into: Resource, body: Record<string, unknown>, base: string): Promise<string> {
  if (into.create === undefined) throw new Error(`nothing can be added to '${into.name}'`);
  return (await into.create(body, base)).id;
}

function copy(object: Remote): Record<string, unknown> {
  return JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
}
