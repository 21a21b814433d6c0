// The reader of hand-overs, over logs that are written for it.
import { expect, test } from "vitest";
import type { AuditEvent } from "./audit.ts";
import { handOvers, writesWithoutLease } from "./hand-overs.ts";

const LEASE = "edge-leader";

function renewed(second: number, holderIdentity: string): AuditEvent {
  const at = new Date(second * 1000).toISOString();
  return {
    verb: "update",
    user: { username: "somebody" },
    objectRef: { apiGroup: "coordination.k8s.io", resource: "leases", name: LEASE },
    requestObject: { spec: { holderIdentity } },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
  };
}

function written(pod: string): AuditEvent {
  const extra = { "authentication.kubernetes.io/pod-name": [pod] };
  const objectRef = { apiGroup: "ingress.k8s.ngrok.com", resource: "domains", namespace: "shop", name: "web" };
  return { ...renewed(0, ""), verb: "patch", user: { username: "manager", extra }, objectRef };
}

test("who renews is the same holder; who waited, or found the Lease free, has taken it by the rules", () => {
  const log = [renewed(0, "a"), renewed(2, "a"), renewed(17, "b"), renewed(19, ""), renewed(19, "c")];
  expect(handOvers(log, LEASE)).toEqual([
    { to: "a", waited: true },
    { to: "b", waited: true },
    { to: "c", waited: true },
  ]);
});

test("who takes it from a holder that has just renewed is found out, and a refused write takes nothing", () => {
  const refused = { ...renewed(3, "c"), responseStatus: { code: 409 } };
  expect(handOvers([renewed(0, "a"), renewed(2, "b"), refused], LEASE)).toEqual([
    { to: "a", waited: true },
    { to: "b", waited: false },
  ]);
});

test("a write of a pod that does not hold the Lease is found out", () => {
  const log = [
    renewed(0, "pod/edge-manager-1/u"),
    written("edge-manager-1"),
    written("edge-manager-2"),
    written("other"),
  ];
  expect(writesWithoutLease(log, LEASE, "edge-manager-")).toEqual([
    'patch domains shop/web by manager while "pod/edge-manager-1/u" held the Lease',
  ]);
});
