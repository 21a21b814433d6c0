// Each thing that must never happen, written down as the witnesses would write it: the verdict has to see it, and must not
// see it where nothing is wrong.
import { expect, test } from "vitest";
import type { AuditEvent } from "#test/support/audit.ts";
import type { Entry } from "#test/support/ngrok-api/ledger.ts";
import {
  type Evidence,
  isRelaxed,
  lostUnderRetain,
  replicasBeyondStatus,
  strippedUnderDelete,
  takenUnderRetain,
  unexplained,
  writesAfterFence,
} from "./verdict.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
/** Seconds after the start. */
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

const evidence = (parts: Partial<Evidence>): Evidence => ({
  events: [],
  ledger: [],
  remoteBefore: ["ep_1", "rd_1"],
  remoteAfter: ["ep_1", "rd_1"],
  kept: "",
  began: START + 10_000,
  lease: "edge-leader",
  ...parts,
});

interface Said {
  readonly verb: string;
  readonly seconds: number;
  readonly ref: NonNullable<AuditEvent["objectRef"]>;
  readonly body?: unknown;
  readonly pod?: string;
  readonly user?: string;
  readonly code?: number;
}

const event = ({ verb, seconds, ref, body, pod, user = "system:serviceaccount:ngrok:edge", code = 200 }: Said) => ({
  verb,
  user: { username: user, ...(pod && { extra: { "authentication.kubernetes.io/pod-name": [pod] } }) },
  objectRef: ref,
  requestObject: body,
  responseStatus: { code },
  requestReceivedTimestamp: at(seconds),
  stageTimestamp: at(seconds + 0.1),
});

const ENDPOINT = { apiGroup: "ngrok.k8s.ngrok.com", resource: "cloudendpoints", namespace: "shop", name: "web" };
const recorded = event({
  verb: "patch",
  seconds: 1,
  ref: { ...ENDPOINT, subresource: "status" },
  body: { status: { id: "ep_1" } },
});
const stripped = event({
  verb: "patch",
  seconds: 30,
  ref: ENDPOINT,
  body: [
    { op: "test", path: "/metadata/finalizers/0", value: "k8s.ngrok.com/finalizer" },
    { op: "remove", path: "/metadata/finalizers/0" },
  ],
});
const marking = {
  verb: "patch",
  ref: { resource: "configmaps", namespace: "ngrok", name: "edge-drain-state" },
} as const;
const marked = event({ ...marking, seconds: 12, body: { data: { phase: "Draining" } } });

/** A request at ngrok, answered within 10 ms. */
const asked = (method: string, path: string, status: number, seconds: number, changed = status < 300): Entry => ({
  at: START + seconds * 1000 - performance.timeOrigin,
  method,
  path,
  query: "",
  status,
  ms: 10,
  changed,
});

test("under Retain an object that is missing at ngrok was lost, whoever deleted it", () => {
  expect(lostUnderRetain(evidence({ remoteAfter: ["rd_1"] }))).toEqual(["ep_1 was lost at ngrok under Retain"]);
});

test("under Retain a DELETE at ngrok is a loss, even of what was made meanwhile; that of the registration is none", () => {
  const lost = [asked("DELETE", "/endpoints/ep_2", 204, 20)];
  expect(lostUnderRetain(evidence({ ledger: lost }))).toEqual(["ep_2 was lost at ngrok under Retain"]);
  const fine = [asked("DELETE", "/kubernetes_operators/k8sop_1", 204, 20), asked("DELETE", "/endpoints/ep_2", 404, 20)];
  expect(lostUnderRetain(evidence({ ledger: fine }))).toEqual([]);
});

test("under Retain a DELETE whose answer was lost is a loss all the same", () => {
  const ledger = [asked("DELETE", "/endpoints/ep_1", 0, 20, true)];
  expect(lostUnderRetain(evidence({ ledger }))).toHaveLength(1);
});

