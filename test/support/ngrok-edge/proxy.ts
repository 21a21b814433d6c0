// A visitor's bytes on their way through an agent: one stream per connection, begun by a header that names the endpoint.
import type { Duplex } from "node:stream";
import { streamType } from "./calls.ts";
import type { Endpoint } from "./endpoints.ts";
import { word } from "./frames.ts";
import type { Hub } from "./hub.ts";
import type { MuxStream } from "./mux-stream.ts";
import { proxyHeader, type Address } from "./proxy-protocol.ts";

/** Who comes and by which of the edge's addresses. */
export interface Visitor {
  readonly from: Address;
  readonly to: Address;
}

/** The kind of endpoint by the agent's count, which it wants as a string. */
const edgeTypes = { http: "3", https: "3", tcp: "1", tls: "2" } as const;

/** Opens a stream for one connection of a visitor. Throws when the agent cannot take it. */
export function openProxy(hub: Hub, endpoint: Endpoint, visitor: Visitor): MuxStream {
  const { id, url, proto, session, proxyProto, opts } = endpoint;
  const effect = hub.faults.take("proxy", `${id} ${url}`);
  if (effect?.kind === "refuse") throw new Error(effect.message);
  if (effect?.kind === "drop") session.drop();
  if (!session.hasRoom) throw new Error("the agent has no stream left");
  const stream = session.openStream();
  const { taken } = stream;
  endpoint.onTheirWay.add(taken);
  void taken.then(() => endpoint.onTheirWay.delete(taken));
  const { host, port } = visitor.from;
  const header = {
    Id: id,
    ClientAddr: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    Proto: proto,
    EdgeType: edgeTypes[proto],
    PassthroughTLS: proto === "tls" && opts["TLSTermination"] === null,
  };
  const json = effect?.kind === "garbage" ? Buffer.from('{"Id":7') : Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigInt64LE(BigInt(json.length));
  const own = proxyProto === 1 || proxyProto === 2 ? [proxyHeader(proxyProto, visitor.from, visitor.to)] : [];
  if (effect?.kind === "hang" || effect?.kind === "latency") stream.hold();
  if (effect?.kind === "latency") void hub.clock.sleep(effect.ms).then(() => stream.release());
  stream.write(Buffer.concat([word(streamType.proxyFromEdge), length, json, ...own]));
  hub.journal.add({ kind: "proxied", endpoint: id, url });
  return stream;
}

/** Passes bytes both ways, ends of one direction too; when one side breaks, so does the other. */
export function join(one: Duplex, other: Duplex): void {
  for (const [a, b] of [
    [one, other],
    [other, one],
  ] as const) {
    a.on("error", () => a.destroy());
    a.on("close", () => {
      if (!a.readableEnded || !b.writableFinished) b.destroy();
    });
    a.pipe(b);
  }
}

export function visitorOf(socket: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
}): Visitor {
  return {
    from: addressOf(socket.remoteAddress, socket.remotePort),
    to: addressOf(socket.localAddress, socket.localPort),
  };
}

function addressOf(host = "0.0.0.0", port = 0): Address {
  return { host: host.replace(/^::ffff:/, ""), port };
}
