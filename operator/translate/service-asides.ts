// What a LoadBalancer Service asks for and does not get, though it is served: the endpoints are what they always were, and this
// is told beside them. Pure.
import { isInternalHost, parseEndpointUrl } from "#api/names.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { type Problem, problemOf } from "./model.ts";
import type { Policy } from "./policy.ts";
import { fieldOf } from "./annotations.ts";
import { isTcp } from "./service-port.ts";

/** What is served otherwise than it is written. */
export interface Aside {
  /** The reason of the event that says so. */
  readonly event: "FailedToGetMappingStrategy" | "ConfigError";
  readonly problem: Problem;
}

/** On which terms a Service is served. */
interface Terms {
  readonly policy: Policy;
  readonly bindings: readonly string[];
  /** Where it listens; undefined while its address is still to be reserved. */
  readonly url: string | undefined;
}

/** What of a Service is not served on these terms. */
export function unserved(service: ServiceObject, terms: Terms): Aside[] {
  const problems = [openToAll(service, terms), notCarried(service), furtherPorts(service)];
  return problems.flatMap((problem) => (problem === undefined ? [] : [{ event: "ConfigError", problem }]));
}

/** The actions of a policy that turn people away. */
const GUARDS = ["restrict-ips", "deny"];

/** Ranges that let everybody in, whom an open endpoint lets in as well. */
const EVERYBODY = ["0.0.0.0/0", "::/0"];

/** The same in words of before there was the field, for a Service that has none in it: Kubernetes reads both. */
const RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** Ranges that nobody keeps to, unless the policy has something in their place, or there is nobody to keep out. */
function openToAll(service: ServiceObject, terms: Terms): Problem | undefined {
  const inSpec = service.spec?.loadBalancerSourceRanges ?? [];
  const annotated = service.metadata.annotations?.[RANGES_ANNOTATION]
    ?.split(",")
    .filter((range) => range.trim() !== "");
  const ranges = inSpec.length > 0 ? inSpec : (annotated ?? []);
  if (ranges.length === 0 || ranges.some((range) => EVERYBODY.includes(range.trim()))) return undefined;
  if (isGuarded(terms)) return undefined;
  const reason =
    "is not read, everybody may connect: write an NgrokTrafficPolicy with on_tcp_connect (restrict-ips) and name it by ngrok.com/traffic-policy";
  const field = inSpec.length > 0 ? "spec.loadBalancerSourceRanges" : fieldOf({ key: RANGES_ANNOTATION });
  return problemOf(Service, service, field, reason, "ignored");
}

/** Whether not everybody on the internet may connect. */
function isGuarded({ policy, bindings, url }: Terms): boolean {
  const parsed = url === undefined ? undefined : parseEndpointUrl(url);
  const at = parsed !== undefined && "url" in parsed ? parsed.url : undefined;
  if (bindings.some((one) => one !== "public") || isInternalHost(at?.host ?? "")) return true;
  const speaksHttp = at?.scheme === "http" || at?.scheme === "https";
  const rules = [...policy.on_tcp_connect, ...(speaksHttp ? policy.on_http_request : [])];
  return rules.some(({ actions }) => actions.some(({ type }) => GUARDS.includes(type)));
}

/** Agents and ngrok speak TCP, to the number of the first port whatever its protocol. */
function notCarried(service: ServiceObject): Problem | undefined {
  const ports = service.spec?.ports ?? [];
  const at = ports.findIndex((port) => !isTcp(port));
  if (at < 0) return undefined;
  const { port: number, protocol = "" } = ports[at]!;
  const isLost = at === 0 && !ports.some((port) => isTcp(port) && port.port === number);
  const reason = isLost
    ? "and nobody answers at the TCP address that stands for it: put a port of TCP first, or use another class"
    : "and only TCP is: make a Service of another class for it, if it is needed";
  return problemOf(Service, service, `spec.ports[${at}]`, `${protocol} is not carried, ${reason}`, "ignored");
}

/** So many further ports are named: all that is told of a Service has to fit into a note. */
const NAMED_PORTS = 10;

/** One word for all of them: a media server has hundreds. */
function furtherPorts(service: ServiceObject): Problem | undefined {
  const ports = service.spec?.ports ?? [];
  const further = ports.filter((port) => isTcp(port) && port.port !== ports[0]?.port);
  const [next] = further;
  if (next === undefined) return undefined;
  const named = further.slice(0, NAMED_PORTS).map(({ port, name }) => (name ? `${port} (${name})` : `${port}`));
  const more = further.length > named.length ? ` and ${further.length - named.length} more` : "";
  const reason = `only the first port is served, and not ${named.join(", ")}${more}: make a Service of its own for each`;
  return problemOf(Service, service, `spec.ports[${ports.indexOf(next)}]`, reason, "ignored");
}
