// ngrok's agent SDK behind our port; nothing else knows it. Importing this file loads the native library, so only programs do.
import { type Listener, type Session as SdkSession, SessionBuilder } from "@ngrok/ngrok";
import { agentError, withoutToken } from "./agent-errors.ts";
import { authoritiesOf, type RootCAs, trustedBy } from "./roots.ts";
import type { Bind, Connect, Listening, Session, SessionEvents } from "./agent-session.ts";
import type { WayOut } from "./agent-way-out.ts";

/** Where the SDK finds ngrok when nobody says otherwise. */
const NGROK_EDGE = "connect.ngrok-agent.com:443";

const HEARTBEAT = { interval: 10, tolerance: 15 };
/** What comes as late is this machine's own slowness. */
const SLACK_MS = 5_000;

export interface AgentConnection {
  readonly authtoken: string;
  /** `host:port`; "" for ngrok's own. */
  readonly serverAddr: string;
  readonly roots: RootCAs;
  /** Authorities beside those, each a PEM text. */
  readonly extraRoots: readonly string[];
  readonly client: { readonly name: string; readonly version: string; readonly comment: string };
  /** From an origin to the proxy that leads there, as whoever reads the environment found it (wire/proxy-from.ts). */
  readonly proxy?: (origin: string) => string | undefined;
  /** Whole seconds; default 10 and 15. */
  readonly heartbeat?: { readonly interval: number; readonly tolerance: number };
}

/** How to connect with these settings. */
export function agentConnect(to: AgentConnection): Connect {
  return async (events) => {
    let way: WayOut | undefined;
    const heart = heartOf(to, events);
    try {
      way = await wayOut(to);
      return sessionOf(await builderOf(to, events, way, heart).connect(), heart);
    } catch (error) {
      heart.stop();
      way?.close();
      throw agentError(error, `connect to ngrok${to.serverAddr === "" ? "" : ` at ${to.serverAddr}`}`, to.authtoken);
    }
  };
}

/** Undefined where no proxy leads to the edge: the SDK connects by itself. */
async function wayOut({ serverAddr, proxy, roots, extraRoots }: AgentConnection): Promise<WayOut | undefined> {
  const edge = URL.parse(`https://${serverAddr === "" ? NGROK_EDGE : serverAddr}`);
  const through = edge === null ? undefined : proxy?.(edge.origin);
  if (edge === null || through === undefined) return undefined;
  // Few have a proxy, and what makes certificates takes memory.
  const { wayThrough } = await import("./agent-way-out.ts");
  const authorities = authoritiesOf(roots, extraRoots);
  return await wayThrough(through, { host: edge.hostname, port: Number(edge.port || 443), authorities });
}

interface Heart {
  beats(): void;
  stop(): void;
}

/** A garbage frame ends the SDK's own beating, and nobody is told: a heart of which nothing is heard is one without an answer. */
function heartOf({ heartbeat = HEARTBEAT }: AgentConnection, events: SessionEvents): Heart {
  const withinMs = (heartbeat.interval + heartbeat.tolerance) * 1000 + SLACK_MS;
  let late: NodeJS.Timeout | undefined;
  let isOver = false;
  const stop = (): void => clearTimeout(late);
  return {
    beats() {
      stop();
      if (!isOver) late = setTimeout(() => events.silent(), withinMs).unref();
    },
    stop() {
      isOver = true;
      stop();
    },
  };
}

function builderOf(to: AgentConnection, events: SessionEvents, way: WayOut | undefined, heart: Heart): SessionBuilder {
  const builder = new SessionBuilder().authtoken(to.authtoken);
  const { name, version, comment } = to.client;
  builder.clientInfo(name, version, comment);
  const { interval, tolerance } = to.heartbeat ?? HEARTBEAT;
  builder.heartbeatInterval(interval).heartbeatTolerance(tolerance);
  const serverAddr = way?.serverAddr ?? to.serverAddr;
  if (serverAddr !== "") builder.serverAddr(serverAddr);
  const trusted = way?.ca ?? trustedBy(to.roots, to.extraRoots);
  if (trusted !== undefined) builder.caCert(Buffer.from(trusted));
  else if (to.roots === "host") builder.rootCas("host");
  // The SDK would wait two minutes after its third try: a new session is there sooner.
  builder.handleDisconnection((_address, error) => {
    heart.stop();
    events.lost(withoutToken(error, to.authtoken));
    return false;
  });
  builder.handleHeartbeat((latency: number | null) => {
    heart.beats();
    if (latency === null) events.silent();
  });
  builder.handleStopCommand(() => events.commanded("stop"));
  builder.handleRestartCommand(() => events.commanded("restart"));
  return builder;
}

function sessionOf(session: SdkSession, heart: Heart): Session {
  heart.beats();
  return {
    bind: async (bind) => listeningOf(await bound(session, bind)),
    async close() {
      heart.stop();
      await session.close();
    },
  };
}

async function bound(session: SdkSession, bind: Bind): Promise<Listener> {
  const { proto, place, to } = bind;
  if (proto === "tcp") {
    const builder = session.tcpEndpoint();
    if (place !== "") builder.remoteAddr(place);
    return await withShared(builder, bind).listenAndForward(to);
  }
  if (proto === "tls") {
    const builder = session.tlsEndpoint();
    if (place !== "") builder.domain(place);
    return await withShared(builder, bind).listenAndForward(to);
  }
  const builder = session.httpEndpoint().scheme(proto === "http" ? "HTTP" : "HTTPS");
  if (place !== "") builder.domain(place);
  if (bind.upstreamProtocol !== undefined) builder.appProtocol(bind.upstreamProtocol);
  return await withShared(builder, bind).listenAndForward(to);
}

type Builder = ReturnType<SdkSession["httpEndpoint"] | SdkSession["tcpEndpoint"] | SdkSession["tlsEndpoint"]>;

function withShared<B extends Builder>(builder: B, bind: Bind): B {
  builder.poolingEnabled(true);
  // As ngrok's operator has always done: upstreams are Services, whose certificates nobody made for that.
  builder.verifyUpstreamTls(false);
  if (bind.metadata !== "") builder.metadata(bind.metadata);
  if (bind.trafficPolicy !== "") builder.trafficPolicy(bind.trafficPolicy);
  if (bind.binding !== undefined) builder.binding(bind.binding);
  if (bind.proxyProtocol !== undefined) builder.proxyProto(bind.proxyProtocol);
  return builder;
}

function listeningOf(listener: Listener): Listening {
  return {
    url: listener.url() ?? "",
    ended: listener.join().then(
      () => "it was closed",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    ),
    close: async () => await listener.close(),
  };
}
