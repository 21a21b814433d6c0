// Domain: a host name reserved at ngrok, with its certificate.
import { defineKind } from "./define-kind.ts";
import type { CommonStatus, OwnKind, OwnObject, Schema } from "./define-kind.ts";
import {
  ageColumn,
  column,
  dateTime,
  descriptionSchema,
  list,
  messageColumn,
  metadataSchema,
  object,
  readyColumn,
  reasonColumn,
  statusSchema,
  text,
  API_VERSION,
} from "./schema.ts";
import type { Metadata, ReasonOf } from "./schema.ts";

export interface PointOfPresence {
  value: string;
}

export interface DomainSpec {
  domain: string;
  description?: string;
  metadata?: Metadata;
  /** The default of the schema is Delete. */
  reclaimPolicy?: "Delete" | "Retain";
  resolvesTo?: PointOfPresence[];
  /** Deprecated spelling: `resolvesTo` wins when set. */
  resolves_to?: PointOfPresence[];
}

export interface DomainStatus extends CommonStatus {
  id?: string;
  domain?: string;
  resolvesTo?: PointOfPresence[];
  cnameTarget?: string;
  acmeChallengeCNAMETarget?: string;
  certificate?: { id: string };
  certificateManagementPolicy?: { authority: string; privateKeyType: string };
  certificateManagementStatus?: CertificateManagementStatus;
}

export interface CertificateManagementStatus {
  renewsAt?: string;
  provisioningJob?: { errorCode?: string; message?: string; startedAt?: string; retriesAt?: string };
}

export interface Domain extends OwnObject {
  spec: DomainSpec;
  status?: DomainStatus;
}

export const domainReasons = {
  DomainCreated: ["DomainCreated", "DomainCreationFailed", "DomainInvalid"],
  CertificateReady: ["NgrokManaged", "CertificateReady", "ProvisioningError", "DomainCreationFailed", "DomainInvalid"],
  DNSConfigured: ["NgrokManaged", "DomainCreated", "ProvisioningError", "DomainCreationFailed", "DomainInvalid"],
  Ready: ["DomainActive", "ProvisioningError", "DomainCreationFailed", "DomainInvalid"],
} as const;
export type DomainReason = ReasonOf<typeof domainReasons>;

function pointsOfPresence(description: string): Schema {
  const value = text("A point of presence, such as us, eu or global.");
  return list(description, object("One point of presence.", { value }, ["value"]));
}

const certificateStatus: Schema = object("Where the certificate stands.", {
  renewsAt: dateTime("When ngrok will renew it."),
  provisioningJob: object("The work on a certificate that is not there yet.", {
    errorCode: text("ngrok's code for what is in the way, if anything is."),
    message: text("What is in the way, in a sentence."),
    startedAt: dateTime("When ngrok began."),
    retriesAt: dateTime("When ngrok will try again."),
  }),
});

export const Domain: OwnKind<Domain> = defineKind<Domain>({
  group: "ingress.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "Domain",
  plural: "domains",
  singular: "domain",
  shortNames: [],
  namespaced: true,
  description: "A host name reserved at ngrok, so that endpoints can be served under it.",
  spec: object(
    "The reservation as it should be at ngrok.",
    {
      domain: text("The host name, such as app.example.com; *.example.com reserves a wildcard."),
      description: descriptionSchema("the domain", "Created by ngrok-operator"),
      metadata: metadataSchema("the domain"),
      reclaimPolicy: text(
        "What becomes of the reservation when this object is deleted: Delete gives it back, Retain keeps it at ngrok.",
        { enum: ["Delete", "Retain"], default: "Delete" },
      ),
      resolvesTo: pointsOfPresence(
        "The points of presence that the name resolves to. Unset leaves what is chosen at ngrok; an empty list lets ngrok choose.",
      ),
      resolves_to: pointsOfPresence("Deprecated: write resolvesTo, which wins where both are set."),
    },
    ["domain"],
  ),
  status: statusSchema("the reservation", {
    id: text("The id of the domain at ngrok (rd_...)."),
    domain: text("The host name as ngrok holds it."),
    resolvesTo: pointsOfPresence("The points of presence that the name resolves to."),
    cnameTarget: text("Where your DNS must point for a domain of your own: the value of its CNAME record."),
    acmeChallengeCNAMETarget: text("The value of the CNAME record _acme-challenge, needed for a wildcard of your own."),
    certificate: object("The certificate in use.", { id: text("The id of the certificate at ngrok.") }, ["id"]),
    certificateManagementPolicy: object(
      "How ngrok gets the certificate of a domain of your own.",
      {
        authority: text("The certificate authority that is asked."),
        privateKeyType: text("The kind of the private key, such as ecdsa."),
      },
      ["authority", "privateKeyType"],
    ),
    certificateManagementStatus: certificateStatus,
  }),
  columns: [
    column("ID", ".status.id"),
    column("Domain", ".status.domain"),
    column("Reclaim Policy", ".spec.reclaimPolicy"),
    readyColumn,
    ageColumn,
    column("CNAME Target", ".status.cnameTarget", 2),
    reasonColumn,
    messageColumn,
  ],
  reasons: domainReasons,
});
