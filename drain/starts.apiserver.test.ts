// From which states a drain may start: kinds that are missing, objects whose surroundings are gone, namespaces that
// nobody watches any more. It has a control plane of its own, since CustomResourceDefinitions come and go.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, Ingress, Namespace, Service } from "#kube/kinds.ts";
import * as a from "#test/support/builders.ts";
import { discoverable, installCrds } from "#test/support/crds.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { gatewayApiCrds } from "#tools/binaries.ts";
import { conduct, type Conclusion } from "./conduct.ts";

const { signal } = new AbortController();
const claim = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
let rig: HookRig;
let namespace = "";
let n = 0;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  namespace = `start-${(n += 1)}`;
  await rig.write.create(Namespace, { metadata: { name: namespace } }, signal);
});

async function make(kind: Kind, object: KubeObject, name: string, metadata: object = claim): Promise<KubeObject> {
  const at = kind.namespaced ? { name, namespace } : { name, namespace: undefined };
  return await rig.write.create(kind, { ...object, metadata: { ...metadata, ...at } } as KubeObject, signal);
}

const shown = async (kind: Kind, name: string, within = namespace): Promise<KubeObject | undefined> =>
  await rig.read.get(kind, kind.namespaced ? { name, namespace: within } : { name }, signal);

async function drain(
  policy: DrainPolicy,
  over: { release?: Release; clusterWide?: boolean } = {},
): Promise<Conclusion> {
  const work = { hands: rig.hands, release, clusterWide: true, budgetMs: 60_000, signal, driver: "hook" } as const;
  return await conduct({ ...work, ...over, policy: () => policy });
}

describe("what is missing is no reason to stop, and none to stop early", () => {
  test("without a KubernetesOperator everything is freed all the same (E1)", async () => {
    await make(Domain, a.aDomain(), "alone");
    const { ending, farewell } = await drain("Retain");
    expect({ ending, farewell }).toEqual({ ending: "clean", farewell: { is: "absent" } });
    expect((await shown(Domain, "alone"))?.metadata.finalizers).toBeUndefined();
  });

  test("without the KubernetesOperator's CRD too (E2)", async () => {
    await make(Domain, a.aDomain(), "alone");
    await rig.kubectl("delete", "crd", "kubernetesoperators.ngrok.k8s.ngrok.com");
    const { ending, farewell } = await drain("Retain");
    await installCrds(rig.connection);
    expect({ ending, farewell }).toEqual({ ending: "clean", farewell: { is: "absent" } });
    expect((await shown(Domain, "alone"))?.metadata.finalizers).toBeUndefined();
  });

  test("a kind of ours whose CRD is gone has no objects; the other kinds are drained (E17)", async () => {
    await make(Domain, a.aDomain(), "other");
    await rig.kubectl("delete", "crd", "ippolicies.ingress.k8s.ngrok.com");
    const { ending, report } = await drain("Delete");
    await installCrds(rig.connection);
    expect({ ending, done: report.done, unknown: report.unknown.size }).toEqual({
      ending: "clean",
      done: 1,
      unknown: 0,
    });
    expect(await shown(Domain, "other")).toBeUndefined();
  });

  test("AgentEndpoints go under Delete although no agent runs (E18, W11)", async () => {
    await make(AgentEndpoint, a.anAgentEndpoint(), "tunnel");
    const { ending } = await drain("Delete");
    expect({ ending, tunnel: await shown(AgentEndpoint, "tunnel") }).toEqual({ ending: "clean", tunnel: undefined });
  });
});

