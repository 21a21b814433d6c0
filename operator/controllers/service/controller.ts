// Service: a LoadBalancer Service of class ngrok becomes an endpoint at a TCP address of its own, or at the URL that its
// annotation names.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { isOurService } from "#api/classes.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { domainNeed } from "#api/domain-need.ts";
import { Domain } from "#api/domain.ts";
import { distinctDomainName, domainName, parseEndpointUrl } from "#api/names.ts";
import { fails, holds } from "#api/conditions.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { undoService } from "#drain/undo/service.ts";
import { keyOf, type KubeObject, type Ref, refOf, targetOf } from "#kube/kind.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { isClass, known } from "#wire/errors.ts";
import { difference } from "../../endpoint/difference.ts";
import { isClaimed } from "../../endpoint/claimed.ts";
import { legacyEvents } from "../../endpoint/legacy-keys.ts";
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
import { failureEvent } from "../../runtime/events.ts";
import { annotation, readOn } from "../../translate/annotations.ts";
import { byName } from "../../translate/held.ts";
import type { Problem } from "../../translate/model.ts";
import { endpointsFor, judgeService, type Refused } from "../../translate/service.ts";
import { type Listening, record, sentFor, settleListening } from "./listen.ts";
import { keepOne, loadBalancerAt, NOWHERE, ownerUids } from "./plan.ts";
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
  apply: async (service, context) => (isOurService(service) ? await tried(service, context) : done(takenBack(service))),
  letsGo: true,
  cleanup: undoServiceAndEndpoints,
});

/** What is refused on the way is told on the Service: its user sees nothing else of it. */
async function tried(service: ServiceObject, context: Context): Promise<Outcome<ServiceObject>> {
  try {
    return await serve(service, context);
  } catch (error) {
    context.signal.throwIfAborted();
    const failure = known(error);
    const said = { reason: "FailedToBuildEndpoints", note: failure.message, action: "Reconcile" };
    // Where another writer was faster, the next pass sees what there is. What was programmed before is served still.
    if (!isClass(failure, "conflict", "gone")) context.event(failureEvent(failure, said));
    return failed(error);
  }
}

async function serve(service: ServiceObject, context: Context): Promise<Outcome<ServiceObject>> {
  const { verdict, asides } = judgeService(service, byName(context.cached), optionsOf(context));
  for (const { event, problem } of asides) tell(context, event, [problem]);
  if ("reason" in verdict) return refused(service, context, verdict);
  const listening = await settleListening(service, verdict.listen, context);
  if ("error" in listening) {
    const finding = fails(PROGRAMMED, "FailedToReserveTCPAddr", known(listening.error).message);
    if (listening.isAnothers !== true)
      return failed(listening.error, showing(service, undefined, finding, now(context)));
    await settleEndpoint(CloudEndpoint, undefined, service, context);
    await settleEndpoint(AgentEndpoint, undefined, service, context);
    return failed(listening.error, showing(service, NOWHERE, finding, now(context)));
  }
  const wanted = endpointsFor(service, listening.url, verdict);
  const wrote = [
    await settleEndpoint(CloudEndpoint, wanted.cloud, service, context),
    await settleEndpoint(AgentEndpoint, wanted.agent, service, context),
  ].includes(true);
  await leaveAddress(listening, context);
  const note = `its endpoints serve ${listening.url}`;
  if (wrote) context.event({ type: "Normal", reason: "Reconciled", note, action: "Reconcile" });
  const sent = sentFor(service, listening.url);
  if (!context.unchanged(sent)) for (const one of legacyEvents(service, readOn(Service))) context.event(one);
  const loadBalancer = shownAt(service, listening.url, verdict.settings.bindings, context);
  const programmed = holds(
    PROGRAMMED,
    "Reconciled",
    [note, ...asides.map(({ problem }) => said(problem))].join(", but for "),
  );
  return done({ ...showing(service, loadBalancer, programmed, now(context)), sent });
}

function optionsOf({ release, options }: Context): Parameters<typeof judgeService>[2] {
  return {
    managerNamespace: release.namespace,
    managerName: options.managerName,
    clusterDomain: options.clusterDomain,
  };
}

/** Nothing is made, and what there is stays: the user has to act first. */
function refused(service: ServiceObject, context: Context, { reason, problems }: Refused): Outcome<ServiceObject> {
  tell(context, reason, problems);
  const message = problems.map(said).join("; ");
  return stop(reason, message, showing(service, undefined, fails(PROGRAMMED, reason, message), now(context)));
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
  const parsed = parseEndpointUrl(url);
  const isTls = "url" in parsed && parsed.url.scheme === "tls";
  // What only endpoints of the account or of bound clusters reach has no record, and no Domain.
  if (!isTls || need.is !== "domain") return loadBalancerAt(url, undefined);
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

function said({ field, reason }: Problem): string {
  return `${field}: ${reason}`;
}

function tell({ event }: Context, reason: string, problems: readonly Problem[]): void {
  for (const problem of problems) event({ type: "Warning", reason, note: said(problem), action: "Reconcile" });
}
