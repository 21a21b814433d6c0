// Domain: a host name reserved at ngrok, and its way to a certificate.
import { findCondition, isTrue } from "#api/conditions.ts";
import { Domain } from "#api/domain.ts";
import { ADOPTED, KEPT_WITH } from "#api/keys.ts";
import { isInternalHost } from "#api/names.ts";
import { allow } from "#api/rbac.ts";
import { saidOf } from "#drain/undo/shared-domain.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { DomainBody, RemoteDomain } from "#ngrok/domains.ts";
import { mayBeTaken, mayExist } from "#ngrok/errors.ts";
import { isOurs } from "#ngrok/metadata.ts";
import { KnownError, known } from "#wire/errors.ts";
import { isClaimed, isGeneratedElsewhere, isHeld } from "../../endpoint/claimed.ts";
import { BY_HOST, hostsOfDomain } from "../../endpoint/domain.ts";
import { BY_ID } from "../../endpoint/recorded.ts";
import { noKey } from "../../runtime/key.ts";
import { asShown } from "../../runtime/status.ts";
import {
  type Context,
  defineController,
  done,
  failed,
  type Outcome,
  stop,
  wait,
} from "../../runtime/define-controller.ts";
import {
  desiredDomain,
  lookAgainAfter,
  planDomain,
  showDomain,
  showFailure,
  showInternal,
  showRenamed,
} from "./plan.ts";
import { undoSharedDomain } from "./undo.ts";

