// /reserved_domains
import { description, listOf, metadata, objectOf, readFields, required, text } from "./body.ts";
import type { Remote } from "./collection.ts";
import { domainInUse, domainReserved, wrongField } from "./errors.ts";
import type { Hosts } from "./hosts.ts";
import { newId, timestamp } from "./ids.ts";
import { resourceOf, type Resource } from "./resource.ts";

interface Domain extends Remote {
  readonly created_at: string;
  description: string;
  metadata: string;
  readonly domain: string;
  readonly region: string;
  readonly cname_target: string | null;
  certificate: { id: string; uri: string } | null;
  readonly certificate_management_policy: { authority: string; private_key_type: string } | null;
  certificate_management_status: { renews_at: string | null; provisioning_job: unknown } | null;
  readonly acme_challenge_cname_target: string | null;
  resolves_to: { value: string }[];
}

const changeable = { description, metadata, resolves_to: listOf(objectOf({ value: text })) };
const creatable = { ...changeable, domain: text, region: text };

const hostName = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
/** Names under these are ngrok's own: it keeps their certificates and DNS. */
const managed = /\.ngrok(-free)?\.(app|dev|pizza|io)$/;

/** `provisioning`: a custom domain has no certificate yet, as it is at ngrok for the first minute or for ever. */
export type Certificates = "issued" | "provisioning";

export function reservedDomains(hosts: Hosts, certificates: Certificates): Resource {
  return resourceOf<Domain>({
    name: "reserved_domains",
    title: "Reserved Domain",
    create(body, base) {
      const fields = readFields(body, creatable);
      const host = required(fields.domain, "domain").toLowerCase();
      if (!hostName.test(host) || host.length > 253) throw wrongField("domain", "it is not a host name");
      if (hosts.isReserved(host)) throw domainReserved(host);
      const domain = newDomain(host, base, certificates);
      hosts.reserve(host, domain);
      domain.description = fields.description ?? "";
      domain.metadata = fields.metadata ?? "";
      domain.resolves_to = valuesOf(fields.resolves_to);
      return domain;
    },
    update(domain, body) {
      const fields = readFields(body, changeable);
      if (fields.resolves_to) domain.resolves_to = valuesOf(fields.resolves_to);
      domain.description = fields.description ?? domain.description;
      domain.metadata = fields.metadata ?? domain.metadata;
    },
    removed(domain) {
      if (hosts.inUse(domain.domain)) throw domainInUse(domain.domain);
      hosts.release(domain.domain);
    },
  });
}

function newDomain(host: string, base: string, certificates: Certificates): Domain {
  const id = newId("rd");
  const own = managed.test(host);
  const issued = certificates === "issued";
  const certificateId = newId("cert");
  return {
    id,
    uri: `${base}/reserved_domains/${id}`,
    created_at: timestamp(),
    description: "",
    metadata: "",
    domain: host,
    region: "",
    cname_target: own ? null : `${id.slice(-17).toLowerCase()}.cname.ngrok.io`,
    certificate: own || !issued ? null : { id: certificateId, uri: `${base}/tls_certificates/${certificateId}` },
    certificate_management_policy: own ? null : { authority: "letsencrypt", private_key_type: "ecdsa" },
    certificate_management_status: own ? null : statusOf(issued),
    acme_challenge_cname_target: host.startsWith("*.") && !own ? `${id.slice(-17).toLowerCase()}.acme.ngrok.io` : null,
    resolves_to: [],
  };
}

const day = 86_400_000;

function statusOf(issued: boolean): { renews_at: string | null; provisioning_job: unknown } {
  if (issued) return { renews_at: timestamp(new Date(Date.now() + 60 * day)), provisioning_job: null };
  const job = { error_code: null, msg: "Managed certificate provisioning in progress.", started_at: timestamp() };
  return { renews_at: null, provisioning_job: { ...job, retries_at: null } };
}

function valuesOf(given: readonly { readonly value?: string | undefined }[] | undefined): { value: string }[] {
  return (given ?? []).map((entry, i) => ({ value: required(entry.value, `resolves_to[${i}].value`) }));
}
