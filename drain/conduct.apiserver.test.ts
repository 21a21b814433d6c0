// The whole drain against a real API server and ngrok's wire: what goes, what stays, who is left alone. It has a control
// plane of its own, since it goes through every object of the cluster.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Ingress, Namespace, Service } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import * as a from "#test/support/builders.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { conduct, type Conclusion } from "./conduct.ts";
import type { Hands } from "./hands.ts";
import { leftAlone } from "./report.ts";

const owner = "ops/ngrok";
const stop = new AbortController();
const { signal } = stop;

let rig: HookRig;
let api: NgrokApi;
let connection: Connection;
let hands: Hands;
let namespace = "";
let n = 0;

beforeAll(async () => {
  rig = await hookRig();
  ({ api, connection, hands } = rig);
});

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  stop.abort();
});

beforeEach(async () => {
  namespace = `shop-of-${(n += 1)}`;
  api.reset();
  await rig.write.create(Namespace, { metadata: { name: namespace } }, signal);
});

async function make<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  metadata: Partial<KubeObject["metadata"]> = {},
): Promise<T> {
  const whole = { ...object, metadata: { ...object.metadata, namespace, ...metadata } };
  return await rig.write.create(kind, whole, signal);
}
const claimed = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: owner } };

/** One endpoint, one domain, one policy, each with what was made for it at ngrok. */
async function aSmallShop(): Promise<void> {
  const url = `https://web-${namespace}.example.com`;
  const made = [
    [CloudEndpoint, a.aCloudEndpoint({ spec: { url } }), await api.add("endpoints", { type: "cloud", url })],
    [
      Domain,
      a.aDomain({ spec: { domain: `web-${namespace}.example.com` } }),
      await api.add("reserved_domains", { domain: `web-${namespace}.example.com` }),
    ],
    [IPPolicy, a.anIPPolicy(), await api.add("ip_policies", { description: "x" })],
  ] as const;
  for (const [kind, object, id] of made) {
    const { metadata } = await make(kind as Kind, object, claimed);
    await applyStatus(connection, kind as Kind, metadata, { id }, "test", signal);
  }
}

async function drain(policy: DrainPolicy, over: Partial<Hands> = {}): Promise<Conclusion> {
  return await conduct({
    hands: { ...hands, ...over },
    release,
    clusterWide: true,
    policy: () => policy,
    budgetMs: 60_000,
    signal,
    driver: "hook",
  });
}
const shown = async <T extends KubeObject>(kind: Kind<T>, name: string): Promise<T | undefined> =>
  await hands.read.get(kind, { namespace, name }, signal);

describe("Retain", () => {
  test("takes the finalizers off, keeps the stamps, and touches nothing at ngrok (E5, F18)", async () => {
    await aSmallShop();
    const { ending, report } = await drain("Retain");
    expect({ ending, done: report.done, failures: report.failures }).toEqual({
      ending: "clean",
      done: 3,
      failures: [],
    });
    for (const [kind, name] of [
      [CloudEndpoint, "web"],
      [Domain, "web-example-com"],
      [IPPolicy, "office"],
    ] as const) {
      const { metadata } = (await shown(kind as Kind, name))!;
      expect(metadata.finalizers).toBeUndefined();
      expect(metadata.annotations?.[DRAIN_OWNER]).toBe(owner);
    }
    // Not deleted, and not changed or made either.
    const changes = ["POST", "PUT", "PATCH", "DELETE"].filter((method) => api.count(method) > 0);
    expect(changes).toEqual([]);
    expect(report.kept.sort()).toEqual([
      expect.stringMatching(/^cloudendpoint shop-of-\d+\/web ep_/),
      expect.stringMatching(/^domain shop-of-\d+\/web-example-com rd_/),
      expect.stringMatching(/^ippolicy shop-of-\d+\/office ipp_/),
    ]);
  });

  test("an object that was being deleted goes, and what is at ngrok stays (F1)", async () => {
    await aSmallShop();
    const domain = (await shown(Domain, "web-example-com"))!;
    await rig.write.remove(
      { kind: Domain, ref: { namespace, name: "web-example-com" }, uid: domain.metadata.uid! },
      signal,
    );
    const { report } = await drain("Retain");
    expect(await shown(Domain, "web-example-com")).toBeUndefined();
    expect(api.remote()).toBe(3);
    expect(report.kept.filter((line) => line.includes(": "))).toEqual([
      expect.stringMatching(
        /^domain shop-of-\d+\/web-example-com rd_\S+: was being deleted, what is at ngrok is kept$/,
      ),
    ]);
  });
});

