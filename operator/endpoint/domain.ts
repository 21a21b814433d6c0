// The Domain that an endpoint's host needs: whether it needs one, which object that is, and what its state means for the
// endpoint. Labels are set only on Domains that we create: one that another made stays as it is.
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { fails, findCondition, type Finding, holds } from "#api/conditions.ts";
import type { OwnObject } from "#api/define-kind.ts";
import { type DomainNeed, domainNeed } from "#api/domain-need.ts";
import { Domain } from "#api/domain.ts";
import { controllerLabels, hasAnyControllerLabel, hasControllerLabels } from "#api/keys.ts";
import { distinctDomainName, domainName } from "#api/names.ts";
import type { NamespacedRef } from "#api/schema.ts";
import { keyOf, type Kind, type ObjectMeta, type Ref, refOf } from "#kube/kind.ts";
import { isClass } from "#wire/errors.ts";
import { hasSpec } from "../runtime/cache.ts";
import type { Cached, Context } from "../runtime/define-controller.ts";

type Endpoint = OwnObject & Pick<CloudEndpoint | AgentEndpoint, "spec">;

/** The names that the endpoint's Domain can have, for the index by which a change of it wakes the endpoint. */
export function domainNames(url: string, bindings: readonly string[] | undefined): readonly string[] {
  const need = domainNeed(url, bindings);
  return need.is === "domain" ? [domainName(need.host), distinctDomainName(need.host)] : [];
}

/** Over Domains and, by the host that it needs, over generated endpoints: these may stand on a Domain of another namespace. */
export const BY_HOST = "domain-host";

export function hostsOfDomain({ spec }: Domain): readonly string[] {
  return [spec.domain.toLowerCase()];
}

/** Of what a person wrote none: it has its Domain beside it. */
export function hostsOfGenerated({ spec, metadata }: Endpoint): readonly string[] {
  if (!hasAnyControllerLabel(metadata.labels)) return [];
  const need = domainNeed(spec.url, spec.bindings);
  return need.is === "domain" ? [need.host] : [];
}

/** The endpoints of the kind that a Domain concerns; the kind has both indexes, `domain` by the names of domainNames. */
export function endpointsOn<T extends Endpoint>(kind: Kind<T>, domain: Domain, cached: Cached): readonly Ref[] {
  const afar = (hasSpec(domain) ? hostsOfDomain(domain) : [])
    .flatMap((host) => cached.by(kind, BY_HOST, host))
    .filter(({ metadata }) => metadata.namespace !== domain.metadata.namespace);
  return [...cached.by(kind, "domain", keyOf(refOf(domain))), ...afar].map(refOf);
}

/** What the endpoint shows of its Domain. */
export interface DomainPart {
  /** Condition DomainReady. */
  readonly finding: Finding;
  readonly ref: NamespacedRef | undefined;
  /** Nobody has tried to reserve the host yet: ngrok would refuse an endpoint on it. */
  readonly untried: boolean;
}

/** How long what is just being reserved, or opened, is nothing to tell of: a word of it would be taken back at once. */
const MOMENT_MS = 3_000;

/** What is left, in milliseconds, of the first moment of an object that says nothing yet; 0 when it is over. Pure. */
export function momentLeft({ status }: OwnObject, { clock, metAt }: Pick<Context, "clock" | "metAt">): number {
  return status?.conditions === undefined ? Math.max(0, metAt + MOMENT_MS - clock.now()) : 0;
}

/**
 * Finds the Domain of the host in the endpoint's namespace, or makes it. A generated endpoint of a Service stands where that
 * is, and its host's Domain where the Gateway is: it is the one that counts, a second would reserve the host twice. A Domain
 * that others use is never deleted here.
 */
export async function ensureDomain(need: DomainNeed, { metadata }: OwnObject, context: Context): Promise<DomainPart> {
  if (need.is === "invalid")
    return { finding: fails("DomainReady", "NgrokAPIError", need.problem), ref: undefined, untried: false };
  if (need.is === "none")
    return { finding: holds("DomainReady", "DomainReady", need.why), ref: undefined, untried: false };
  const { namespace = "" } = metadata;
  const domain =
    (isOurs(metadata, context) ? generatedDomain(need.host, namespace, context) : undefined) ??
    (await findOrCreate(need.host, namespace, context));
  return {
    ...domainState(domain),
    ref: { name: domain.metadata.name, namespace: domain.metadata.namespace ?? namespace },
  };
}

/** Pure: what a Domain's status says to the endpoints on its host. */
export function domainState(domain: Domain): { readonly finding: Finding; readonly untried: boolean } {
  const ready = findCondition(domain.status?.conditions, "Ready");
  if (domain.metadata.deletionTimestamp !== undefined) {
    return {
      finding: fails("DomainReady", "DomainNotReady", `Domain ${domain.metadata.name} is being deleted`),
      untried: false,
    };
  }
  if (ready === undefined)
    return { finding: fails("DomainReady", "DomainCreating", "Domain is being created"), untried: true };
  const isReady = ready.status === "True" && domain.status?.id !== undefined && domain.status.id !== "";
  const { reason, message } = ready;
  return {
    finding: isReady ? holds("DomainReady", reason, message) : fails("DomainReady", reason, message),
    untried: false,
  };
}

/** The host's Domain that we generated, be it in another namespace; undefined where the endpoint's own has one. */
function generatedDomain(host: string, namespace: string, context: Context): Domain | undefined {
  const known = context.cached.by(Domain, BY_HOST, host);
  if (known.some(({ metadata }) => metadata.namespace === namespace)) return undefined;
  return known
    .filter(({ metadata }) => isOurs(metadata, context) && metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => (keyOf(refOf(a)) < keyOf(refOf(b)) ? -1 : 1))[0];
}

function isOurs({ labels }: ObjectMeta, { release, options }: Context): boolean {
  return hasControllerLabels(labels, release.namespace, options.managerName);
}

/** Two hosts can share a plain name (a.b.com, a-b.com): who comes second gets a name with a hash. */
async function findOrCreate(host: string, namespace: string, context: Context): Promise<Domain> {
  const { cached, reader, signal } = context;
  for (const name of [domainName(host), distinctDomainName(host)]) {
    const at = { name, namespace };
    const found =
      cached.get(Domain, at) ?? (await createDomain(host, at, context)) ?? (await reader.get(Domain, at, signal));
    if (found !== undefined && hasHost(found, host)) return found;
  }
  throw new Error(
    `Domains ${domainName(host)} and ${distinctDomainName(host)} in ${namespace} belong to other hosts than ${host}: rename or delete one`,
  );
}

/** A Domain may have been stored without a spec. */
function hasHost({ spec }: { readonly spec?: { readonly domain?: string } }, host: string): boolean {
  return spec?.domain?.toLowerCase() === host;
}

/** Undefined when somebody else created an object of this name meanwhile. */
async function createDomain(
  host: string,
  at: { name: string; namespace: string },
  context: Context,
): Promise<Domain | undefined> {
  const { writer, options, release, signal } = context;
  try {
    return await writer.create(
      Domain,
      {
        metadata: { ...at, labels: controllerLabels(release.namespace, options.managerName) },
        spec: { domain: host, reclaimPolicy: options.defaultDomainReclaimPolicy },
      },
      signal,
    );
  } catch (error) {
    if (isClass(error, "conflict")) return undefined;
    throw error;
  }
}
