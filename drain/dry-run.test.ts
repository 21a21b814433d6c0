// The forecast in numbers: what is counted, as stories of single objects.
import { describe, expect, test } from "vitest";
import { ADOPTED, DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { KubeObject, ObjectMeta } from "#kube/kind.ts";
import { nested } from "#test/support/nested.ts";
import { KnownError } from "#wire/errors.ts";
import { countPage, type DryRun, newDryRun } from "./dry-run.ts";
import { rows } from "./kinds.ts";
import { find } from "./plan.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const { signal } = new AbortController();
const rowOf = (kind: string) => rows.find((one) => one.kind.kind === kind)!;

interface Parts {
  metadata?: Partial<ObjectMeta>;
  spec?: object;
  status?: object;
}

function anObject({ metadata, ...rest }: Parts = {}): KubeObject {
  const annotations = { [DRAIN_OWNER]: "ops/ngrok", ...metadata?.annotations };
  return {
    ...rest,
    metadata: { name: "a", namespace: "shop", uid: "u", finalizers: [FINALIZER], ...metadata, annotations },
  };
}

async function counted(kind: string, ...objects: KubeObject[]): Promise<DryRun> {
  const run = newDryRun();
  const row = rowOf(kind);
  await countPage(run, { row, found: find(row, objects, { release, others: "none" }) }, release, signal);
  return run;
}

async function atNgrok(kind: string, object: KubeObject) {
  const [count] = (await counted(kind, object)).kinds.values();
  return { calls: count?.calls, deleted: count?.remoteDeleted, kept: [...(count?.remoteKept ?? [])] };
}

const WAITING = [{ type: "CloudEndpointCreated", status: "False", reason: "Pending" }];

describe("at ngrok under Delete", () => {
  const spec = { domain: "a.example.com", url: "https://a.example.com" };
  test.for([
    ["Domain", { spec, status: { id: "rd_1" } }, { calls: 1, deleted: 1, kept: [] }],
    ["Domain", { spec }, { calls: 2, deleted: 1, kept: [] }],
    [
      "Domain",
      { spec: { ...spec, reclaimPolicy: "Retain" }, status: { id: "rd_1" } },
      { calls: 0, deleted: 0, kept: [["its reclaimPolicy is Retain", 1]] },
    ],
    [
      "Domain",
      { spec, metadata: { annotations: { [ADOPTED]: "true" } } },
      { calls: 0, deleted: 0, kept: [["it was reserved before this install", 1]] },
    ],
    ["CloudEndpoint", { spec, status: { id: "ep_1" } }, { calls: 1, deleted: 1, kept: [] }],
    ["CloudEndpoint", { spec }, { calls: 2, deleted: 1, kept: [] }],
    ["CloudEndpoint", { spec, status: { conditions: WAITING } }, { calls: 1, deleted: 0, kept: [] }],
    ["IPPolicy", { spec: {} }, { calls: 1, deleted: 0, kept: [] }],
    ["AgentEndpoint", { spec }, { calls: 0, deleted: 0, kept: [] }],
    ["BoundEndpoint", { spec: { target: { service: "a", namespace: "b" } } }, { calls: 0, deleted: 0, kept: [] }],
    [
      "Service",
      { metadata: { annotations: { "k8s.ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:1" } } },
      { calls: 2, deleted: 1, kept: [] },
    ],
    ["Ingress", {}, { calls: 0, deleted: 0, kept: [] }],
  ] as const)("a %s of %j", async ([kind, parts, expected], { expect }) => {
    expect(await atNgrok(kind, anObject(parts as Parts))).toEqual(expected);
  });
});

test("another install's objects are left alone and named, and never reckoned as ours", async () => {
  const theirs = anObject({ metadata: { annotations: { [DRAIN_OWNER]: "team/ngrok" } }, status: { id: "rd_1" } });
  const run = await counted("Domain", theirs, anObject({ spec: { domain: "a.internal" } }));
  expect([...run.left]).toEqual([["domain shop/a", "another install owns it: team/ngrok"]]);
  expect([...run.kinds.values()]).toMatchObject([{ finalizer: 2, ours: 1, calls: 0 }]);
});

test("a stranger's finalizer counts on our kinds, which are deleted, and not on the user's, which stay", async () => {
  const held = anObject({ metadata: { finalizers: [FINALIZER, "acme.io/hold"] } });
  expect([...(await counted("AgentEndpoint", held)).foreign]).toEqual([["agentendpoint shop/a", ["acme.io/hold"]]]);
  expect([...(await counted("Ingress", held)).foreign]).toEqual([]);
});

test("a kind that could not be listed is unknown, not empty", async () => {
  const run = newDryRun();
  await countPage(run, { row: rowOf("Domain"), unknown: new KnownError("transient", "503") }, release, signal);
  expect([...run.unknown.keys()]).toEqual(["domains.ingress.k8s.ngrok.com"]);
  expect(run.kinds.size).toBe(0);
});

test("metadata that are nested deeper than a walk can go are in nobody's way", async () => {
  const spec = { domain: "a.example.com", url: "https://a.example.com", metadata: nested() };
  for (const kind of ["Domain", "CloudEndpoint", "IPPolicy"])
    expect((await counted(kind, anObject({ spec }))).kinds.size).toBe(1);
  expect(await atNgrok("Domain", anObject({ spec }))).toEqual({ calls: 2, deleted: 1, kept: [] });
});