describe("Delete", () => {
  test("deletes the objects and what they made, and nothing twice (E5)", async () => {
    await aSmallShop();
    const { ending, report } = await drain("Delete");
    expect({ ending, done: report.done, remote: report.remoteDeleted }).toEqual({
      ending: "clean",
      done: 3,
      remote: 3,
    });
    expect(api.remote()).toBe(0);
    expect(await shown(CloudEndpoint, "web")).toBeUndefined();
    expect(api.count("DELETE")).toBe(3);
  });

  test("a finalizer is never stripped while ngrok gives no answer: the run pauses and keeps it (E6, E7)", async () => {
    await aSmallShop();
    using _fault = disposable(
      api.faults.add({ kind: "status", status: 503, match: { method: "DELETE" }, times: Infinity }),
    );
    const conclusion = await conduct({
      hands,
      release,
      clusterWide: true,
      policy: () => "Delete",
      budgetMs: 1_500,
      signal,
      driver: "hook",
    });
    expect(conclusion.ending).toBe("paused");
    expect((await shown(Domain, "web-example-com"))?.metadata.finalizers).toEqual([FINALIZER]);
    expect(api.remote()).toBe(3);
  });

  test("a refused key blocks at once, and names the remedy (W4)", async () => {
    await aSmallShop();
    await make(BoundEndpoint, a.aBoundEndpoint(), { ...claimed, name: "be" });
    const { ending, report } = await drain("Delete", { ngrok: undefined });
    expect(ending).toBe("blocked");
    expect(report.failures[0]?.error.hint).toContain("API_KEY");
    // What needs nothing of ngrok goes all the same.
    expect(await shown(BoundEndpoint, "be")).toBeUndefined();
    await drain("Retain");
  });

  test("what the user wants kept, and what was there before us, stays at ngrok (F17)", async () => {
    const kept = await api.add("reserved_domains", { domain: "kept.example.com" });
    const found = await api.add("reserved_domains", { domain: "found.example.com" });
    const one = await make(
      Domain,
      a.aDomain({ metadata: { name: "kept" }, spec: { domain: "kept.example.com", reclaimPolicy: "Retain" } }),
      { ...claimed, name: "kept" },
    );
    await applyStatus(connection, Domain, one.metadata, { id: kept }, "test", signal);
    const annotations = { ...claimed.annotations, "ngrok.com/adopted": "true" };
    const two = await make(Domain, a.aDomain({ spec: { domain: "found.example.com" } }), {
      ...claimed,
      annotations,
      name: "found",
    });
    await applyStatus(connection, Domain, two.metadata, { id: found }, "test", signal);
    const { report } = await drain("Delete");
    expect(api.count("DELETE")).toBe(0);
    expect(await shown(Domain, "kept")).toBeUndefined();
    expect(report.kept).toHaveLength(2);
  });

  test("one reservation of two Domains stays, where one of them wants it kept, whoever goes first", async () => {
    const id = await api.add("reserved_domains", { domain: "shared.example.com" });
    for (const [name, reclaimPolicy] of [
      ["first", "Delete"],
      ["keeps", "Retain"],
      ["last", "Delete"],
    ] as const) {
      const spec = { domain: "shared.example.com", reclaimPolicy };
      const { metadata } = await make(Domain, a.aDomain({ metadata: { name }, spec }), { ...claimed, name });
      await applyStatus(connection, Domain, metadata, { id }, "test", signal);
    }
    const { ending, report } = await drain("Delete");
    expect({ ending, remote: api.remote(), kept: report.kept.length }).toEqual({ ending: "clean", remote: 1, kept: 3 });
    expect(await shown(Domain, "first")).toBeUndefined();
  });

  test("an endpoint whose id was lost is found by its URL and metadata (F28, W1)", async () => {
    const object = a.aCloudEndpoint({ spec: { url: "https://lost.example.com" } });
    await api.add("endpoints", { type: "cloud", url: "https://lost.example.com", metadata: object.spec.metadata });
    await make(CloudEndpoint, object, claimed);
    await drain("Delete");
    expect(api.remote()).toBe(0);
  });

  test("an endpoint that another install's CloudEndpoint records is not taken for one whose id was lost (F17)", async () => {
    const object = a.aCloudEndpoint({ spec: { url: "https://theirs.example.com" } });
    const { url, metadata } = object.spec;
    const id = await api.add("endpoints", { type: "cloud", url, metadata });
    const theirs = await make(CloudEndpoint, object, { annotations: { [DRAIN_OWNER]: "team/ngrok" }, name: "theirs" });
    await applyStatus(connection, CloudEndpoint, theirs.metadata, { id }, "test", signal);
    await make(CloudEndpoint, object, claimed);
    await drain("Delete");
    expect(await shown(CloudEndpoint, object.metadata.name)).toBeUndefined();
    expect(api.objects("endpoints").map((one) => one["id"])).toEqual([id]);
  });

  test("an endpoint whose Domain was never tried was never asked for: what has its URL is another cluster's (F17)", async () => {
    const object = a.aCloudEndpoint({ spec: { url: "https://pooled.example.com" } });
    await api.add("endpoints", { type: "cloud", url: "https://pooled.example.com", metadata: object.spec.metadata });
    await make(Domain, a.aDomain({ spec: { domain: "pooled.example.com" } }), {
      ...claimed,
      name: "pooled-example-com",
    });
    await make(CloudEndpoint, object, claimed);
    await drain("Delete");
    expect(await shown(CloudEndpoint, object.metadata.name)).toBeUndefined();
    expect(api.objects("endpoints").map(({ url }) => url)).toEqual(["https://pooled.example.com"]);
  });

  test("a BoundEndpoint takes its own Services along, not a user's of the same name", async () => {
    const labels = { "ngrok.com/endpoint-binding-name": "be", "ngrok.com/endpoint-binding-namespace": namespace };
    await make(BoundEndpoint, a.aBoundEndpoint({ spec: { target: { service: "target", namespace } } }), {
      ...claimed,
      name: "be",
    });
    await make(Service, a.aService(), { name: "be", labels });
    await make(Service, a.aService(), { name: "target" });
    await drain("Delete");
    expect(await shown(Service, "be")).toBeUndefined();
    expect(await shown(Service, "target")).toBeDefined();
  });
});

