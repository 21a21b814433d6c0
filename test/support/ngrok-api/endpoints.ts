// /endpoints: cloud endpoints, with the rules on URLs that pool and the link to the domain that serves them.
import { description, flag, listOf, metadata, readFields, required, text } from "./body.ts";
import type { Collection, Remote } from "./collection.ts";
import * as refuse from "./errors.ts";
import type { Hosts } from "./hosts.ts";
import { newId, timestamp } from "./ids.ts";
import { Placements, type Wanted } from "./placements.ts";
import { resourceOf, type Resource } from "./resource.ts";
import { checkTrafficPolicy } from "./traffic-policy.ts";
import { bindingOf, placeOf } from "./urls.ts";

interface Endpoint extends Remote {
  region: string;
  readonly created_at: string;
  updated_at: string;
  public_url: string;
  proto: string;
  scheme: string;
  hostport: string;
  host: string;
  port: number;
  readonly type: "cloud";
  metadata: string;
  description: string;
  /** Follows the reservations: a domain that is reserved later serves the endpoint too. */
  readonly domain: { id: string; uri: string } | null;
  readonly tcp_addr: { id: string; uri: string } | null;
  readonly tunnel: null;
  readonly edge: null;
  readonly upstream_url: string;
  readonly upstream_protocol: string;
  url: string;
  readonly principal: { id: string; uri: string };
  traffic_policy: string;
  bindings: string[];
  readonly tunnel_session: null;
  readonly name: string;
  pooling_enabled: boolean;
}

const changeable = {
  url: text,
  traffic_policy: text,
  description,
  metadata,
  bindings: listOf(text),
  pooling_enabled: flag,
};
const creatable = { ...changeable, type: text };

/** What ngrok's other parts need to see of the endpoints. */
export interface Endpoints {
  readonly resource: Resource;
  /** Those with the binding `kubernetes`, which operators list as theirs. */
  readonly bound: Collection<Remote>;
}

export interface EndpointSettings {
  readonly principalId: string;
  /** Refuse a public URL of which nothing is reserved, as ngrok does. */
  readonly demandReservation: boolean;
}

export function endpoints(hosts: Hosts, settings: EndpointSettings): Endpoints {
  const placements = new Placements(hosts, settings.demandReservation);
  const resource = resourceOf<Endpoint>({
    name: "endpoints",
    title: "Endpoint",
    create(body, base) {
      const fields = readFields(body, creatable);
      if (required(fields.type, "type") !== "cloud") throw refuse.wrongField("type", "only 'cloud' can be created");
      if (fields.traffic_policy !== undefined) checkTrafficPolicy(fields.traffic_policy);
      const place = placeOf(required(fields.url, "url"));
      const binding = bindingOf(fields.bindings ?? [], place);
      const wanted = { place, binding, pooling: fields.pooling_enabled ?? false };
      placements.check(wanted);
      const endpoint = newEndpoint(base, hosts, settings.principalId);
      fill(endpoint, wanted);
      endpoint.description = fields.description ?? "";
      endpoint.metadata = fields.metadata ?? "";
      endpoint.traffic_policy = fields.traffic_policy ?? "";
      placements.enter(endpoint, wanted);
      return endpoint;
    },
    update(endpoint, body) {
      const fields = readFields(body, changeable);
      if (fields.traffic_policy !== undefined) checkTrafficPolicy(fields.traffic_policy);
      const place = placeOf(fields.url ?? endpoint.url);
      const binding = bindingOf(fields.bindings ?? (fields.url === undefined ? endpoint.bindings : []), place);
      const wanted = { place, binding, pooling: fields.pooling_enabled ?? endpoint.pooling_enabled };
      placements.check(wanted, endpoint.id);
      placements.leave(endpoint);
      fill(endpoint, wanted);
      placements.enter(endpoint, wanted);
      endpoint.description = fields.description ?? endpoint.description;
      endpoint.metadata = fields.metadata ?? endpoint.metadata;
      endpoint.traffic_policy = fields.traffic_policy ?? endpoint.traffic_policy;
      endpoint.updated_at = timestamp();
    },
    removed: (endpoint) => placements.leave(endpoint),
  });
  return { resource, bound: placements.bound };
}

function newEndpoint(base: string, hosts: Hosts, principalId: string): Endpoint {
  const id = newId("ep");
  const now = timestamp();
  const reservation = (endpoint: Endpoint, scheme: "tcp" | "other") => {
    if ((endpoint.scheme === "tcp" ? "tcp" : "other") !== scheme || !endpoint.bindings.includes("public")) return null;
    const found = hosts.reservationOf(scheme === "tcp" ? endpoint.hostport : endpoint.host);
    return found ? { id: found.id, uri: found.uri } : null;
  };
  return {
    id,
    region: "",
    created_at: now,
    updated_at: now,
    public_url: "",
    proto: "",
    scheme: "",
    hostport: "",
    host: "",
    port: 0,
    type: "cloud",
    metadata: "",
    description: "",
    get domain() {
      return reservation(this, "other");
    },
    get tcp_addr() {
      return reservation(this, "tcp");
    },
    tunnel: null,
    edge: null,
    upstream_url: "",
    upstream_protocol: "",
    url: "",
    principal: { id: principalId, uri: `${base}/users/${principalId}` },
    traffic_policy: "",
    bindings: [],
    tunnel_session: null,
    uri: `${base}/endpoints/${id}`,
    name: "",
    pooling_enabled: false,
  };
}

function fill(endpoint: Endpoint, { place, binding, pooling }: Wanted): void {
  endpoint.url = place.url;
  endpoint.public_url = place.url;
  endpoint.proto = place.scheme;
  endpoint.scheme = place.scheme;
  endpoint.host = place.host;
  endpoint.port = place.port;
  endpoint.hostport = `${place.host}:${place.port}`;
  endpoint.bindings = [binding];
  endpoint.pooling_enabled = pooling;
}
