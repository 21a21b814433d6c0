// Reserved domains at ngrok: find, change, remove.
import { child, maybe, object, text, type Fields } from "./answer.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { collection, type Ground, type Shape } from "./collection.ts";

export interface RemoteDomain {
  readonly id: string;
  readonly uri: string;
  /** The host name, a wildcard with its leading `*.`. */
  readonly domain: string;
  readonly description: string;
  readonly metadata: string;
  /** Points of presence; empty when ngrok decides. */
  readonly resolvesTo: readonly PointOfPresence[];
  readonly cnameTarget?: string | undefined;
  readonly acmeChallengeCNAMETarget?: string | undefined;
  readonly certificate?: { readonly id: string } | undefined;
  /** Absent when ngrok manages certificate and DNS by itself. */
  readonly certificateManagementPolicy?: { readonly authority: string; readonly privateKeyType: string } | undefined;
  readonly certificateManagementStatus?: CertificateManagementStatus | undefined;
}

export interface PointOfPresence {
  readonly value: string;
}

/** Times are RFC 3339, as ngrok sent them. */
export interface CertificateManagementStatus {
  readonly renewsAt?: string | undefined;
  readonly provisioningJob?: ProvisioningJob | undefined;
}

export interface ProvisioningJob {
  readonly errorCode?: string | undefined;
  readonly message?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly retriesAt?: string | undefined;
}

export interface DomainPatch {
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
  readonly resolvesTo?: readonly PointOfPresence[] | undefined;
}

export interface DomainBody extends DomainPatch {
  readonly domain: string;
}

export interface DomainsPort {
  /**
   * By id when there is one; without an id, or when the id is not there any more, by host name (unique in an account).
   * Whether to adopt what the host name found is the caller's decision: compare `id` and metadata (`isOurs`).
   */
  find(
    by: { readonly id?: string | undefined; readonly host?: string | undefined } & Freshness,
    signal: AbortSignal,
  ): Promise<RemoteDomain | undefined>;
  change(change: Change<RemoteDomain, DomainBody, DomainPatch>, signal: AbortSignal): Promise<RemoteDomain>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
}

/** The port over a client's calls. */
export function domains(ground: Ground): DomainsPort {
  const at = collection(ground, shape);
  return {
    async find({ id, host, asOf }, signal) {
      const known = id === undefined || id === "" ? undefined : await at.find(id, signal);
      if (known !== undefined || host === undefined) return known;
      return (await at.matching(host.toLowerCase(), { asOf }, signal))[0];
    },
    change: at.change,
    remove: at.remove,
  };
}

const shape: Shape<RemoteDomain, DomainBody, DomainPatch> = {
  path: "/reserved_domains",
  field: "reserved_domains",
  keys: ({ domain }) => [domain.toLowerCase()],
  create: (body) => ({ domain: body.domain, ...patch(body) }),
  update: patch,
  read: (of, id) => ({
    id,
    uri: text(of, "uri"),
    domain: text(of, "domain"),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
    resolvesTo: points(of["resolves_to"]),
    cnameTarget: maybe(of, "cname_target"),
    acmeChallengeCNAMETarget: maybe(of, "acme_challenge_cname_target"),
    certificate: certificate(child(of, "certificate")),
    certificateManagementPolicy: policy(child(of, "certificate_management_policy")),
    certificateManagementStatus: management(child(of, "certificate_management_status")),
  }),
};

function patch({ description, metadata, resolvesTo }: DomainPatch): object {
  return { description, metadata, resolves_to: resolvesTo };
}

function points(list: unknown): readonly PointOfPresence[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: unknown) => ({ value: text(object(entry, "resolves_to"), "value") }));
}

function certificate(of: Fields | undefined): RemoteDomain["certificate"] {
  const id = of === undefined ? undefined : maybe(of, "id");
  return id === undefined ? undefined : { id };
}

function policy(of: Fields | undefined): RemoteDomain["certificateManagementPolicy"] {
  return of && { authority: text(of, "authority"), privateKeyType: text(of, "private_key_type") };
}

function management(of: Fields | undefined): CertificateManagementStatus | undefined {
  if (of === undefined) return undefined;
  const job = child(of, "provisioning_job");
  return {
    renewsAt: maybe(of, "renews_at"),
    provisioningJob: job && {
      errorCode: maybe(job, "error_code"),
      message: maybe(job, "msg"),
      startedAt: maybe(job, "started_at"),
      retriesAt: maybe(job, "retries_at"),
    },
  };
}
