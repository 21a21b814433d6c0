// What a Domain should be at ngrok, what has to be done for it, and how ngrok's answer reads in its status. Pure.
import type { Finding } from "#api/conditions.ts";
import type { CertificateManagementStatus, Domain, DomainSpec, DomainReason } from "#api/domain.ts";
import { ADOPTED } from "#api/keys.ts";
import { metadataText } from "#api/metadata.ts";
import type { Change } from "#ngrok/change.ts";
import type { DomainBody, DomainPatch, RemoteDomain } from "#ngrok/domains.ts";
import { mayExist } from "#ngrok/errors.ts";
import { creationFailed, failureText, finding } from "../../endpoint/conditions.ts";
import type { Shown } from "../../runtime/define-controller.ts";

const { holds, fails } = finding<DomainReason>();

export type DomainChange = Change<RemoteDomain, DomainBody, DomainPatch>;

export function desiredDomain(spec: DomainSpec): DomainBody {
  return {
    domain: spec.domain,
    description: spec.description ?? "",
    metadata: metadataText(spec.metadata),
    resolvesTo: spec.resolvesTo ?? spec.resolves_to,
  };
}

/**
 * An adopted reservation keeps its description and metadata: they tell whose it is, and ours on it would make it look
 * like one that a drain may delete.
 */
export function planDomain(desired: DomainBody, remote: RemoteDomain, adopted: boolean): DomainChange {
  const wanted = desired.resolvesTo;
  const sameResolution = wanted === undefined || values(wanted) === values(remote.resolvesTo);
  const patch: DomainPatch = {
    ...(adopted || desired.description === remote.description ? {} : { description: desired.description }),
    ...(adopted || desired.metadata === remote.metadata ? {} : { metadata: desired.metadata }),
    ...(sameResolution ? {} : { resolvesTo: wanted }),
  };
  return Object.keys(patch).length === 0 ? { is: "none", remote } : { is: "update", id: remote.id, patch };
}

function values(points: readonly { readonly value: string }[]): string {
  return points.map(({ value }) => value).join(",");
}

/** Milliseconds until a Domain that is not ready is looked at again: DNS and certificates take minutes to days. */
export function lookAgainAfter(notReadyForMs: number): number {
  return Math.min(600_000, Math.max(30_000, Math.round(notReadyForMs / 2)));
}

export function showDomain(remote: RemoteDomain): Shown<Domain> {
  const { certificate, certificateManagementPolicy, certificateManagementStatus } = remote;
  return {
    fields: {
      id: remote.id,
      domain: remote.domain,
      ...(remote.resolvesTo.length === 0 ? {} : { resolvesTo: remote.resolvesTo.map(({ value }) => ({ value })) }),
      ...(remote.cnameTarget === undefined ? {} : { cnameTarget: remote.cnameTarget }),
      ...(remote.acmeChallengeCNAMETarget === undefined
        ? {}
        : { acmeChallengeCNAMETarget: remote.acmeChallengeCNAMETarget }),
      ...(certificate === undefined ? {} : { certificate: { id: certificate.id } }),
      ...(certificateManagementPolicy === undefined ? {} : { certificateManagementPolicy }),
      ...(certificateManagementStatus === undefined
        ? {}
        : { certificateManagementStatus: withoutUndefined(certificateManagementStatus) }),
    },
    findings: findingsOf(remote),
  };
}

/** ngrok's shape and the CRD's are the same but for fields that are there and undefined. */
function withoutUndefined(
  status: NonNullable<RemoteDomain["certificateManagementStatus"]>,
): CertificateManagementStatus {
  const { renewsAt, provisioningJob: job } = status;
  const said = Object.entries(job ?? {}).filter(([, value]) => value !== undefined);
  return {
    ...(renewsAt === undefined ? {} : { renewsAt }),
    ...(job === undefined ? {} : { provisioningJob: Object.fromEntries(said) }),
  };
}

function findingsOf(remote: RemoteDomain): readonly Finding[] {
  if (remote.id === "") return all("DomainInvalid", "Domain could not be reserved");
  const created = holds("DomainCreated", "DomainCreated", "Domain successfully reserved");
  const active = holds("Ready", "DomainActive", "Domain ready for use");
  if (remote.certificateManagementPolicy === undefined) {
    return [
      created,
      holds("CertificateReady", "NgrokManaged", "Certificate managed by ngrok"),
      holds("DNSConfigured", "NgrokManaged", "DNS managed by ngrok"),
      active,
    ];
  }
  if (remote.certificate !== undefined) {
    return [
      created,
      holds("CertificateReady", "CertificateReady", "Certificate provisioned successfully"),
      holds("DNSConfigured", "DomainCreated", "DNS records configured"),
      active,
    ];
  }
  const message = provisioningMessage(remote);
  return [
    created,
    ...["CertificateReady", "DNSConfigured", "Ready"].map((type) => fails(type, "ProvisioningError", message)),
  ];
}

function provisioningMessage({ certificateManagementStatus }: RemoteDomain): string {
  const job = certificateManagementStatus?.provisioningJob;
  const said = [job?.errorCode, job?.message].filter((part) => part !== undefined && part !== "").join(" ");
  const started = job?.startedAt === undefined ? "" : ` Started at ${job.startedAt}`;
  const retries = job?.retriesAt === undefined ? "" : ` Retries at ${job.retriesAt}`;
  return `${said === "" ? "Certificate provisioning in progress" : said}${started}${retries}`;
}

/**
 * What was known before stays, and each condition says why there is nothing newer. Nothing stays of a reservation that ngrok
 * has no more where another may have been made: it is looked for by its host. But a Domain of which something was said keeps
 * the old id: beside it that is said of the one that is gone, and without it would be of what is there now.
 */
export function showFailure(
  { status, metadata }: Pick<Domain, "status" | "metadata">,
  error: unknown,
  isAbsent: boolean,
): Shown<Domain> {
  const created = creationFailed("DomainCreated", "DomainCreationFailed", error);
  const rest = ["CertificateReady", "DNSConfigured", "Ready"].map((type) =>
    fails(type, "DomainCreationFailed", failureText(error)),
  );
  const isGone = isAbsent && mayExist(error) && metadata.annotations?.[ADOPTED] === undefined;
  return { fields: isGone ? {} : fieldsOf(status), findings: [created, ...rest] };
}

/** Reserved under another name: ngrok cannot rename, and giving the old name back is not ours to decide. */
export function showRenamed({ status }: Pick<Domain, "status">, hint: string): Shown<Domain> {
  return { fields: fieldsOf(status), findings: all("DomainInvalid", hint) };
}

export const INTERNAL_NOTE =
  "Domains ending in .internal do not need to be reserved: endpoints can use the name as it is, and this object can be deleted";

export function showInternal(): Shown<Domain> {
  return { fields: {}, findings: all("DomainCreationFailed", INTERNAL_NOTE) };
}

function all(reason: DomainReason, message: string): readonly Finding[] {
  return ["DomainCreated", "CertificateReady", "DNSConfigured", "Ready"].map((type) => fails(type, reason, message));
}

function fieldsOf(status: Domain["status"]): Shown<Domain>["fields"] {
  const { conditions: _, observedGeneration: __, ...fields } = status ?? {};
  return fields;
}
