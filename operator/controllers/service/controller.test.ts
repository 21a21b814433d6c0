// What keeps a Service from being served is told on it in words of its own: its user sees nothing else of the endpoints. And
// where its status says that it is reached.
import { expect, test } from "vitest";
import type { Domain } from "#api/domain.ts";
import type { Kind, Ref, Target } from "#kube/kind.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { aDomain, anAgentEndpoint, aService } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { Context, ObjectEvent } from "../../runtime/define-controller.ts";
import { serviceController } from "./controller.ts";
import { reservationOf } from "./plan.ts";

const forbidden = new KnownError("invalid", "no AgentEndpoints here", { status: 403 });
const rivalled = new KnownError("conflict", "changed");

/** Of every pass, whatever else is there. */
const anyPass = {
  signal: new AbortController().signal,
  clock: testClock(),
  release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
  options: { managerName: "ngrok", clusterDomain: "svc.cluster.local" },
  unchanged: () => false,
};

/** One pass over a Service; `reason: note` of what it tells, and how it ends. */
async function pass(
  annotations: Record<string, string>,
  refusal: KnownError | undefined,
  spec: ServiceObject["spec"] = {},
  domains: readonly Domain[] = [],
) {
  const service = aService({ metadata: { uid: "u", annotations }, spec });
  const told: string[] = [];
  const context = {
    ...anyPass,
    cached: {
      ...nothingCached,
      get: (_kind: Kind, { name }: Ref) => domains.find((one) => one.metadata.name === name),
    },
    ngrok: undefined,
    writer: {
      create: () => (refusal ? Promise.reject(refusal) : Promise.resolve()),
      patch: () => Promise.resolve(service),
    },
    event: ({ reason, note }: ObjectEvent) => told.push(`${reason}: ${note}`),
  } as Partial<Record<keyof Context, unknown>> as Context;
  const outcome = await serviceController.apply(service, context);
  return { told, outcome };
}

const given = { "ngrok.com/url": "tls://db.ngrok.app:443" };

test("an endpoint that the cluster refuses, with the cluster's words", async () => {
  const { told, outcome } = await pass(given, forbidden);
  expect(told).toEqual(["FailedToBuildEndpoints: no AgentEndpoints here"]);
  expect(outcome).toEqual({ is: "failed", error: forbidden });
});

test("an address that cannot be reserved without an API key", async () => {
  const { told, outcome } = await pass({}, forbidden);
  expect(told).toEqual([
    expect.stringMatching(/^FailedToReserveTCPAddr: no ngrok API key: .*: kubectl -n ops rollout restart deployment$/),
  ]);
  expect(outcome).toMatchObject({ is: "failed", status: { conditions: [{ reason: "FailedToReserveTCPAddr" }] } });
});

test("what another writer was faster at is tried again without a word", async () => {
  const { told, outcome } = await pass(given, rivalled);
  expect({ told, is: outcome.is }).toEqual({ told: [], is: "failed" });
});

test("what is not read of a Service is told under a reason of its own, and not as an unknown strategy", async () => {
  const strategy = { "ngrok.com/mapping-strategy": "edges" };
  const { told } = await pass({ ...given, ...strategy }, rivalled, { loadBalancerSourceRanges: ["10.0.0.0/8"] });
  expect(told).toEqual([
    expect.stringMatching(/^FailedToGetMappingStrategy: metadata\.annotations.*mapping-strategy/),
    expect.stringMatching(/^ConfigError: spec\.loadBalancerSourceRanges: is not read, everybody may connect: /),
  ]);
});

test.for([
  ["tls://db.example.com:443", "x.cname.ngrok.io"],
  ["TLS://DB.example.com:443", "x.cname.ngrok.io"],
  ["https://db.example.com", "db.example.com"],
])("at %s it is reached at %s", async ([url, hostname]) => {
  const domain = aDomain({
    metadata: { name: "db-example-com" },
    spec: { domain: "db.example.com" },
    status: { id: "rd_1", cnameTarget: "x.cname.ngrok.io" },
  });
  const { outcome } = await pass({ "ngrok.com/url": url ?? "" }, undefined, {}, [domain]);
  expect(outcome).toMatchObject({ is: "done", status: { loadBalancer: { ingress: [{ hostname }] } } });
});

test.for([
  ["that answer at another Service's go", "prod", ["ngrok-of-copy"], { loadBalancer: { ingress: [] } }],
  ["at what was its own stay", "staging", [], {}],
] as const)("where no address can be had, its endpoints %s", async ([, owner, gone, shows]) => {
  const computed = { "ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:1" };
  const at = (namespace: string): ServiceObject =>
    aService({ metadata: { namespace, uid: namespace, annotations: computed } });
  const endpoint = anAgentEndpoint({ metadata: { name: "ngrok-of-copy", namespace: "staging", uid: "e" } });
  const removed: string[] = [];
  const context = {
    ...anyPass,
    cached: {
      ...nothingCached,
      get: (_kind: Kind, { namespace = "" }: Ref) => at(namespace),
      by: (kind: Kind) => (kind.kind === "AgentEndpoint" ? [endpoint] : []),
    },
    claimed: "now",
    begin: () => Promise.resolve(),
    ngrok: {
      addresses: {
        find: () =>
          Promise.resolve(owner === "prod" ? { id: "ra_1", metadata: reservationOf(at("prod")).metadata } : undefined),
        change: () => Promise.reject(new KnownError("invalid", "no more addresses")),
      },
    },
    writer: {
      remove: ({ ref }: Target) => Promise.resolve(removed.push(ref.name)),
      patch: () => Promise.resolve(at("staging")),
    },
    event: () => undefined,
  } as Partial<Record<keyof Context, unknown>> as Context;
  expect(await serviceController.apply(at("staging"), context)).toMatchObject({ is: "failed", status: shows });
  expect(removed).toEqual(gone);
});
