// A port of a Service as a backend names it, and what the Service says about how to speak to it.
import { Service, type ServiceObject, type ServicePort } from "#kube/kinds.ts";
import { annotation, fieldOf, jsonObject, PREFIX } from "./annotations.ts";
import { type Manifests, type Problem, problemOf, type ServiceTarget } from "./model.ts";

export interface ServicePortFound {
  readonly service: ServiceObject;
  readonly port: ServicePort;
}

/** `wanted`: by number or by name. The reason of a problem names the remedy; the caller names object and field. */
export function findServicePort(
  manifests: Manifests,
  at: { readonly namespace: string; readonly name: string },
  wanted: { readonly number?: number | undefined; readonly name?: string | undefined },
): ServicePortFound | { readonly reason: string } {
  const service = manifests.get(Service, at);
  if (service === undefined)
    return { reason: `Service ${at.namespace}/${at.name} does not exist: create it or name another` };
  const ports = service.spec?.ports ?? [];
  if (ports.length === 0) return { reason: `Service ${at.namespace}/${at.name} has no ports: add spec.ports` };
  // A name is only looked for where no number is given: an unnamed port is not "the port that was meant".
  const meant = ports.filter((one) =>
    wanted.number === undefined
      ? wanted.name !== undefined && wanted.name !== "" && one.name === wanted.name
      : one.port === wanted.number,
  );
  // A number may be there twice, for UDP beside it: only TCP is spoken.
  const port = meant.find(isTcp) ?? meant[0];
  if (port !== undefined) return { service, port };
  const there = ports.map((one) => (one.name === undefined ? `${one.port}` : `${one.port} (${one.name})`));
  return {
    reason: `Service ${at.namespace}/${at.name} has no port ${wanted.number ?? JSON.stringify(wanted.name ?? "")}: name one of its own, ${there.join(" or ")}`,
  };
}

export function isTcp({ protocol = "TCP" }: ServicePort): boolean {
  return protocol === "TCP";
}

/** DNS answers for a headless Service with its pods, and knows of no ports: the agents find nobody where these listen. */
export function passedOver({ service, port }: ServicePortFound): Problem | undefined {
  const { clusterIP, ports = [] } = service.spec ?? {};
  const { targetPort } = port;
  if (clusterIP !== "None" || typeof targetPort !== "number" || targetPort === port.port) return undefined;
  const reason = `is passed over, since the Service is headless: the agents reach pods directly, at port ${port.port}: make both the same`;
  return problemOf(Service, service, `spec.ports[${ports.indexOf(port)}].targetPort`, reason, "ignored");
}

type Scheme = ServiceTarget["scheme"];
const SCHEMES: Readonly<Record<string, Scheme>> = { HTTP: "http://", HTTPS: "https://", TCP: "tcp://", TLS: "tls://" };

/** The annotation app-protocols of the Service: JSON from the name of a port to HTTP, HTTPS, TCP or TLS. */
export function upstreamScheme(
  { service, port }: ServicePortFound,
  fallback: Scheme,
): { readonly scheme: Scheme; readonly problem?: Problem } {
  const given = annotation(service, "app-protocols");
  const unsaid = { scheme: fallback, ...(fallback === "http://" && plainly({ service, port })) };
  if (given === undefined) return unsaid;
  const ignored = (reason: string): { scheme: Scheme; problem: Problem } => ({
    scheme: fallback,
    problem: problemOf(Service, service, fieldOf(given), reason, "ignored"),
  });
  const protocols = jsonObject(given.value);
  if (protocols === undefined) return ignored(`is not a JSON object: write one like {"https":"HTTPS"}`);
  const name = port.name ?? "";
  if (!Object.hasOwn(protocols, name)) return unsaid;
  const protocol = protocols[name];
  const scheme = typeof protocol === "string" ? SCHEMES[protocol.toUpperCase()] : undefined;
  if (scheme !== undefined) return { scheme };
  return ignored(`gives port ${name} no protocol that is known: write HTTP, HTTPS, TCP or TLS`);
}

/** What other programs take for TLS. */
const ENCRYPTED = ["https", "kubernetes.io/wss"];

/** A port that asks for TLS in a word that is not read here. */
function plainly({ service, port }: ServicePortFound): { readonly problem: Problem } | undefined {
  const { appProtocol = "", name = "" } = port;
  if (!ENCRYPTED.includes(appProtocol)) return undefined;
  const field = `spec.ports[${(service.spec?.ports ?? []).indexOf(port)}].appProtocol`;
  const wanted = JSON.stringify({ [name]: "HTTPS" });
  const reason = `${appProtocol} is not read, and the agents speak HTTP without TLS to this port: write the annotation ${PREFIX}app-protocols, with ${wanted}`;
  return { problem: problemOf(Service, service, field, reason, "ignored") };
}

const APP_PROTOCOLS: Readonly<Record<string, ServiceTarget["protocol"]>> = {
  "ngrok.com/http2": "http2",
  "k8s.ngrok.com/http2": "http2",
  "kubernetes.io/h2c": "http2",
  http: "http1",
};

/** The HTTP version that the port's `appProtocol` asks for; other values are other programs' words. */
export function upstreamProtocol({ appProtocol }: ServicePort): ServiceTarget["protocol"] {
  return appProtocol !== undefined && Object.hasOwn(APP_PROTOCOLS, appProtocol)
    ? APP_PROTOCOLS[appProtocol]
    : undefined;
}
