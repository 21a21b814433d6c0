// KubernetesOperator: this install as the cluster and ngrok know it. The object is made by an ordinary reconcile of the
// leader, behind the gate, so that a pod that restarts after a drain does not bring it back. Its deletion is the drain's.
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import { allow } from "#api/rbac.ts";
import { refOf } from "#kube/kind.ts";
import { Namespace, Secret } from "#kube/kinds.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { isOurOperator, metadataText } from "#ngrok/metadata.ts";
import type { RemoteOperator } from "#ngrok/operators.ts";
import { KnownError, isClass } from "#wire/errors.ts";
import { noKey } from "../../runtime/key.ts";
import {
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  stop,
  wait,
} from "../../runtime/define-controller.ts";
import { endOf, type Pair, readPair, writePair } from "./certificate.ts";
import {
  desiredOperator,
  hasBindings,
  lookAgainIn,
  operatorToMake,
  planOperator,
  planOwn,
  problemIn,
  renewIn,
  showOperator,
} from "./plan.ts";

export const kubernetesOperatorController = defineController<KubernetesOperator>({
  name: "kubernetes-operator",
  manager: "api-manager",
  role: "leader",
  kind: KubernetesOperator,
  rbac: [
    allow(KubernetesOperator, ["create"], {
      scope: "release",
      when: "operatorIsMade",
      why: "makes the install's own object, where no manifest brings it",
    }),
    allow(KubernetesOperator, ["create"], {
      scope: "release",
      when: "noClusterRights",
      why: "asks by a rehearsal whether its kind stays, when it is deleted",
    }),
    allow(KubernetesOperator, ["get", "list", "watch", "patch"], {
      scope: "release",
      why: "keeps and registers the install's own object",
    }),
    allow(KubernetesOperator, ["patch"], { scope: "release", part: "status", why: "shows the registration" }),
    allow(Secret, ["create"], {
      scope: "release",
      when: "bindings",
      why: "makes the Secret for the key and certificate of endpoint bindings",
    }),
    allow(Secret, ["get", "patch"], {
      scope: "release",
      names: [BINDING_SECRET],
      when: "bindings",
      why: "keeps the key and certificate of endpoint bindings",
    }),
    allow(Namespace, ["get"], {
      scope: "cluster",
      why: "the UID of the release namespace tells this install's registration from another's",
    }),
  ],
  makes: {
    at: ({ name, namespace }) => ({ name, namespace }),
    object: operatorToMake,
  },
  serves: ({ metadata }, { release }) => metadata.name === release.name && metadata.namespace === release.namespace,
  claims: () => true,
  leaves: { fields: ["drain", "underDelete"], conditions: ["Draining", "UninstallReady"] },
  apply,
});

async function apply(operator: KubernetesOperator, context: Context): Promise<Outcome<KubernetesOperator>> {
  const { release, options, writer, signal } = context;
  const operations = planOwn(operator, release, options);
  if (operations.length > 0) {
    await writer.patch(KubernetesOperator, refOf(operator), operator.metadata.uid ?? "", operations, signal);
    // The watch brings the object back with its new generation, of which the status then speaks.
    return done();
  }
  const problem = problemIn(operator.spec);
  if (problem !== undefined)
    return stop("ConfigurationFailed", problem, { shown: showOperator(operator, { is: "misconfigured", problem }) });
  const sent = JSON.stringify(operator.spec);
  // With bindings the certificate has an end, so ngrok is asked each time; that is seldom.
  if (operator.status?.id && context.unchanged(sent) && !hasBindings(operator.spec)) return done({ sent });
  let isAbsent = false;
  try {
    if (context.ngrok === undefined) throw new KnownError("invalid", noKey(context.release), { status: 401 });
    const { id } = operator.status ?? {};
    const recorded = id ? await context.ngrok.operators.find({ id }, context.signal) : undefined;
    isAbsent = recorded === undefined;
    const remote = await register(operator, recorded, context.ngrok, context);
    const told = { shown: showOperator(operator, { is: "registered", remote }), sent };
    if (!hasBindings(operator.spec)) return done(told);
    const ms = lookAgainIn(endOf(remote.binding?.cert), context.clock.date());
    return wait(ms, "the certificate is looked at again", told);
  } catch (error) {
    if (context.signal.aborted) throw error;
    return failed(error, { shown: showOperator(operator, { is: "failed", error, isAbsent }) });
  }
}

async function register(
  operator: KubernetesOperator,
  recorded: RemoteOperator | undefined,
  ngrok: NgrokPort,
  context: Context,
): Promise<RemoteOperator> {
  const { clock, signal } = context;
  const uid = await namespaceUid(operator, context);
  const remote = recorded ?? (await find(operator, uid, ngrok, context));
  if (!hasBindings(operator.spec))
    return await change(desiredOperator(operator, uid, undefined), remote, ngrok, context);
  const stored = await readPair(operator, context, () => ngrok.operators.keyAndRequest());
  const due = renewIn(endOf(remote?.binding?.cert), clock.date()) === 0;
  const pair: Pair = due ? { ...(await ngrok.operators.keyAndRequest()), crt: "" } : stored;
  // What ngrok holds and what the Secret holds may differ after a crash: then ngrok signs again for the key that is there.
  const signed = pair.crt !== "" && pair.crt === remote?.binding?.cert?.cert;
  const after = await change(desiredOperator(operator, uid, signed ? undefined : pair.csr), remote, ngrok, context);
  const crt = after.binding?.cert?.cert;
  if (crt !== undefined && crt !== pair.crt) await writePair(operator, { ...pair, crt }, context);
  signal.throwIfAborted();
  return after;
}

async function change(
  desired: ReturnType<typeof desiredOperator>,
  remote: RemoteOperator | undefined,
  ngrok: NgrokPort,
  context: Context,
): Promise<RemoteOperator> {
  const planned = planOperator(desired, remote);
  if (planned.is !== "none") await context.begin(planned.is);
  return await ngrok.operators.change(planned, context.signal);
}

/** A registration of this release name and namespace whose metadata says that it is this cluster's. */
async function find(
  operator: KubernetesOperator,
  uid: string | undefined,
  ngrok: NgrokPort,
  { signal }: Context,
): Promise<RemoteOperator | undefined> {
  const { name, namespace = "" } = operator.metadata;
  const all = await ngrok.operators.matching({ name, namespace }, signal);
  const ours = all.filter((one) =>
    uid === undefined ? one.metadata === metadataText(operator.spec.metadata) : isOurOperator(one, uid),
  );
  return ours.find((one) => one.metadata !== "") ?? ours[0];
}

/** Undefined when the namespace may not be read: then the registration says nothing of it. */
async function namespaceUid(
  { metadata }: KubernetesOperator,
  { clusterWide, reader, signal }: Context,
): Promise<string | undefined> {
  if (!clusterWide) return undefined;
  try {
    return (await reader.get(Namespace, { name: metadata.namespace ?? "" }, signal))?.metadata.uid;
  } catch (error) {
    if (isClass(error, "invalid")) return undefined;
    throw error;
  }
}
