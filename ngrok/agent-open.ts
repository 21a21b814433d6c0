// Opens an endpoint on a session: its addresses are read, its upstream is looked up, a bridge is made where the SDK alone is
// not enough, and a listener is bound for each binding; all of it, or nothing stays.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { known, KnownError } from "#wire/errors.ts";
import { type Place, placesOf, type UpstreamAddress, upstreamOf, upstreamUrl } from "./agent-addresses.ts";
import { needsBridge, startBridge } from "./agent-bridge.ts";
import type { AgentSpec, Binding } from "./agent-port.ts";
import { type Bind, type Calls, type Listening, OpenEndpoint } from "./agent-session.ts";
import { code } from "./errors.ts";

const bindings: readonly string[] = ["public", "internal", "kubernetes"] satisfies Binding[];

export interface OpenTold {
  ended(): void;
  closed(one: OpenEndpoint): void;
  /** What costs visitors and does not end the endpoint. */
  trouble(why: string): void;
}

/** One for each binding. */
type Bound = readonly [Listening, ...Listening[]];

/** @param had where it was before. Throws KnownError; then nothing is left open. */
export async function openOn(
  calls: Calls,
  spec: AgentSpec,
  had: string | undefined,
  signal: AbortSignal,
  told: OpenTold,
): Promise<OpenEndpoint> {
  // Of several bindings each has a host of its own, and only one of them is known.
  const places = placesOf(spec.url, spec.bindings.length > 1 ? undefined : had);
  const upstream = upstreamOf(spec.upstream.url);
  check(spec);
  await resolvable(upstream);
  signal.throwIfAborted();
  const bridge = needsBridge(spec, upstream)
    ? await startBridge(spec, upstream, (why) => told.trouble(why))
    : undefined;
  const dialled: UpstreamAddress =
    bridge === undefined ? upstream : { proto: "tcp", host: bridge.host, port: bridge.port };
  const bind = async (at: Place): Promise<Bound> => await bindAll(calls, bindsOf(spec, at, dialled));
  const listening = await firstOf(places, bind).catch((error: unknown) => {
    bridge?.close();
    throw error;
  });
  const opened: OpenEndpoint = new OpenEndpoint(
    calls,
    listening,
    { to: dialled, bridge },
    {
      ended: () => told.ended(),
      closed: () => told.closed(opened),
    },
  );
  return opened;
}

async function firstOf(
  [place, next]: ReturnType<typeof placesOf>,
  bind: (at: Place) => Promise<Bound>,
): Promise<Bound> {
  try {
    return await bind(place);
  } catch (error) {
    // ngrok need not give a host again that nobody has reserved. Without an answer of its the next would have none either.
    if (next === undefined || known(error).code?.startsWith("ERR_NGROK_") !== true) throw error;
    return await bind(next);
  }
}

function bindsOf(spec: AgentSpec, place: Place, to: UpstreamAddress): Bind[] {
  const wanted = spec.bindings.length === 0 ? [undefined] : spec.bindings;
  return wanted.map((binding) => ({
    ...place,
    binding,
    to: upstreamUrl(to),
    upstreamProtocol: spec.upstream.protocol,
    proxyProtocol: spec.upstream.proxyProtocol,
    metadata: spec.metadata,
    trafficPolicy: spec.trafficPolicy,
  }));
}

async function bindAll(calls: Calls, binds: readonly Bind[]): Promise<Bound> {
  const bound: Listening[] = [];
  // Of a call that nobody waits for any more.
  const unwanted = (listening: Listening): void => void listening.close().catch(() => undefined);
  try {
    for (const bind of binds) {
      const what = `open ${bind.proto}://${bind.place}`;
      bound.push(await calls.call(what, async (session) => await session.bind(bind), unwanted));
    }
  } catch (error) {
    for (const one of bound)
      await calls.call("close what was opened", async () => await one.close()).catch(() => unwanted(one));
    throw error;
  }
  return bound as [Listening, ...Listening[]];
}

/** Wrong values of these abort the whole process in the SDK, with all other endpoints. */
function check({ bindings: wanted, upstream }: AgentSpec): void {
  const wrong = wanted.find((one) => !bindings.includes(one));
  const { proxyProtocol, protocol } = upstream;
  if (wrong !== undefined) throw refused("bindings", wrong, "public, internal or kubernetes");
  if (proxyProtocol !== undefined && !["1", "2"].includes(proxyProtocol))
    throw refused("upstream.proxyProtocolVersion", proxyProtocol, "1 or 2");
  if (protocol !== undefined && !["http1", "http2"].includes(protocol))
    throw refused("upstream.protocol", protocol, "http1 or http2");
}

function refused(field: string, value: string, takes: string): KnownError {
  return new KnownError("invalid", `spec.${field} ${JSON.stringify(value)}: write ${takes}`, {
    code: code.configuration,
  });
}

/** A name that DNS says is not there; what DNS cannot say just now is no reason. */
async function resolvable({ host, port }: UpstreamAddress): Promise<void> {
  if (isIP(host) !== 0) return;
  try {
    await lookup(host);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ENOTFOUND") return;
    throw new KnownError("transient", `spec.upstream.url: the host ${host} (port ${port}) is not known to DNS`, {
      code: code.configuration,
      hint: "check the name: a Service is reached as SERVICE.NAMESPACE.svc, and it has to exist",
      cause: error,
    });
  }
}
