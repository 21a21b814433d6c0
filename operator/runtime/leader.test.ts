// The Lease as a leader makes it, beside what the chart has made.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { LEASE, OneLease } from "#test/support/one-lease.ts";
import { type LeaderParts, takeLease } from "./leader.ts";

const gate = { state: { phase: "Open" }, fresh: () => Promise.resolve({ phase: "Open" }) };
const silent = { info: () => {}, warn: () => {}, error: () => {} };

function partsOf(server: OneLease): LeaderParts {
  const release = { name: "edge", namespace: LEASE.namespace, fullname: "edge-ngrok-operator" };
  const identity = "pod/edge-manager-1/u1";
  const { signal } = new AbortController();
  const rest = { connection: server.connection(identity), clock: testClock(), gate, log: silent };
  return { ...rest, release, lease: LEASE.name, identity, signal } as unknown as LeaderParts;
}

test("the Lease has the release's label, and an Argo CD that tracks by it neither prunes it nor calls it a difference", async () => {
  const server = new OneLease();
  const token = await takeLease(partsOf(server), { stoodBy: false });
  expect(server.lease?.metadata).toMatchObject({
    labels: { "app.kubernetes.io/instance": "edge" },
    annotations: {
      "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
      "argocd.argoproj.io/sync-options": "Prune=false",
    },
  });
  await token[Symbol.asyncDispose]();
});

test("a Lease that is taken over keeps what it was made with", async () => {
  const server = new OneLease();
  const parts = partsOf(server);
  await (await takeLease(parts, { stoodBy: false }))[Symbol.asyncDispose]();
  const made = server.lease?.metadata;
  await (await takeLease(parts, { stoodBy: false }))[Symbol.asyncDispose]();
  expect(server.lease?.spec?.leaseTransitions).toBe(1);
  expect(server.lease?.metadata).toMatchObject({ labels: made?.labels, annotations: made?.annotations });
});
