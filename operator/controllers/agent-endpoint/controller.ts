// AgentEndpoint, the leader's side: claim, Domain, and the conditions, which are made of what each agent says in its own
// entry. The tunnels themselves are the agents' (controllers/tunnel): nobody here waits for one, not even a deletion.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { fails } from "#api/conditions.ts";
import type { DomainNeed } from "#api/domain-need.ts";
import { Domain } from "#api/domain.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Undone } from "#drain/hands.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import { isGeneratedElsewhere } from "../../endpoint/claimed.ts";
import { failureText } from "../../endpoint/conditions.ts";
import {
  BY_HOST,
  domainNames,
  type DomainPart,
  endpointsOn,
  ensureDomain,
  hostsOfDomain,
  hostsOfGenerated,
  momentLeft,
} from "../../endpoint/domain.ts";
import { policyName, policySource, policyText } from "../../endpoint/traffic-policy.ts";
import {
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  stop,
  wait,
  watching,
} from "../../runtime/define-controller.ts";
import {
  hearsReplicas,
  replicasCommand,
  replicasOf,
  watchingReplicas,
  withoutGone,
} from "../../runtime/replica-pods.ts";
import { createdEvents, isNews, needOf, saysMoreSoon, showEndpoint } from "./plan.ts";

export const agentEndpointController = defineController<AgentEndpoint>({
  name: "agent-endpoint",
  manager: "api-manager",
  role: "leader",
  kind: AgentEndpoint,
  concurrency: 16,
  bornClaimed: true,
  indexes: {
    policy: ({ spec, metadata: { namespace } }) => policyName(spec).map((name) => keyOf({ name, namespace })),
    domain: ({ spec, metadata: { namespace } }) =>
      domainNames(spec.url, spec.bindings).map((name) => keyOf({ name, namespace })),
    [BY_HOST]: hostsOfGenerated,
  },
  hears: hearsReplicas,
  watches: [
    watching(Domain, (domain, cached) => endpointsOn(AgentEndpoint, domain, cached), { [BY_HOST]: hostsOfDomain }),
    watching(NgrokTrafficPolicy, (policy, cached) =>
      cached.by(AgentEndpoint, "policy", keyOf(refOf(policy))).map(refOf),
    ),
    watchingReplicas(AgentEndpoint),
  ],
  rbac: [
    allow(AgentEndpoint, ["get", "list", "watch", "patch"], {
      why: "reconciles AgentEndpoints and holds them with a finalizer",
    }),
    allow(AgentEndpoint, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(AgentEndpoint, ["patch"], {
      part: "status",
      why: "sums up what the agents say of each AgentEndpoint, and takes out what pods have said that are gone",
    }),
    allow(Domain, ["get", "list", "watch", "create"], { why: "reserves the host of an endpoint" }),
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads the traffic policies that endpoints name" }),
    allow(Pod, ["list", "watch"], { scope: "release", why: "knows which agents there are" }),
  ],
  serves: (endpoint, around) => !isGeneratedElsewhere(endpoint, around),
  leaves: { fields: ["replicas"], conditions: [] },
  apply,
  // At ngrok there is nothing to unmake: each agent closes its own tunnel as it sees the deletion.
  cleanup: (): Promise<Undone> => Promise.resolve({ remote: "none" }),
});

async function apply(found: AgentEndpoint, context: Context): Promise<Outcome<AgentEndpoint>> {
  const { cached, release } = context;
  const { spec, metadata } = found;
  const source = policySource(spec);
  const policy = policyText(source, metadata.namespace ?? "", cached);
  const need = needOf(spec);
  const agents = replicasOf("agent", context);
  const endpoint = await withoutGone(AgentEndpoint, found, agents, context);
  const { domain, failure } = await domainOf(need, endpoint, context);
  const problem = policy.is === "text" ? undefined : policy.problem;
  const shown = showEndpoint(endpoint, { domain, source, problem, agents, where: replicasCommand("agent", release) });
  const told = shown === undefined ? {} : { shown };
  if (shown !== undefined) for (const event of createdEvents(endpoint, shown, agents)) context.event(event);
  if (failure !== undefined) return failed(failure, told);
  if (need.is === "invalid") return stop("NgrokAPIError", need.problem, told);
  const left = momentLeft(endpoint, context);
  if (policy.is === "text" && left > 0 && saysMoreSoon(endpoint, domain, agents))
    return wait(left, "its Domain or an agent speaks in a moment");
  if (policy.is === "text") return done(told);
  const reason = policy.is === "missing" ? "TrafficPolicyNotFound" : "ConfigError";
  if (shown !== undefined && isNews(endpoint, shown, "TrafficPolicyApplied"))
    context.event({ type: "Warning", reason, note: policy.problem, action: "Reconcile" });
  return stop(reason, policy.problem, told);
}

/** A Domain that cannot be made is said in the condition as well; `failure` decides when it is tried again. */
async function domainOf(
  need: DomainNeed,
  endpoint: AgentEndpoint,
  context: Context,
): Promise<{ readonly domain: DomainPart; readonly failure?: unknown }> {
  try {
    return { domain: await ensureDomain(need, endpoint, context) };
  } catch (failure) {
    if (context.signal.aborted) throw failure;
    const finding = fails("DomainReady", "NgrokAPIError", failureText(failure));
    return { domain: { finding, ref: undefined, untried: false }, failure };
  }
}
