// Service: a LoadBalancer Service of class ngrok becomes an endpoint at a TCP address of its own, or at the URL that its
// annotation names.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { isOurService } from "#api/classes.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { controllerLabels } from "#api/keys.ts";
import { distinctDomainName, domainName, parseEndpointUrl } from "#api/names.ts";
import { fails, holds } from "#api/conditions.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { undoService } from "#drain/undo/service.ts";
import { keyOf, type KubeObject, type Ref, refOf, targetOf } from "#kube/kind.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { known } from "#wire/errors.ts";
import { difference } from "../../endpoint/difference.ts";
import { isClaimed } from "../../endpoint/claimed.ts";
import { domainNeed } from "../../endpoint/domain.ts";
import { legacyEvent } from "../../endpoint/legacy-annotations.ts";
import { now } from "../../endpoint/time.ts";
import {
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  stop,
  watching,
} from "../../runtime/define-controller.ts";
import {
  annotation,
  bindingsOf,
  fieldOf,
  mappingStrategyOf,
  poolingEnabledOf,
  PREFIX,
  trafficPolicyOf,
} from "../../translate/annotations.ts";
import type { Manifests, Problem } from "../../translate/model.ts";
import { EMPTY_POLICY } from "../../translate/policy.ts";
import { type Listening, record, settleListening } from "./listen.ts";
import { endpointsFor, keepOne, listenAt, loadBalancerAt, NOWHERE, ownerUids, type Settings } from "./plan.ts";
import { PROGRAMMED, says, showing, takenBack } from "./shown.ts";
import { undoServiceAndEndpoints } from "./undo.ts";

const BY_POLICY = "service-policy";
const BY_OWNER = "service-owner";
const BY_HOST = "service-host";

export const serviceController = defineController<ServiceObject>({
  name: "service",
  manager: "api-manager",
  role: "leader",
  kind: Service,
  when: "ingress",
  concurrency: 8,
  indexes: {
    [BY_POLICY]: (service) => {
      const name = isOurService(service) ? annotation(service, "traffic-policy")?.value : undefined;
      return name === undefined ? [] : [keyOf({ namespace: service.metadata.namespace, name })];
    },
    [BY_HOST]: (service) => (isOurService(service) ? hostsOf(service) : []),
  },
  watches: [
    watching(NgrokTrafficPolicy, (policy, cached) => cached.by(Service, BY_POLICY, keyOf(refOf(policy))).map(refOf)),
    watching(Domain, ({ spec }, cached) => cached.by(Service, BY_HOST, spec?.domain?.toLowerCase() ?? "").map(refOf)),
    watching(AgentEndpoint, ownersOf, { [BY_OWNER]: ownerUids }),
    watching(CloudEndpoint, ownersOf, { [BY_OWNER]: ownerUids }),
  ],
  rbac: [
    allow(Service, ["get", "list", "watch", "patch"], {
      why: "reads Services, holds those of class ngrok with a finalizer and writes their address down on them",
    }),
    allow(Service, ["patch"], {
      part: "status",
      when: "ingress",
      why: "shows where a LoadBalancer Service is reached",
    }),
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads the traffic policies that Services name" }),
    allow(Domain, ["list", "watch"], { why: "shows the Domain of a Service's host" }),
    ...[AgentEndpoint, CloudEndpoint].map((kind) =>
      allow(kind, ["get", "list", "watch", "create", "patch", "delete"], {
        why: "makes the endpoints of LoadBalancer Services",
      }),
    ),
  ],
  // What was said of a Service that is ours no more is taken back.
  serves: (service, { release }) => isOurService(service) || isClaimed(service, release) || says(service),
  claims: isOurService,
  apply: async (service, context) => (isOurService(service) ? await serve(service, context) : done(takenBack(service))),
  letsGo: true,
  cleanup: undoServiceAndEndpoints,
});

async function serve(service: ServiceObject, context: Context): Promise<Outcome<ServiceObject>> {
  const port = service.spec?.ports?.[0]?.port;
  if (port === undefined)
    return refused(service, context, "NoPorts", [{ field: "spec.ports", reason: "is empty: write the port to serve" }]);
  const { settings, refusals, asides } = settingsOf(service, context);
  tell(context, "FailedToGetMappingStrategy", asides);
  if (settings === undefined) return refused(service, context, "FailedToBuildEndpoints", refusals);
  const url = annotation(service, "url");
  const listen = listenAt(url?.value, annotation(service, "computed-url")?.value);
  if (listen.is === "invalid")
    return refused(service, context, "FailedToGetListenerURL", [
      { field: fieldOf(url ?? { key: `${PREFIX}url` }), reason: listen.problem },
    ]);
  const listening = await settleListening(service, listen, context);
  if ("error" in listening) {
    const finding = fails(PROGRAMMED, "FailedToReserveTCPAddr", known(listening.error).message);
    return failed(listening.error, showing(service, undefined, finding, now(context)));
  }
  const wanted = endpointsFor(service, port, { ...settings, url: listening.url });
  const wrote = [
    await settleEndpoint(CloudEndpoint, wanted.cloud, service, context),
    await settleEndpoint(AgentEndpoint, wanted.agent, service, context),
  ].includes(true);
  await leaveAddress(listening, context);
  const note = `its endpoints serve ${listening.url}`;
  if (wrote) context.event({ type: "Normal", reason: "Reconciled", note, action: "Reconcile" });
  const legacy = legacyEvent(service);
  if (legacy !== undefined && wrote) context.event(legacy);
  const loadBalancer = shownAt(service, listening.url, settings.bindings, context);
  const programmed = holds(PROGRAMMED, "Reconciled", [note, ...asides.map(said)].join(", but for "));
  return done({ ...showing(service, loadBalancer, programmed, now(context)), sent: listening.url });
}

