// What a LoadBalancer Service asks for and does not get, though it is served: the endpoints are what they always were, and this
// is told beside them. Pure.
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { type Problem, problemOf } from "./model.ts";
import type { Policy } from "./policy.ts";
import { isTcp } from "./service-port.ts";

/** What is served otherwise than it is written. */
export interface Aside {
  /** The reason of the event that says so. */
  readonly event: "FailedToGetMappingStrategy" | "ConfigError";
  readonly problem: Problem;
}

/** What of a Service is not served under this policy. */
export function unserved(service: ServiceObject, policy: Policy): Aside[] {
  const problems = [openToAll(service, policy), notCarried(service), furtherPorts(service)];
  return problems.flatMap((problem) => (problem === undefined ? [] : [{ event: "ConfigError", problem }]));
}

/** The actions of a policy that turn connections away. */
const GUARDS = ["restrict-ips", "deny"];

/** Ranges that nobody keeps to, unless the policy has something in their place. */
function openToAll(service: ServiceObject, policy: Policy): Problem | undefined {
  const isGuarded = policy.on_tcp_connect.some(({ actions }) => actions.some(({ type }) => GUARDS.includes(type)));
  if ((service.spec?.loadBalancerSourceRanges ?? []).length === 0 || isGuarded) return undefined;
  const reason =
    "is not read, everybody may connect: write an NgrokTrafficPolicy with on_tcp_connect (restrict-ips) and name it by ngrok.com/traffic-policy";
  return problemOf(Service, service, "spec.loadBalancerSourceRanges", reason, "ignored");
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

/** One word for all of them: a media server has hundreds. */
function furtherPorts(service: ServiceObject): Problem | undefined {
  const ports = service.spec?.ports ?? [];
  const further = ports.filter((port) => isTcp(port) && port.port !== ports[0]?.port);
  const [next] = further;
  if (next === undefined) return undefined;
  const names = further.map(({ port, name }) => (name === undefined ? `${port}` : `${port} (${name})`)).join(", ");
  const reason = `only the first port is served, and not ${names}: make a Service of its own for each`;
  return problemOf(Service, service, `spec.ports[${ports.indexOf(next)}]`, reason, "ignored");
}
