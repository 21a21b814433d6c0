// The forwarder's side of a BoundEndpoint: in every replica a port at which pods reach the endpoint. It follows the object,
// the KubernetesOperator and the certificate without a restart; the leader's side is in bound-endpoint.
import { BoundEndpoint, forwarderFieldManager } from "#api/bound-endpoint.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import { allow } from "#api/rbac.ts";
import { keyOf, type KubeObject, type Ref, refOf, refOfKey } from "#kube/kind.ts";
import { Pod, Secret } from "#kube/kinds.ts";
import type { PodIdentity } from "#ngrok/mux-messages.ts";
import { known, KnownError } from "#wire/errors.ts";
import { entriesOf } from "../../endpoint/parts.ts";
import type { Forwarder } from "../../forwarding/forwarder.ts";
import { addressesOf, identityOf, podPart } from "../../forwarding/identity.ts";
import { type Cached, watching } from "../../runtime/define-controller.ts";
import { defineReplicaController, type ReplicaContext, type ReplicaOutcome } from "../../runtime/define-replica.ts";
import { type Entry, entryOf, pairOf, planListener } from "./plan.ts";

const BY_ADDRESS = "address";

export const listenerController = defineReplicaController<BoundEndpoint, Forwarder>({
  name: "listener",
  manager: "bindings-forwarder-manager",
  role: "replica",
  kind: BoundEndpoint,
  within: "release",
  watches: [
    watching(KubernetesOperator, ofTheRelease, {}, { within: "release" }),
    watching(
      Secret,
      ofTheRelease,
      {},
      {
        within: "release",
        fieldSelector: `metadata.name=${BINDING_SECRET}`,
        keeps: entriesOf("tls.crt", "tls.key"),
      },
    ),
    // They wake nobody: who asks is looked up as the connection comes.
    watching(Pod, () => [], { [BY_ADDRESS]: addressesOf }, { within: "cluster", keeps: podPart }),
  ],
  rbac: [
    allow(BoundEndpoint, ["list", "watch"], { scope: "release", why: "knows which ports to listen at" }),
    allow(BoundEndpoint, ["patch"], { scope: "release", part: "status", why: "says in its own entry how that went" }),
    allow(KubernetesOperator, ["list", "watch"], { scope: "release", why: "knows ngrok's binding ingress" }),
    allow(Secret, ["list", "watch"], {
      scope: "release",
      names: [BINDING_SECRET],
      why: "proves who this install is, with the certificate that ngrok signed",
    }),
    allow(Pod, ["list", "watch"], { scope: "cluster", why: "tells ngrok which pod a connection comes from" }),
    allow(Pod, ["list", "watch"], {
      when: "noClusterRights",
      why: "tells ngrok which pod a connection comes from, of those that may be looked at",
    }),
  ],
  fieldManager: forwarderFieldManager,
  apply,
  close: async ({ name, namespace }, { hands }) => {
    await Promise.resolve();
    hands.end(keyOf({ name, namespace }));
  },
  listens: (forwarder, again) =>
    forwarder.onChange((key) => {
      if (key === undefined) again();
      else again(refOfKey(key));
    }),
});

async function apply(
  endpoint: BoundEndpoint,
  context: ReplicaContext<Forwarder>,
): Promise<ReplicaOutcome<BoundEndpoint>> {
  const { hands: forwarder, cached, release } = context;
  const { namespace } = release;
  const key = keyOf(refOf(endpoint));
  const operator = cached.get(KubernetesOperator, { name: release.name, namespace });
  const plan = planListener(endpoint, operator);
  if (plan.is === "rest") {
    forwarder.rest(key);
    const { reason, problem, hint } = plan;
    return {
      is: "stop",
      reason: problem,
      hint,
      entry: told(entryOf(reason, new KnownError("invalid", problem, { hint })), context),
    };
  }
  let unusable: unknown;
  try {
    forwarder.present(pairOf(operator, cached.get(Secret, { name: BINDING_SECRET, namespace })));
  } catch (error) {
    unusable = error;
  }
  if (unusable !== undefined && !forwarder.hasPair) return stopped(unusable, context);
  try {
    await forwarder.serve(key, plan.served, identifying(cached));
  } catch (error) {
    return { is: "failed", error, entry: told(entryOf("PortUnavailable", error), context) };
  }
  if (unusable !== undefined) return stopped(unusable, context);
  const failure = forwarder.failure(key);
  if (failure === undefined) return { is: "done", entry: entryOf("Listening") };
  return { is: "done", entry: told(entryOf("UpgradeFailed", failure), context) };
}

/** Until the Secret changes; what has been open before goes on with the pair before. */
function stopped(error: unknown, context: ReplicaContext<Forwarder>): ReplicaOutcome<BoundEndpoint> {
  const { message, hint = "" } = known(error);
  return { is: "stop", reason: message, hint, entry: told(entryOf("CertificateUnusable", error), context) };
}

/** Trouble is an event as well: people look there first. */
function told(entry: Entry, { event }: ReplicaContext<Forwarder>): Entry {
  const { reason, message: note = reason } = entry;
  event({ type: "Warning", reason, note, action: "Listen" });
  return entry;
}

function identifying(cached: Cached): (address: string) => PodIdentity {
  return (address) => identityOf(address === "" ? [] : cached.by(Pod, BY_ADDRESS, address));
}

/** What concerns the install concerns all of its BoundEndpoints. */
function ofTheRelease(_: KubeObject, cached: Cached): readonly Ref[] {
  return [...cached.all(BoundEndpoint)].map(refOf);
}