test("what a person deleted before the mark was theirs to delete; after it, it is kept", () => {
  const byHand = (seconds: number) => event({ verb: "delete", seconds, ref: ENDPOINT, user: "admin" });
  const gone = { remoteAfter: ["rd_1"] };
  expect(lostUnderRetain(evidence({ ...gone, events: [recorded, byHand(11), marked] }))).toEqual([]);
  expect(lostUnderRetain(evidence({ ...gone, events: [recorded, marked, byHand(13)] }))).toHaveLength(1);
  const collected = event({ verb: "delete", seconds: 11, ref: ENDPOINT, user: "system:apiserver" });
  expect(lostUnderRetain(evidence({ ...gone, events: [recorded, collected, marked] }))).toHaveLength(1);
});

test("under Delete a finalizer goes after ngrok has said that the recorded id is gone", () => {
  const events = [recorded, stripped];
  for (const status of [204, 404]) {
    expect(strippedUnderDelete(evidence({ events, ledger: [asked("DELETE", "/endpoints/ep_1", status, 29)] }))).toEqual(
      [],
    );
  }
  for (const ledger of [
    [],
    [asked("DELETE", "/endpoints/ep_2", 204, 29)],
    [asked("DELETE", "/endpoints/ep_1", 403, 29)],
    [asked("DELETE", "/endpoints/ep_1", 0, 29, true)],
    [asked("DELETE", "/endpoints/ep_1", 204, 31)],
    [asked("GET", "/endpoints/ep_1", 404, 29)],
  ]) {
    expect(strippedUnderDelete(evidence({ events, ledger }))).toEqual([
      expect.stringMatching(/shop\/web .*ngrok never said that ep_1 is gone/),
    ]);
  }
});

test("under Delete a namesake of a later install has an id of its own, for which its own finalizer waits", () => {
  const again = event({
    verb: "patch",
    seconds: 40,
    ref: { ...ENDPOINT, subresource: "status" },
    body: { status: { id: "ep_9" } },
  });
  const ledger = [asked("DELETE", "/endpoints/ep_1", 204, 29)];
  expect(strippedUnderDelete(evidence({ events: [recorded, stripped, again], ledger }))).toEqual([]);
  const last = {
    ...stripped,
    requestReceivedTimestamp: again.requestReceivedTimestamp,
    stageTimestamp: again.stageTimestamp,
  };
  expect(strippedUnderDelete(evidence({ events: [recorded, stripped, again, last], ledger }))).toEqual([
    expect.stringMatching(/ngrok never said that ep_9 is gone/),
  ]);
});

test("under Delete what is kept has to be named; what never had an id has nothing to lose", () => {
  const events = [recorded, stripped];
  expect(strippedUnderDelete(evidence({ events, kept: "cloudendpoint shop/web ep_1: adopted" }))).toEqual([]);
  expect(strippedUnderDelete(evidence({ events, kept: "cloudendpoint shop/other ep_9" }))).toHaveLength(1);
  expect(strippedUnderDelete(evidence({ events: [stripped] }))).toEqual([]);
});

const lease = (holder: string, seconds: number, pod: string) =>
  event({
    verb: "update",
    seconds,
    ref: { apiGroup: "coordination.k8s.io", resource: "leases", namespace: "ngrok", name: "edge-leader" },
    body: { spec: { holderIdentity: holder } },
    pod,
  });
const write = (seconds: number, pod: string, code = 200) =>
  event({ verb: "patch", seconds, ref: ENDPOINT, body: {}, pod, code });

test("who has lost the Lease to another must not write any more; a write that was refused is none", () => {
  const [old, hook] = ["pod/manager-1/u1", "pod/drain-1/u2"];
  const taken = [lease(old, 1, "manager-1"), write(2, "manager-1"), lease(hook, 20, "drain-1")];
  expect(writesAfterFence(evidence({ events: [...taken, write(21, "drain-1")] }))).toEqual([]);
  expect(writesAfterFence(evidence({ events: [...taken, write(21, "manager-1", 401)] }))).toEqual([]);
  expect(writesAfterFence(evidence({ events: [...taken, write(21, "manager-1")] }))).toEqual([
    expect.stringMatching(/shop\/web .*manager-1\) after pod\/drain-1\/u2 held the Lease/),
  ]);
});

test("the order is that in which the API server received them, and who holds it again may write again", () => {
  const [old, hook] = ["pod/manager-1/u1", "pod/drain-1/u2"];
  const both = [lease(old, 1, "manager-1"), lease(hook, 20, "drain-1")];
  expect(writesAfterFence(evidence({ events: [write(21, "manager-1"), ...both] }))).toHaveLength(1);
  const again = [...both, lease("", 30, "drain-1"), lease(old, 31, "manager-1"), write(32, "manager-1")];
  expect(writesAfterFence(evidence({ events: again }))).toEqual([]);
});

