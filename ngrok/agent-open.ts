// Opens an endpoint on a session: its addresses are read, its upstream is looked up, a bridge is made where the SDK alone is
// not enough, and a listener is bound for each binding; all of it, or nothing stays.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { KnownError } from "#wire/errors.ts";
import { placeOf, type UpstreamAddress, upstreamOf, upstreamUrl } from "./agent-addresses.ts";
import { type Bridge, needsBridge, startBridge } from "./agent-bridge.ts";
import type { AgentSpec, Binding } from "./agent-port.ts";
import { type Bind, type Calls, type Listening, OpenEndpoint } from "./agent-session.ts";
import { code } from "./errors.ts";

const bindings: readonly string[] = ["public", "internal", "kubernetes"] satisfies Binding[];

export interface OpenTold {
  ended(): void;
  closed(one: OpenEndpoint): void;
}

/** Throws KnownError; then nothing is left open. */
export async function openOn(
  calls: Calls,
  spec: AgentSpec,
  signal: AbortSignal,
  told: OpenTold,
): Promise<OpenEndpoint> {
  const place = placeOf(spec.url);
  const upstream = upstreamOf(spec.upstream.url);
  check(spec);
  await resolvable(upstream);
  signal.throwIfAborted();
  const bridge = needsBridge(spec, upstream) ? await startBridge(spec, upstream) : undefined;
  const dialled: UpstreamAddress =
    bridge === undefined ? upstream : { proto: "tcp", host: "127.0.0.1", port: bridge.port };
  const wanted = spec.bindings.length === 0 ? [undefined] : spec.bindings;
  const binds = wanted.map((binding): Bind => ({
    ...place,
    binding,
    to: upstreamUrl(dialled),
    upstreamProtocol: spec.upstream.protocol,
    proxyProtocol: spec.upstream.proxyProtocol,
    metadata: spec.metadata,
    trafficPolicy: spec.trafficPolicy,
  }));
  const listening = await bindAll(calls, binds, bridge);
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

async function bindAll(
  calls: Calls,
  binds: readonly Bind[],
  bridge: Bridge | undefined,
): Promise<[Listening, ...Listening[]]> {
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
    bridge?.close();
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
