// The tunnel of an AgentEndpoint in one agent: every replica opens its own, and ngrok pools them. Finalizer, Domain and
// conditions are the leader's (agent-endpoint); here is only what this process has open, and its entry in the status.
import { AgentEndpoint, agentFieldManager } from "#api/agent-endpoint.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type Ref, refOf, refOfKey } from "#kube/kind.ts";
import { Secret } from "#kube/kinds.ts";
import type { AgentSpec } from "#ngrok/agent-port.ts";
import { code } from "#ngrok/errors.ts";
import { known } from "#wire/errors.ts";
import { entriesOf } from "../../endpoint/parts.ts";
import { policyName, policySource, policyText } from "../../endpoint/traffic-policy.ts";
import { watching } from "../../runtime/define-controller.ts";
import { defineReplicaController, type ReplicaContext, type ReplicaOutcome } from "../../runtime/define-replica.ts";
import { entryOf, type Problem, problemOf, sameEndpoint, secretNames, type Wanted, wantedOf } from "./plan.ts";
import type { Tunnels } from "./tunnels.ts";

/** A session that comes back within this is no news for a status. */
const SHORT_MS = 5_000;

export const tunnelController = defineReplicaController<AgentEndpoint, Tunnels>({
  name: "tunnel",
  manager: "agent-manager",
  role: "replica",
  kind: AgentEndpoint,
  // ngrok answers one call of a session at a time; more at once is for those that wait for DNS or the API server.
  concurrency: 32,
  indexes: {
    policy: ({ spec, metadata: { namespace } }) => policyName(spec).map((name) => keyOf({ name, namespace })),
    secret: (endpoint) => secretNames(endpoint).map((name) => keyOf({ name, namespace: endpoint.metadata.namespace })),
  },
  watches: [
    watching(
      NgrokTrafficPolicy,
      (policy, cached) => cached.by(AgentEndpoint, "policy", keyOf(refOf(policy))).map(refOf),
      {},
      {
        ignores: "status",
      },
    ),
    watching(
      Secret,
      (secret, cached) => cached.by(AgentEndpoint, "secret", keyOf(refOf(secret))).map(refOf),
      {},
      {
        // Of Helm's there are many, and each holds a whole chart.
        fieldSelector: "type!=helm.sh/release.v1",
        keeps: entriesOf("tls.crt", "tls.key", "ca.crt"),
      },
    ),
  ],
  rbac: [
    allow(AgentEndpoint, ["list", "watch"], { why: "opens a tunnel for each AgentEndpoint, and closes it" }),
    allow(AgentEndpoint, ["patch"], { part: "status", why: "says in its own entry where it serves, or why not" }),
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads the traffic policies that endpoints name" }),
    allow(Secret, ["list", "watch"], { why: "reads the certificates that endpoints name" }),
  ],
  fieldManager: agentFieldManager,
  apply,
  restore,
  close: async (at, { hands }) => await hands.close(keyOf(at)),
  listens: (tunnels, again) => tunnels.onChange((key) => again(key === undefined ? undefined : refOfKey(key))),
});

async function apply(
  endpoint: AgentEndpoint,
  context: ReplicaContext<Tunnels>,
): Promise<ReplicaOutcome<AgentEndpoint>> {
  const { hands } = context;
  const key = keyOf(refOf(endpoint));
  const wanted = wantedBy(endpoint, context);
  if (wanted.is === "problem") {
    const { reason, why } = wanted;
    return await asBefore(key, { is: "stop", reason, hint: why, entry: entryOf(hands.urlOf(key), wanted) }, context);
  }
  const outcome = await open(key, wanted.spec, context, shownBy(endpoint));
  const lost = hands.lostSpec(key);
  if (lost !== undefined && sameEndpoint(lost, wanted.spec)) return outcome;
  return outcome.is === "failed" || outcome.is === "stop" ? await asBefore(key, outcome, context) : outcome;
}

/** What cannot be had leaves serving what was there before, also where a session, or ngrok, has ended that since. */
async function asBefore(
  key: string,
  outcome: ReplicaOutcome<AgentEndpoint>,
  context: ReplicaContext<Tunnels>,
): Promise<ReplicaOutcome<AgentEndpoint>> {
  const { hands } = context;
  const lost = hands.lostSpec(key);
  if (lost === undefined) {
    // Else one bad object would keep the pod from being ready, and with it all others.
    hands.waitNoMore(key);
    return outcome;
  }
  const again = await open(key, lost, context);
  // A session that comes back soon is no news.
  if (again.entry === undefined) return again;
  return { ...(again.is === "done" ? outcome : again), entry: { ...again.entry, ...outcome.entry } };
}

/** A drain ends no tunnel, and no loss of the API server does: what a session took along is opened again on the next. */
async function restore(at: Ref, context: ReplicaContext<Tunnels>): Promise<ReplicaOutcome<AgentEndpoint>> {
  const key = keyOf(at);
  const spec = context.hands.lostSpec(key);
  if (spec !== undefined) return await open(key, spec, context);
  context.hands.waitNoMore(key);
  return { is: "done" };
}

async function open(
  key: string,
  spec: AgentSpec,
  { hands, signal }: ReplicaContext<Tunnels>,
  shown?: string,
): Promise<ReplicaOutcome<AgentEndpoint>> {
  const { state } = hands.agent;
  if (state.is !== "up") return noSession("why" in state ? state.why : "it is being connected");
  const rest = hands.restOf(key, spec);
  if (rest > 0) {
    hands.waitNoMore(key);
    const why = "ngrok ended the endpoint as soon as it was open; it is opened again after a while";
    return { is: "wait", ms: rest, reason: why, entry: said({ is: "problem", reason: "NgrokAPIError", why }) };
  }
  try {
    const opened = await hands.become(key, spec, signal, shown);
    return { is: "done", entry: entryOf(opened.url) };
  } catch (error) {
    if (known(error).code === code.noSession) return noSession(known(error).message);
    const problem = problemOf(error);
    const { reason, why } = problem;
    // Whatever its code: the same policy is refused again.
    if (reason === "TrafficPolicyError") return { is: "stop", reason, hint: why, entry: said(problem) };
    return { is: "failed", error, entry: said(problem) };
  }

  function said(problem: Problem) {
    return entryOf(hands.urlOf(key), problem);
  }

  /** Whoever keeps the session wakes all endpoints when there is one. */
  function noSession(why: string): ReplicaOutcome<AgentEndpoint> {
    hands.wait(key);
    if (hands.downFor < SHORT_MS) return { is: "wait", ms: SHORT_MS, reason: why };
    return { is: "done", entry: said({ is: "problem", reason: "NgrokAPIError", why }) };
  }
}

/** What ngrok has chosen for this very spec: an agent that comes later asks for the same. */
function shownBy({ status, metadata }: AgentEndpoint): string | undefined {
  return status?.observedGeneration === metadata.generation ? status?.assignedURL : undefined;
}

function wantedBy(endpoint: AgentEndpoint, { cached }: ReplicaContext<Tunnels>): Wanted {
  const { namespace = "" } = endpoint.metadata;
  const policy = policyText(policySource(endpoint.spec), namespace, cached);
  return wantedOf(endpoint, policy, (name: Ref["name"]) => cached.get(Secret, { name, namespace }));
}