export const domainController = defineController<Domain>({
  name: "domain",
  manager: "api-manager",
  role: "leader",
  kind: Domain,
  // As many as there are of those that wait for them.
  concurrency: 16,
  bornClaimed: true,
  indexes: {
    [BY_ID]: ({ status }) => (status?.id === undefined || status.id === "" ? [] : [status.id]),
    [BY_HOST]: hostsOfDomain,
  },
  rbac: [
    allow(Domain, ["get", "list", "watch", "patch"], { why: "reconciles Domains and holds them with a finalizer" }),
    allow(Domain, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(Domain, ["patch"], { part: "status", why: "shows what ngrok says of each Domain" }),
  ],
  serves: (domain, around) => !isGeneratedElsewhere(domain, around),
  claims: ({ spec }) => !isInternalHost(spec.domain),
  apply,
  cleanup: undoSharedDomain,
});

async function apply(domain: Domain, context: Context): Promise<Outcome<Domain>> {
  if (isInternalHost(domain.spec.domain)) return done({ shown: showInternal() });
  const desired = desiredDomain(domain.spec);
  const sent = JSON.stringify(desired);
  if (context.unchanged(sent) && isTrue(domain.status?.conditions, "Ready"))
    return done({ shown: asShown(domain), sent });
  let isAbsent = false;
  try {
    if (context.ngrok === undefined) throw new KnownError("invalid", noKey(context.release));
    const recorded = await findRecorded(domain, desired, context.ngrok, context);
    isAbsent = recorded === undefined;
    const { remote, adopted } = recorded ?? (await reserve(domain, desired, context.ngrok, context));
    if (remote.domain.toLowerCase() !== desired.domain.toLowerCase()) {
      const hint = `spec.domain was changed from ${remote.domain} to ${desired.domain}, and ngrok cannot rename: delete this Domain and create one for ${desired.domain}`;
      return stop("DomainInvalid", hint, { shown: showRenamed(domain, hint) });
    }
    const change = planDomain(desired, remote, adopted);
    if (change.is === "update") await context.begin("update");
    const shown = showDomain(await context.ngrok.domains.change(change, context.signal));
    if (shown.findings.every(({ status }) => status === "True")) return done({ shown, sent });
    return wait(lookAgainAfter(notReadyFor(domain, context)), "ProvisioningError", { shown, sent });
  } catch (error) {
    if (context.signal.aborted) throw error;
    return failed(error, { shown: showFailure(domain, error, isAbsent) });
  }
}

interface Reserved {
  readonly remote: RemoteDomain;
  /** It was there before us: a drain keeps it, and its description and metadata stay. */
  readonly adopted: boolean;
}

async function findRecorded(
  domain: Domain,
  desired: DomainBody,
  ngrok: NgrokPort,
  context: Context,
): Promise<Reserved | undefined> {
  const id = domain.status?.id;
  const remote = id ? await ngrok.domains.find({ id }, context.signal) : undefined;
  if (remote === undefined) return undefined;
  const said = saidOf(domain);
  return { remote, adopted: said === "true" || (said === "doubted" && !isOurOwn(domain, desired, remote, context)) };
}

async function reserve(domain: Domain, desired: DomainBody, ngrok: NgrokPort, context: Context): Promise<Reserved> {
  awaitLeaving(domain, context);
  await context.begin("create");
  const reserved = await createOrFind(domain, desired, ngrok, context);
  await mark(domain, reserved.adopted, context);
  return reserved;
}

/** A host is unique in an account, so a reservation is simply tried: only a refusal costs a look at what is there. */
async function createOrFind(
  domain: Domain,
  desired: DomainBody,
  ngrok: NgrokPort,
  context: Context,
): Promise<Reserved> {
  const tried = context.clock.now();
  try {
    return { remote: await ngrok.domains.change({ is: "create", body: desired }, context.signal), adopted: false };
  } catch (error) {
    if (!mayExist(error) && !mayBeTaken(known(error))) throw error;
    const remote = await ngrok.domains.find({ host: desired.domain, asOf: tried }, context.signal);
    if (remote === undefined) throw error;
    // Beside an id it was said of the reservation of that id, which is gone.
    const said = domain.status?.id ? undefined : saidOf(domain);
    const adopted = said === "true" || (said !== "false" && !isOurOwn(domain, desired, remote, context));
    return { remote, adopted };
  }
}

/**
 * Another Domain of the host is on its way out: what is at ngrok goes with it, or is left to this one, and is not to be taken
 * for ours in between.
 */
function awaitLeaving({ spec }: Domain, { cached, release }: Context): void {
  const leaving = cached
    .by(Domain, BY_HOST, spec.domain.toLowerCase())
    .find((one) => one.metadata.deletionTimestamp !== undefined && isClaimed(one, release));
  if (leaving === undefined) return;
  const message = `Domain ${keyOf(refOf(leaving))} has the same host and is being deleted: it is waited for`;
  throw new KnownError("conflict", message, { code: "Waiting" });
}

/**
 * Another Domain that is held has it, and had not found it there: then it is both's, and the last of them gives it back. Or
 * none has it, and it carries our metadata: then an earlier run of ours reserved it for this one.
 */
function isOurOwn(domain: Domain, desired: DomainBody, remote: RemoteDomain, { cached, release }: Context): boolean {
  const others = cached.by(Domain, BY_ID, remote.id).filter(({ metadata }) => metadata.uid !== domain.metadata.uid);
  if (others.length === 0) return isOurs(remote, desired.metadata ?? "");
  return others.some((one) => isHeld(one, release) && [undefined, "false"].includes(saidOf(one)));
}

/** Notes whose the reservation is. Throws a conflict when somebody has said meanwhile whose it is. */
async function mark(domain: Domain, adopted: boolean, { writer, signal }: Context): Promise<void> {
  const { annotations, uid = "" } = domain.metadata;
  const said = annotations?.[ADOPTED];
  if (adopted === (said === "true")) return;
  const path = `/metadata/annotations/${pointerStep(ADOPTED)}`;
  const operations: JsonPatchOperation[] =
    annotations === undefined
      ? [{ op: "add", path: "/metadata/annotations", value: {} }]
      : [{ op: "test", path, value: said ?? null }];
  operations.push(adopted ? { op: "add", path, value: "true" } : { op: "remove", path });
  if (!adopted && annotations?.[KEPT_WITH] !== undefined)
    operations.push({ op: "remove", path: `/metadata/annotations/${pointerStep(KEPT_WITH)}` });
  await writer.patch(Domain, refOf(domain), uid, operations, signal);
}

function notReadyFor(domain: Domain, { clock }: Context): number {
  const ready = findCondition(domain.status?.conditions, "Ready");
  if (ready === undefined || ready.status === "True") return 0;
  return clock.date().getTime() - Date.parse(ready.lastTransitionTime);
}
