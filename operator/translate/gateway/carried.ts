// Which route a listener carries whose bytes do not tell two routes apart: the first of those that attach to its place.
import { attach } from "./attach.ts";
import type { GatewayFacts } from "./gateways.ts";
import { asksForHosts, type ListenerFacts } from "./listeners.ts";
import { BYTE_KINDS, routesOf } from "./routes.ts";
import { gatewayKey, nameOf, type View } from "./view.ts";

/** `Kind namespace/name` of the route that has the place of a listener, for each of TCP and TLS where there is one. */
export function carriedBy(view: View, gateway: GatewayFacts): ReadonlyMap<ListenerFacts, string> {
  const only = new Map([[gatewayKey(gateway.gateway), gateway]]);
  const first = new Map<string, string>();
  for (const kind of BYTE_KINDS)
    for (const route of routesOf(view, kind))
      for (const { listeners } of attach(view, kind.kind, route, only).attachments)
        for (const place of listeners.map(placeOf)) if (!first.has(place)) first.set(place, nameOf(kind, route));
  return new Map(
    gateway.listeners.flatMap((one) => {
      const carried = first.get(placeOf(one));
      return carried === undefined ? [] : [[one, carried] as const];
    }),
  );
}

/** ngrok has one endpoint for a host and port: by what is written, listeners of a Gateway that has addresses may share one. */
export function placeOf(one: ListenerFacts): string {
  return asksForHosts(one) ? [one.protocol, one.listener.port, ...one.hosts].join(" ") : one.field;
}

export function taken(listener: string, by: string): string {
  return `listener ${listener} carries ${by} already, and bytes do not tell two routes apart: use another listener`;
}
