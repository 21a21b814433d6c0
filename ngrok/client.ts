// The way to ngrok's REST API: one client per API key, its ports in our words.
import type { Clock } from "#wire/clock.ts";
import type { Fence } from "#wire/fence.ts";
import { http, type HttpOptions, type HttpRequest } from "#wire/http.ts";
import { KnownError } from "#wire/errors.ts";
import { addresses, type AddressesPort } from "./addresses.ts";
import { caller, type Base, type CallerOptions } from "./call.ts";
import type { Ground } from "./collection.ts";
import { domains, type DomainsPort } from "./domains.ts";
import { endpoints, type EndpointsPort } from "./endpoints.ts";
import { ipPolicies, type IPPoliciesPort } from "./ip-policies.ts";
import { operators, type OperatorsPort } from "./operators.ts";
import { pace, rateOf } from "./pace.ts";

/**
 * ngrok as the drain and the controllers know it. Every method throws KnownError (wire/errors.ts; codes in
 * ngrok/errors.ts), or FenceLost when a write was asked for without the right to write. A creation whose outcome is
 * unknown throws class transient, code "Ambiguous": look the object up before creating it again.
 */
export interface NgrokPort {
  readonly domains: DomainsPort;
  readonly endpoints: EndpointsPort;
  readonly ipPolicies: IPPoliciesPort;
  readonly operators: OperatorsPort;
  readonly addresses: AddressesPort;
  /** Returns when ngrok accepts the API key; else throws (401 and 403 are class invalid). */
  verifyKey(signal: AbortSignal): Promise<void>;
}

export interface NgrokOptions {
  /** Base of the API, default https://api.ngrok.com; http and https, a path is kept. */
  readonly apiUrl?: string | undefined;
  readonly apiKey: string;
  /** E.g. `ngrok-operator/0.1.0`. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Without it the client only reads, until `under` gives it one. */
  readonly fence?: Fence | undefined;
  /** Calls over all ports that start in any 60 seconds at most; without it only ngrok itself slows the client down. */
  readonly callsPerMinute?: number | undefined;
  /** Calls in flight at once, default 32. */
  readonly concurrency?: number;
  /** Milliseconds that one call may take from its first turn on, retries and waits included; default 10,000. */
  readonly timeoutMs?: number;
  /** PEM of the CAs that are trusted instead of Node's own. */
  readonly ca?: NonNullable<HttpOptions["tls"]>["ca"];
  /** From an origin to the proxy that leads there, as whoever reads the environment found it (wire/proxy-from.ts). */
  readonly proxy?: ((origin: string) => string | undefined) | undefined;
  /** For metrics: each call as it ends. */
  readonly observe?: HttpOptions["observe"];
  /** Ends the client: calls in flight end, its connections close. */
  readonly signal: AbortSignal;
}

export interface NgrokClient extends NgrokPort, AsyncDisposable {
  /** The same client, its connections and its pace, with the right to write. */
  under(fence: Fence): NgrokPort;
}

/** Connects to nothing yet. Throws KnownError invalid when the API key or `apiUrl` cannot be used. */
export function connectNgrok(options: NgrokOptions): NgrokClient {
  const { clock, signal, userAgent, callsPerMinute } = options;
  const concurrency = options.concurrency ?? 32;
  const base = baseOf(options.apiUrl);
  const apiKey = usableKey(options.apiKey);
  const proxy = options.proxy?.(base.origin);
  const connection = http({
    origin: base.origin,
    connections: concurrency,
    clock,
    ...(options.ca === undefined ? {} : { tls: { ca: options.ca } }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  });
  // A proxy that cannot be used fails each call with its own words.
  connection.catch(() => undefined);
  const common = {
    send: async (request: HttpRequest) => await (await connection).send(request),
    pace: pace({ clock, concurrency, rate: callsPerMinute === undefined ? undefined : rateOf(callsPerMinute) }),
    timeoutMs: options.timeoutMs ?? 10_000,
    random: Math.random,
    base,
    apiKey,
    userAgent,
    clock,
    signal,
  };
  const close = async () => await (await connection)[Symbol.asyncDispose]();
  signal.addEventListener("abort", () => void close().catch(() => undefined), { once: true });
  return {
    ...ports({ ...common, fence: options.fence }),
    under: (fence) => ports({ ...common, fence }),
    [Symbol.asyncDispose]: close,
  };
}

function ports(options: CallerOptions): NgrokPort {
  const call = caller(options);
  const ground: Ground = { call, clock: options.clock, signal: options.signal };
  return {
    domains: domains(ground),
    endpoints: endpoints(ground),
    ipPolicies: ipPolicies(ground),
    operators: operators(ground),
    addresses: addresses(ground),
    async verifyKey(signal) {
      await call({ method: "GET", path: "/api_keys", query: { limit: "1" }, signal });
    },
  };
}

/** The address as origin and path. */
export function baseOf(apiUrl = "https://api.ngrok.com"): Base {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : undefined;
  const usable = url !== undefined && (url.protocol === "https:" || url.protocol === "http:") && url.host !== "";
  if (!usable || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    // What is there may hold a password: it is not repeated.
    throw new KnownError("invalid", "apiUrl is not an address of ngrok's API", {
      code: "InvalidApiUrl",
      hint: "It looks like https://api.ngrok.com or http://host:port/path, without user, query and fragment.",
    });
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, "") };
}

/** Secrets often end with a newline, which is no part of a key. */
function usableKey(apiKey: string): string {
  const key = apiKey.trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new KnownError("invalid", key === "" ? "there is no ngrok API key" : "the ngrok API key is not one", {
    code: "InvalidApiKey",
    hint: "Put an API key from https://dashboard.ngrok.com/api into the operator's Secret.",
  });
}
