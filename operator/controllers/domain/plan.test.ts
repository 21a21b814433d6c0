// What a Domain asks of ngrok, and how ngrok's answer reads.
import { describe, expect, test } from "vitest";
import type { DomainSpec } from "#api/domain.ts";
import { ADOPTED } from "#api/keys.ts";
import type { RemoteDomain } from "#ngrok/domains.ts";
import { aDomain } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import type { Shown } from "../../runtime/define-controller.ts";
import { desiredDomain, lookAgainAfter, planDomain, showDomain, showFailure } from "./plan.ts";

const spec: DomainSpec = { domain: "shop.example.com", description: "d", metadata: "m" };
const remote: RemoteDomain = {
  id: "rd_1",
  uri: "",
  domain: "shop.example.com",
  description: "d",
  metadata: "m",
  resolvesTo: [],
};

describe("planDomain", () => {
  const table: readonly [string, Partial<DomainSpec>, Partial<RemoteDomain>, boolean, object][] = [
    ["nothing differs", {}, {}, false, { is: "none", remote }],
    [
      "no point of presence is named: ngrok's stay",
      {},
      { resolvesTo: [{ value: "eu" }] },
      false,
      { is: "none", remote: { ...remote, resolvesTo: [{ value: "eu" }] } },
    ],
    [
      "the words differ",
      { description: "e" },
      { metadata: "n" },
      false,
      { is: "update", id: "rd_1", patch: { description: "e", metadata: "m" } },
    ],
    [
      "the points differ",
      { resolvesTo: [{ value: "us" }] },
      {},
      false,
      { is: "update", id: "rd_1", patch: { resolvesTo: [{ value: "us" }] } },
    ],
    [
      "an empty list takes the points off",
      { resolvesTo: [] },
      { resolvesTo: [{ value: "eu" }] },
      false,
      { is: "update", id: "rd_1", patch: { resolvesTo: [] } },
    ],
    [
      "the old spelling counts where the new one is not set",
      { resolves_to: [{ value: "us" }] },
      {},
      false,
      { is: "update", id: "rd_1", patch: { resolvesTo: [{ value: "us" }] } },
    ],
    [
      "the new spelling wins",
      { resolvesTo: [{ value: "eu" }], resolves_to: [{ value: "us" }] },
      {},
      false,
      { is: "update", id: "rd_1", patch: { resolvesTo: [{ value: "eu" }] } },
    ],
    [
      "a stranger's keeps its words",
      { description: "e", resolvesTo: [{ value: "eu" }] },
      { metadata: "theirs" },
      true,
      { is: "update", id: "rd_1", patch: { resolvesTo: [{ value: "eu" }] } },
    ],
  ];
  test.for(table)("%s", ([, change, there, adopted, plan], { expect }) => {
    expect(planDomain(desiredDomain({ ...spec, ...change }), { ...remote, ...there }, adopted)).toEqual(plan);
  });
});

function words({ findings }: Shown<never>): Record<string, string> {
  return Object.fromEntries(findings.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

describe("showDomain", () => {
  const policy = { authority: "letsencrypt", privateKeyType: "ecdsa" };
  const job = {
    errorCode: "DNS_ERROR",
    message: "no CNAME",
    startedAt: "2026-01-01T00:00:00Z",
    retriesAt: "2026-01-01T01:00:00Z",
  };

  test("a name of ngrok's own is ready at once", () => {
    expect(words(showDomain(remote) as Shown<never>)).toEqual({
      DomainCreated: "True DomainCreated",
      CertificateReady: "True NgrokManaged",
      DNSConfigured: "True NgrokManaged",
      Ready: "True DomainActive",
    });
  });

  test("a name of the user's is ready with its certificate", () => {
    const shown = showDomain({ ...remote, certificateManagementPolicy: policy, certificate: { id: "cert_1" } });
    expect(words(shown as Shown<never>)).toEqual({
      DomainCreated: "True DomainCreated",
      CertificateReady: "True CertificateReady",
      DNSConfigured: "True DomainCreated",
      Ready: "True DomainActive",
    });
    expect(shown.fields).toMatchObject({ certificate: { id: "cert_1" }, certificateManagementPolicy: policy });
  });

  test.for([
    [undefined, "Certificate provisioning in progress"],
    [{}, "Certificate provisioning in progress"],
    [job, "DNS_ERROR no CNAME Started at 2026-01-01T00:00:00Z Retries at 2026-01-01T01:00:00Z"],
    [{ message: "no CNAME" }, "no CNAME"],
  ] as const)("without a certificate it says what ngrok says: %j", ([provisioningJob, message], { expect }) => {
    const shown = showDomain({
      ...remote,
      certificateManagementPolicy: policy,
      certificateManagementStatus: { provisioningJob },
    });
    expect(words(shown as Shown<never>)).toMatchObject({
      DomainCreated: "True DomainCreated",
      Ready: "False ProvisioningError",
    });
    expect(shown.findings.find(({ type }) => type === "Ready")?.message).toBe(message);
  });
});

test("a failure keeps what is known and says why in every condition, on one line", () => {
  const error = new KnownError("invalid", "ERR_NGROK_1:\n  no", { status: 400, code: "ERR_NGROK_1" });
  const status = { id: "rd_1", cnameTarget: "x.ngrok-cname.com", observedGeneration: 3 };
  const shown = showFailure(aDomain({ status }), error, false);
  expect(shown.fields).toEqual({ id: "rd_1", cnameTarget: "x.ngrok-cname.com" });
  expect(shown.findings.map(({ status, reason, message }) => `${status} ${reason} ${message}`)).toEqual(
    Array(4).fill("False DomainCreationFailed ERR_NGROK_1: no"),
  );
});

test("of a reservation that ngrok has no more nothing is shown where the next one got lost, unless something was said of it", () => {
  const lost = new KnownError("transient", "lost", { code: "Ambiguous" });
  const refused = new KnownError("invalid", "no", { status: 400, code: "ERR_NGROK_1" });
  const fieldsOf = (error: KnownError, annotations: Record<string, string> = {}) =>
    showFailure(aDomain({ metadata: { annotations }, status: { id: "rd_1" } }), error, true).fields;
  expect(fieldsOf(lost)).toEqual({});
  expect(fieldsOf(refused)).toEqual({ id: "rd_1" });
  expect(fieldsOf(lost, { [ADOPTED]: "true" })).toEqual({ id: "rd_1" });
  expect(fieldsOf(lost, { [ADOPTED]: "false" })).toEqual({ id: "rd_1" });
});

test("the longer it is not ready, the seldomer it is looked at", () => {
  expect([0, 60_000, 200_000, 3_600_000].map(lookAgainAfter)).toEqual([30_000, 30_000, 100_000, 600_000]);
});
