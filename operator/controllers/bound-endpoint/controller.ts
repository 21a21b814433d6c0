// BoundEndpoint, the leader's side: claim, the two Services by which workloads come to the forwarders, and the conditions.
// The ports themselves are the forwarders' (controllers/listener).
import { boundBy } from "#api/binding.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { allow } from "#api/rbac.ts";
import { undoBoundEndpoint } from "#drain/undo/bound-endpoint.ts";
import { keyOf, type Ref, refOf, targetOf } from "#kube/kind.ts";
import { Namespace, Pod, Service, type ServiceObject } from "#kube/kinds.ts";
import { isClass } from "#wire/errors.ts";
import { isGeneratedElsewhere } from "../../endpoint/claimed.ts";
import { failureText } from "../../endpoint/conditions.ts";
import {
  type Cached,
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  type Shown,
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
import { checkConnectivity } from "./connectivity.ts";
import { type Checked, listening, type Services, showBoundEndpoint } from "./plan.ts";
import { planService, targetService, upstreamService } from "./services.ts";

const BY_BINDING = "binding";
const BY_TARGET = "target";
const BY_NAMESPACE = "target-namespace";

export const boundEndpointController = defineController<BoundEndpoint>({
  name: "bound-endpoint",
  manager: "api-manager",
  role: "leader",
  kind: BoundEndpoint,
  within: "release",
  when: "bindings",
  concurrency: 8,
  bornClaimed: true,
  indexes: {
    [BY_TARGET]: (endpoint) => targetOfSpec(endpoint).map(keyOf),
    [BY_NAMESPACE]: (endpoint) => targetOfSpec(endpoint).map(({ namespace }) => namespace),
  },
  hears: hearsReplicas,
  watches: [
    watching(
      Service,
      concernedBy,
      {
        [BY_BINDING]: ({ metadata }) =>
          [boundBy(metadata.labels)].flatMap((at) => (at === undefined ? [] : [keyOf(at)])),
      },
      { ignores: "status" },
    ),
    watching(Namespace, ({ metadata }, cached) => cached.by(BoundEndpoint, BY_NAMESPACE, metadata.name).map(refOf)),
    watchingReplicas(BoundEndpoint),
  ],
  rbac: [
    allow(BoundEndpoint, ["get", "list", "watch", "patch"], {
      scope: "release",
      why: "reconciles BoundEndpoints, holds them with a finalizer, and lets them go when bindings are off",
    }),
    allow(BoundEndpoint, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(BoundEndpoint, ["patch"], {
      scope: "release",
      part: "status",
      when: "bindings",
      why: "shows the Services and whether they lead to a forwarder, and takes out what pods have said that are gone",
    }),
    allow(Service, ["get", "list", "watch", "create", "patch", "delete"], {
      when: "bindings",
      why: "makes the two Services of each BoundEndpoint, and takes them away with it",
    }),
    allow(Namespace, ["list", "watch"], {
      scope: "cluster",
      when: "bindings",
      why: "makes a Service that waits for its namespace as soon as that is there",
    }),
    allow(Pod, ["list", "watch"], { scope: "release", why: "knows which forwarders there are" }),
  ],
  serves: (endpoint, around) => !isGeneratedElsewhere(endpoint, around),
  leaves: { fields: ["endpoints", "endpointsSummary", "hashedName", "replicas"], conditions: [] },
  letsGo: true,
  apply,
  cleanup: undoBoundEndpoint,
});

/** A schema that was looser once may have stored an object without a target. */
function targetOfSpec({ spec }: BoundEndpoint): readonly { readonly name: string; readonly namespace: string }[] {
  const { service, namespace }: Partial<BoundEndpoint["spec"]["target"]> = spec.target ?? {};
  return service && namespace ? [{ name: service, namespace }] : [];
}

/** The endpoints whose Service it is, and those that want its name. */
function concernedBy(service: ServiceObject, cached: Cached): readonly Ref[] {
  const owner = boundBy(service.metadata.labels);
  const namesake = cached.get(BoundEndpoint, refOf(service));
  const wanting = cached.by(BoundEndpoint, BY_TARGET, keyOf(refOf(service)));
  return [
    ...(owner === undefined ? [] : [owner]),
    ...(namesake === undefined ? [] : [refOf(namesake)]),
    ...wanting.map(refOf),
  ];
}

/** How long what was found out about the connection counts. */
const REACHED_MS = 600_000;
const NOT_REACHED_MS = 60_000;
/** Where nobody can tell us of a namespace, it is looked for this often. */
const NAMESPACE_MS = 60_000;

async function apply(found: BoundEndpoint, context: Context): Promise<Outcome<BoundEndpoint>> {
  const { options, release, clusterWide } = context;
  if (targetOfSpec(found).length === 0)
    return stop(
      "ServicesNotCreated",
      "spec.target names no Service and no namespace: delete the BoundEndpoint, it is made anew",
    );
  const forwarders = replicasOf("bindings-forwarder", context);
  const endpoint = await withoutGone(BoundEndpoint, found, forwarders, context);
  const place = { clusterDomain: options.clusterDomain, instance: release.name };
  const { services, failure, awaits } = await settleServices(
    endpoint,
    [upstreamService(endpoint, place), targetService(endpoint, place)],
    context,
  );
  const checked = services.problem === undefined ? check(endpoint, context) : undefined;
  const where = replicasCommand("bindings-forwarder", release);
  const shown = showBoundEndpoint(endpoint, { services, checked, forwarders, where });
  tellNews(endpoint, shown, context);
  if (failure !== undefined) return failed(failure, { shown });
  if (services.problem !== undefined) {
    if (awaits === "namespace" && !clusterWide) return wait(NAMESPACE_MS, services.problem, { shown });
    return stop("ServiceCreationFailed", services.problem, { shown });
  }
  return checked === undefined ? done({ shown }) : wait(goodFor(checked), "the connection is tried again", { shown });
}

interface Settled {
  readonly services: Services;
  /** What passes by itself, or a right that is missing: its class decides when to come again. */
  readonly failure?: unknown;
  readonly awaits?: "namespace" | "change";
}

/** What stands in nobody's way is made as wanted; what was made for an earlier spec goes first. */
async function settleServices(
  endpoint: BoundEndpoint,
  [upstream, target]: readonly [ServiceObject, ServiceObject],
  context: Context,
): Promise<Settled> {
  const { cached, writer, signal } = context;
  const refs: Services["refs"] = {};
  try {
    const wanted = new Set([upstream, target].map((one) => keyOf(refOf(one))));
    const made = cached.by(Service, BY_BINDING, keyOf(refOf(endpoint)));
    for (const one of made.filter(
      (each) => !wanted.has(keyOf(refOf(each))) && each.metadata.deletionTimestamp === undefined,
    ))
      await writer.remove(targetOf(Service, one), signal);
  } catch (failure) {
    if (signal.aborted) throw failure;
    return { services: { refs: refsOf(endpoint), problem: failureText(failure) }, failure };
  }
  for (const [code, service] of [
    ["ERR_NGROK_20002", upstream],
    ["ERR_NGROK_20003", target],
  ] as const) {
    try {
      const why = await settleService(service, endpoint, context);
      if (why !== undefined) return { services: { refs, problem: `${code}: ${why}` }, awaits: "change" };
    } catch (failure) {
      if (signal.aborted) throw failure;
      const { namespace = "" } = service.metadata;
      // A creation is refused as "not found" for the namespace alone.
      if (isClass(failure, "gone") && failure.status === 404) {
        const problem = `${code}: namespace ${namespace} is not there: create it, or give the endpoint another host`;
        return { services: { refs, problem }, awaits: "namespace" };
      }
      const problem = `${code}: Service ${keyOf(refOf(service))}: ${failureText(failure)}`;
      return { services: { refs, problem }, failure };
    }
    const { name, namespace = "" } = service.metadata;
    if (service === upstream) refs.upstreamServiceRef = { name };
    else refs.targetServiceRef = { name, namespace };
  }
  return { services: { refs } };
}

function refsOf({ status }: BoundEndpoint): Services["refs"] {
  const { targetServiceRef, upstreamServiceRef } = status ?? {};
  return {
    ...(targetServiceRef === undefined ? {} : { targetServiceRef }),
    ...(upstreamServiceRef === undefined ? {} : { upstreamServiceRef }),
  };
}

/** Returns why nothing can be done about it, a sentence, where it is so. */
async function settleService(
  wanted: ServiceObject,
  endpoint: BoundEndpoint,
  { cached, writer, signal }: Context,
): Promise<string | undefined> {
  const stored = cached.get(Service, refOf(wanted));
  const step = planService(wanted, stored, endpoint);
  if (step.is === "blocked") return step.why;
  if (step.is === "create") await writer.create(Service, wanted, signal);
  if (step.is === "patch" && stored !== undefined)
    await writer.patch(Service, refOf(stored), stored.metadata.uid ?? "", step.operations, signal);
  return undefined;
}

/** Beside the queue: a cluster that does not answer holds up no other endpoint. */
function check(endpoint: BoundEndpoint, context: Context): Checked | undefined {
  const { service, namespace, port } = endpoint.spec.target;
  const to = { host: `${service}.${namespace}`, port };
  return context.beside<Checked>({
    of: [to.host, port, endpoint.spec.port, ...listening(endpoint)].join(" "),
    work: async (signal) => await checkConnectivity(to, context, signal),
    goodFor,
  });
}

function goodFor({ is }: Checked): number {
  return is === "reached" ? REACHED_MS : NOT_REACHED_MS;
}

/** An event for each condition that says something new of what is in the way. */
function tellNews({ status }: BoundEndpoint, { findings }: Shown<BoundEndpoint>, { event }: Context): void {
  for (const { type, status: is, reason, message } of findings) {
    if (type === "Ready" || is === "True") continue;
    if (findCondition(status?.conditions, type)?.message === message) continue;
    event({ type: "Warning", reason, note: message, action: "Reconcile" });
  }
}
