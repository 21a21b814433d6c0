// What a LoadBalancer Service asks for and does not get, though it is served: the endpoints are what they always were, and this
// is told beside them. Pure.
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { type Problem, problemOf } from "./model.ts";
import type { Policy } from "./policy.ts";

/** What is served otherwise than it is written. */
export interface Aside {
  /** The reason of the event that says so. */
  readonly event: "FailedToGetMappingStrategy" | "ConfigError";
  readonly problem: Problem;
}

export function asidesOf(event: Aside["event"], problem: Problem | undefined): readonly Aside[] {
  return problem === undefined ? [] : [{ event, problem }];
}

/** The actions of a policy that turn connections away. */
const GUARDS = ["restrict-ips", "deny"];

/** Ranges that nobody keeps to, unless the policy has something in their place. */
export function openToAll(service: ServiceObject, policy: Policy): Problem | undefined {
  const isGuarded = policy.on_tcp_connect.some(({ actions }) => actions.some(({ type }) => GUARDS.includes(type)));
  if ((service.spec?.loadBalancerSourceRanges ?? []).length === 0 || isGuarded) return undefined;
  const reason =
    "is not read, everybody may connect: write an NgrokTrafficPolicy with on_tcp_connect (restrict-ips) and name it by ngrok.com/traffic-policy";
  return problemOf(Service, service, "spec.loadBalancerSourceRanges", reason, "ignored");
}