/** What is wrong with one field, and what to write instead. */
type Fault = Pick<Problem, "field" | "reason">;

/** Nothing is made, and what there is stays: the user has to act first. */
function refused(
  service: ServiceObject,
  context: Context,
  reason: string,
  faults: readonly Fault[],
): Outcome<ServiceObject> {
  tell(context, reason, faults);
  const message = faults.map(said).join("; ");
  return stop(reason, message, showing(service, undefined, fails(PROGRAMMED, reason, message), now(context)));
}

interface Said {
  /** undefined when an annotation asks for what is not there. */
  readonly settings: Omit<Settings, "url"> | undefined;
  readonly refusals: readonly Problem[];
  /** What is served otherwise than it is written. */
  readonly asides: readonly Problem[];
}

/** What the annotations say. */
function settingsOf(service: ServiceObject, context: Context): Said {
  const { cached, release, options } = context;
  const manifests: Manifests = { get: (kind, at) => cached.get(kind, at), list: () => [] };
  const strategy = mappingStrategyOf(Service, service);
  const policy = trafficPolicyOf(Service, service, manifests);
  const bindings = bindingsOf(Service, service);
  const refusals = [policy, bindings].flatMap(({ problem }) => problem ?? []);
  const asides = [strategy].flatMap(({ problem }) => problem ?? []);
  if (refusals.length > 0) return { settings: undefined, refusals, asides };
  const settings = {
    strategy: strategy.value,
    bindings: bindings.value,
    policy: policy.value?.policy ?? EMPTY_POLICY,
    poolingEnabled: poolingEnabledOf(service),
    clusterDomain: options.clusterDomain,
    labels: controllerLabels(release.namespace, options.managerName),
  };
  return { settings, refusals, asides };
}

/** Returns whether anything was written. */
async function settleEndpoint<T extends OwnObject & { spec: object }>(
  kind: OwnKind<T>,
  wanted: T | undefined,
  service: ServiceObject,
  { cached, writer, signal }: Context,
): Promise<boolean> {
  const { kept, surplus } = keepOne(cached.by(kind, BY_OWNER, service.metadata.uid ?? ""));
  const unwanted = wanted === undefined && kept !== undefined ? [kept, ...surplus] : surplus;
  for (const one of unwanted) await writer.remove(targetOf(kind, one), signal);
  if (wanted === undefined) return unwanted.length > 0;
  if (kept === undefined) {
    await writer.create(kind, wanted, signal);
    return true;
  }
  const operations = difference(kind, wanted, kept);
  if (operations.length > 0) await writer.patch(kind, refOf(kept), kept.metadata.uid ?? "", operations, signal);
  return operations.length > 0 || unwanted.length > 0;
}

/** The endpoints have moved to a URL of the user's: the address that was reserved before is nobody's any more. */
async function leaveAddress({ service, url, leaves }: Listening, context: Context): Promise<void> {
  if (leaves !== true) return;
  const { reader, writer, ngrok, release, signal } = context;
  await undoService(service, { read: reader, write: writer, ngrok }, release, signal);
  await record(service, url, context);
}

/** A host that needs a DNS record leads to its Domain's target; until that is reserved nobody is told a way. */
function shownAt({ metadata }: ServiceObject, url: string, bindings: readonly string[], { cached }: Context): object {
  const need = domainNeed(url, bindings);
  // What only endpoints of the account or of bound clusters reach has no record, and no Domain.
  if (!url.startsWith("tls://") || need.is !== "domain") return loadBalancerAt(url, undefined);
  const { host } = need;
  const [domain] = [domainName(host), distinctDomainName(host)].flatMap((name) => {
    const found = cached.get(Domain, { name, namespace: metadata.namespace });
    return found?.spec?.domain?.toLowerCase() === host ? [found] : [];
  });
  // Before it is reserved, whether it needs a record of its own is not known: a record to itself would be the wrong one.
  if (!domain?.status?.id) return NOWHERE;
  return loadBalancerAt(url, domain.status.cnameTarget || undefined);
}

function hostsOf(service: ServiceObject): string[] {
  const parsed = parseEndpointUrl(annotation(service, "url")?.value ?? "");
  return "problem" in parsed ? [] : [parsed.url.host];
}

function ownersOf({ metadata }: KubeObject): Ref[] {
  return (metadata.ownerReferences ?? [])
    .filter(({ controller, kind }) => controller === true && kind === "Service")
    .map(({ name }) => ({ name, namespace: metadata.namespace }));
}

function said({ field, reason }: Fault): string {
  return `${field}: ${reason}`;
}

function tell({ event }: Context, reason: string, faults: readonly Fault[]): void {
  for (const fault of faults) event({ type: "Warning", reason, note: said(fault), action: "Reconcile" });
}
