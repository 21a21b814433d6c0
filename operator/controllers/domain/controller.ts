// Domain: a host name reserved at ngrok, and its way to a certificate.
import { findCondition, isTrue } from "#api/conditions.ts";
import { Domain } from "#api/domain.ts";
import { ADOPTED } from "#api/keys.ts";
import { isInternalHost } from "#api/names.ts";
import { allow } from "#api/rbac.ts";
import { undoDomain } from "#drain/undo/domain.ts";
import { refOf } from "#kube/kind.ts";
import { pointerStep } from "#kube/paths.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { DomainBody, RemoteDomain } from "#ngrok/domains.ts";
import { mayExist } from "#ngrok/errors.ts";
import { isOurs } from "#ngrok/metadata.ts";
import { KnownError, known } from "#wire/errors.ts";
import { isGeneratedElsewhere } from "../../endpoint/claimed.ts";
import { NO_KEY } from "../../runtime/key.ts";
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

export const domainController = defineController<Domain>({
  name: "domain",
  manager: "api-manager",
  role: "leader",
  kind: Domain,
  // As many as there are of those that wait for them.
  concurrency: 16,
  bornClaimed: true,
  indexes: { id: ({ status }) => (status?.id === undefined || status.id === "" ? [] : [status.id]) },
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
  cleanup: undoDomain,
});

async function apply(domain: Domain, context: Context): Promise<Outcome<Domain>> {
  if (isInternalHost(domain.spec.domain)) return done({ shown: showInternal() });
  const desired = desiredDomain(domain.spec);
  const sent = JSON.stringify(desired);
  if (context.unchanged(sent) && isTrue(domain.status?.conditions, "Ready"))
    return done({ shown: asShown(domain), sent });
  try {
    if (context.ngrok === undefined) throw new KnownError("invalid", NO_KEY);
    const { remote, adopted } = await findOrReserve(domain, desired, context.ngrok, context);
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
    return failed(error, { shown: showFailure(domain, error) });
  }
}

interface Reserved {
  readonly remote: RemoteDomain;
  /** It was there before us: a drain keeps it, and its description and metadata stay. */
  readonly adopted: boolean;
}

/** A host is unique in an account, so a reservation is simply tried: only a refusal costs a look at what is there. */
async function findOrReserve(
  domain: Domain,
  desired: DomainBody,
  ngrok: NgrokPort,
  context: Context,
): Promise<Reserved> {
  const marked = domain.metadata.annotations?.[ADOPTED] === "true";
  const id = domain.status?.id;
  const known = id ? await ngrok.domains.find({ id }, context.signal) : undefined;
  if (known !== undefined) return { remote: known, adopted: marked };
  await context.begin("create");
  const tried = context.clock.now();
  try {
    return { remote: await ngrok.domains.change({ is: "create", body: desired }, context.signal), adopted: false };
  } catch (error) {
    if (!mayBeTaken(error)) throw error;
    const remote = await ngrok.domains.find({ host: desired.domain, asOf: tried }, context.signal);
    if (remote === undefined) throw error;
    if (marked || isOurOwn(domain, desired, remote, context)) return { remote, adopted: marked };
    await markAdopted(domain, context);
    return { remote, adopted: true };
  }
}

/** Refused because of what is there, or made although the answer got lost. */
function mayBeTaken(error: unknown): boolean {
  const { status, class: errorClass } = known(error);
  if (mayExist(error)) return true;
  return status !== undefined && status < 500 && ![401, 403, 429].includes(status) && errorClass !== "throttled";
}

/** It carries our metadata, and no other Domain of the cluster has it: then an earlier run of ours reserved it for this one. */
function isOurOwn(domain: Domain, desired: DomainBody, remote: RemoteDomain, { cached }: Context): boolean {
  const others = cached.by(Domain, "id", remote.id).filter(({ metadata }) => metadata.uid !== domain.metadata.uid);
  return isOurs(remote, desired.metadata ?? "") && others.length === 0;
}

async function markAdopted(domain: Domain, { writer, signal }: Context): Promise<void> {
  const { annotations, uid = "" } = domain.metadata;
  const path = `/metadata/annotations/${pointerStep(ADOPTED)}`;
  const add = annotations === undefined ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }] : [];
  await writer.patch(Domain, refOf(domain), uid, [...add, { op: "add", path, value: "true" }], signal);
}

function notReadyFor(domain: Domain, { clock }: Context): number {
  const ready = findCondition(domain.status?.conditions, "Ready");
  if (ready === undefined || ready.status === "True") return 0;
  return clock.date().getTime() - Date.parse(ready.lastTransitionTime);
}