describe("whatever the policy", () => {
  test.for(["Retain", "Delete"] as const)(
    "%s: a user's objects are freed and otherwise untouched",
    async (policy, { expect }) => {
      await make(Ingress, a.anIngress(), {
        name: "mine",
        finalizers: ["acme.io/hold", FINALIZER],
        annotations: { mine: "too", [DRAIN_OWNER]: owner },
      });
      await drain(policy);
      const after = (await shown(Ingress, "mine"))!;
      expect(after.metadata.finalizers).toEqual(["acme.io/hold"]);
      expect(after.metadata.annotations).toEqual({ mine: "too" });
      expect(after.metadata.deletionTimestamp).toBeUndefined();
    },
  );

  test("another install's objects are left alone and named (F18, W3)", async () => {
    await make(Domain, a.aDomain(), {
      name: "theirs",
      finalizers: [FINALIZER],
      annotations: { [DRAIN_OWNER]: "team/ngrok" },
    });
    const { ending, report } = await drain("Delete");
    expect(ending).toBe("clean");
    expect(leftAlone(report)).toEqual([
      { object: `domain ${namespace}/theirs`, why: "another install owns it: team/ngrok" },
    ]);
    expect((await shown(Domain, "theirs"))?.metadata.finalizers).toEqual([FINALIZER]);
  });

  test("a foreign finalizer stays and is named; ours is off, so the drain is done (F14)", async () => {
    await make(Domain, a.aDomain(), { ...claimed, name: "held", finalizers: [FINALIZER, "acme.io/hold"] });
    const { ending, report } = await drain("Delete");
    expect(ending).toBe("clean");
    expect([...report.foreign.keys()]).toEqual([`domain ${namespace}/held`]);
    expect((await shown(Domain, "held"))?.metadata.finalizers).toEqual(["acme.io/hold"]);
  });
});

function disposable(fault: { remove(): void }): Disposable {
  return { [Symbol.dispose]: () => fault.remove() };
}