test("an exit 1 has to say why, and what to type", () => {
  const blocked = "13:00:00 blocked   domain shop/web: ngrok says 403";
  const again = "13:00:01 again     helm uninstall edge -n ngrok";
  expect(unexplained(`${blocked}\n${again}`)).toEqual([]);
  expect(unexplained(blocked)).toEqual(["the output names no next command"]);
  expect(unexplained(again)).toEqual(["the output names no reason"]);
  expect(unexplained(`${again}\n${blocked}`)).toEqual(["the output names no next command"]);
});

test("of a hook that was killed Helm says why, and the hook's first line what to type", () => {
  const first = "13:00:00 resume    stopped halfway? helm uninstall edge -n ngrok";
  expect(unexplained(`${first}\nError: job edge-drain failed: BackoffLimitExceeded`)).toEqual([]);
  expect(unexplained(`${first}\nError: uninstall: Failed to purge the release`)).toEqual([
    "the output names no reason",
  ]);
});

const agent = "system:serviceaccount:ngrok:edge-ngrok-operator-agent";
const TUNNEL = { apiGroup: "ngrok.k8s.ngrok.com", resource: "agentendpoints", namespace: "shop", name: "web" };

test("an agent or forwarder writes statuses and events; anything else it has tried, also where it was refused", () => {
  const status = event({ verb: "patch", seconds: 5, ref: { ...TUNNEL, subresource: "status" }, user: agent });
  const told = event({ verb: "create", seconds: 5, ref: { resource: "events", namespace: "shop" }, user: agent });
  const leaders = event({ verb: "patch", seconds: 5, ref: TUNNEL });
  expect(replicasBeyondStatus(evidence({ events: [status, told, leaders] }))).toEqual([]);
  const forwarder = agent.replace(/agent$/, "bindings-forwarder");
  const refused = event({ verb: "delete", seconds: 5, ref: TUNNEL, user: forwarder, code: 403 });
  const finalizer = event({ verb: "patch", seconds: 5, ref: TUNNEL, user: agent });
  expect(replicasBeyondStatus(evidence({ events: [finalizer, refused] }))).toEqual([
    expect.stringMatching(/^patch agentendpoints shop\/web by .*-agent$/),
    expect.stringMatching(/^delete agentendpoints shop\/web by .*-bindings-forwarder$/),
  ]);
});

test("under Retain the drain takes no endpoint and no Service away, but the registration; before the mark it is no drain", () => {
  const service = { resource: "services", namespace: "shop", name: "billing" };
  const operator = {
    apiGroup: "ngrok.k8s.ngrok.com",
    resource: "kubernetesoperators",
    namespace: "ngrok",
    name: "edge",
  };
  const byDrain = (ref: Said["ref"], seconds = 20) =>
    event({ verb: "delete", seconds, ref, user: agent.replace(/agent$/, "drain") });
  expect(takenUnderRetain(evidence({ events: [marked, byDrain(operator), byDrain(TUNNEL, 11)] }))).toEqual([]);
  const person = event({ verb: "delete", seconds: 20, ref: TUNNEL, user: "admin" });
  const collected = event({
    verb: "delete",
    seconds: 20,
    ref: service,
    user: "system:serviceaccount:kube-system:namespace-controller",
  });
  expect(takenUnderRetain(evidence({ events: [marked, person, collected] }))).toEqual([]);
  expect(takenUnderRetain(evidence({ events: [marked, byDrain(TUNNEL), byDrain(service)] }))).toHaveLength(2);
});

test("a drain is relaxed once Retain stands in its state", () => {
  const relaxed = event({ ...marking, seconds: 15, body: { data: { policy: "Retain" } } });
  const sealed = event({ ...marking, seconds: 12, body: { data: { phase: "Draining", policy: "Delete" } } });
  expect(isRelaxed(evidence({ events: [sealed] }))).toBe(false);
  expect(isRelaxed(evidence({ events: [sealed, relaxed] }))).toBe(true);
});