describe("whoever's class or namespace is gone", () => {
  test("an Ingress that is being deleted goes, although its class is unknown (W18)", async () => {
    const spec = { ingressClassName: "nobody-serves-this" };
    const { metadata } = await make(Ingress, a.anIngress({ spec }), "going");
    await rig.write.remove({ kind: Ingress, ref: { namespace, name: "going" }, uid: metadata.uid! }, signal);
    expect(await shown(Ingress, "going")).toBeDefined();
    await drain("Retain");
    expect(await shown(Ingress, "going")).toBeUndefined();
  });

  test("objects in a namespace that is watched no more are found, and those in the release namespace (F9, W22)", async () => {
    await make(Domain, a.aDomain(), "of-yesterday");
    const bound = { ...a.aBoundEndpoint(), metadata: { ...claim, name: "bound", namespace: "ops" } };
    await rig.write.create(BoundEndpoint, bound, signal);
    await drain("Delete", { release: { ...release, watchNamespace: "shop" } });
    expect([await shown(Domain, "of-yesterday"), await shown(BoundEndpoint, "bound", "ops")]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("also without any right outside the two namespaces, what stands in the release namespace is found (W22)", async () => {
    const bound = { ...a.aBoundEndpoint(), metadata: { ...claim, name: "bound", namespace: "ops" } };
    await rig.write.create(BoundEndpoint, bound, signal);
    await drain("Delete", { release: { ...release, watchNamespace: "shop" }, clusterWide: false });
    expect(await shown(BoundEndpoint, "bound", "ops")).toBeUndefined();
  });
});

describe("Gateway API", () => {
  beforeAll(async () => {
    const files = await gatewayApiCrds();
    await rig.kubectl("apply", "--server-side", ...files.flatMap((file) => ["-f", file]));
    await rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=150s");
    // Asked as the drain asks: its own connection has learnt in an earlier story that the group is absent, and remembers
    // that for ten seconds.
    await discoverable(rig.hands.connection, [GatewayClass, Gateway]);
  });

  test.for(["Retain", "Delete"] as const)(
    "%s: a GatewayClass of ours loses its finalizer, another controller's keeps the same one (F19, W12)",
    async (policy, { expect }) => {
      const held = { finalizers: [GATEWAY_CLASS_FINALIZER] };
      await make(GatewayClass, a.aGatewayClass(), `ours-${n}`, { ...claim, ...held });
      const spec = { controllerName: "example.com/other" };
      await make(GatewayClass, a.aGatewayClass({ spec }), `other-${n}`, held);
      // gateway.controllerName was another when it was stamped, or is.
      const named = { controllerName: "example.com/ours" };
      await make(GatewayClass, a.aGatewayClass({ spec: named }), `named-${n}`, { ...claim, ...held });
      await make(Gateway, a.aGateway(), "edge");
      const { ending } = await drain(policy);
      const left = async (kind: Kind, name: string) => (await shown(kind, name))?.metadata.finalizers ?? [];
      expect({
        ending,
        gateway: await left(Gateway, "edge"),
        ours: await left(GatewayClass, `ours-${n}`),
        named: await left(GatewayClass, `named-${n}`),
        other: await left(GatewayClass, `other-${n}`),
      }).toEqual({ ending: "clean", gateway: [], ours: [], named: [], other: [GATEWAY_CLASS_FINALIZER] });
    },
  );
});

describe("what was made beside an object", () => {
  /** A Service with an address that was reserved with `metadata`. */
  async function reserved(name: string, metadata: object): Promise<string> {
    const id = await rig.api.add("reserved_addrs", { metadata: JSON.stringify(metadata) });
    const addr = rig.api.objects("reserved_addrs").find((one) => one["id"] === id)?.["addr"];
    const annotations = { ...claim.annotations, "k8s.ngrok.com/computed-url": `tcp://${String(addr)}` };
    await make(Service, a.aService(), name, { ...claim, annotations });
    return id;
  }

  test("a reserved address goes under Delete, but only the one that was reserved for this very Service (F26, W17)", async () => {
    await reserved("ours", { namespace, name: "ours" });
    const other = await reserved("borrowed", { namespace: "elsewhere", name: "borrowed" });
    const { ending, report } = await drain("Delete");
    expect({ ending, left: rig.api.objects("reserved_addrs").map(({ id }) => id) }).toEqual({
      ending: "clean",
      left: [other],
    });
    expect(report.kept).toEqual([`service ${namespace}/borrowed ${other}: it was not reserved for this Service`]);
    for (const name of ["ours", "borrowed"]) expect((await shown(Service, name))?.metadata.finalizers).toBeUndefined();
  });

  test("under Retain the address stays and is reported, and the Service still says which it is (F26, W17)", async () => {
    await reserved("ours", { namespace, name: "ours" });
    const { report } = await drain("Retain");
    const [{ addr } = {}] = rig.api.objects("reserved_addrs");
    expect([report.kept, [...report.keptByKind]]).toEqual([
      [`service ${namespace}/ours ${String(addr)}`],
      [["Service", 1]],
    ]);
    expect(rig.api.objects("reserved_addrs")).toHaveLength(1);
    const { finalizers, annotations } = (await shown(Service, "ours"))!.metadata;
    expect([finalizers, Object.keys(annotations ?? {})]).toEqual([undefined, ["k8s.ngrok.com/computed-url"]]);
  });

  test("under Retain a BoundEndpoint stays with its Services", async () => {
    await make(BoundEndpoint, a.aBoundEndpoint({ spec: { target: { service: "target", namespace } } }), "be");
    const labels = { "ngrok.com/endpoint-binding-name": "be", "ngrok.com/endpoint-binding-namespace": namespace };
    for (const name of ["be", "target"]) await make(Service, a.aService(), name, { labels });
    await drain("Retain");
    expect((await shown(BoundEndpoint, "be"))?.metadata.finalizers).toBeUndefined();
    expect(await Promise.all(["be", "target"].map((name) => shown(Service, name)))).not.toContain(undefined);
    expect(await shown(BoundEndpoint, "be")).toBeDefined();
  });

  test("a BoundEndpoint whose target Service is gone still takes its own Service along (W10)", async () => {
    await make(BoundEndpoint, a.aBoundEndpoint({ spec: { target: { service: "gone", namespace } } }), "be");
    const labels = { "ngrok.com/endpoint-binding-name": "be", "ngrok.com/endpoint-binding-namespace": namespace };
    await make(Service, a.aService(), "be", { labels });
    await drain("Delete");
    expect(await shown(Service, "be")).toBeUndefined();
  });
});
