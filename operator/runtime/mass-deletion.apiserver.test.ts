// Whole kinds that go: a CRD that is deleted takes every object with it, which looks like so many wishes of people. On a real
// API server.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { isReady, startWorld } from "#test/support/world.ts";
import { KnownError } from "#wire/errors.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [cloudEndpointController, domainController, trafficPolicyController];
const TERMINATING = "create not allowed while custom resource definition is terminating";
const CRD = "/customresourcedefinitions/cloudendpoints.ngrok.k8s.ngrok.com";
const OPERATORS_CRD = "/customresourcedefinitions/kubernetesoperators.ngrok.k8s.ngrok.com";

function anEndpoint(name: string) {
  return aCloudEndpoint({ metadata: { name }, spec: { url: `https://${name}.internal`, bindings: ["internal"] } });
}

test("when the CRD of a kind is being deleted, its objects go free and nothing goes at ngrok, whatever the policy is (F1)", async () => {
  await using world = await startWorld({ controllers, start: false, options: { drainPolicy: "Delete" } });
  let going = false;
  world.start({
    intercept: async (request) => {
      if (!going || !request.path.endsWith(CRD)) return undefined;
      const crd = (await world.connection.request(request)) as { metadata: object };
      return { ...crd, metadata: { ...crd.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    },
  });
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);

  // As the API server does it: the CRD first, then each of its objects.
  going = true;
  await world.remove(CloudEndpoint, "web");

  await world.gone(CloudEndpoint, "web");
  expect(world.api.count("DELETE")).toBe(0);
  expect(world.api.objects("endpoints")).toHaveLength(1);
});

test.for([
  { how: "as the CRD says", clusterWide: true, rehearsal: TERMINATING },
  { how: "as a rehearsal says without rights in the cluster", clusterWide: false, rehearsal: TERMINATING },
  { how: "or it cannot be told", clusterWide: false, rehearsal: "User cannot create resource" },
])(
  "a KubernetesOperator that goes with its CRD is nobody's wish to uninstall: nothing goes at ngrok, whatever the policy is, $how (F1)",
  async ({ clusterWide, rehearsal }, { expect }) => {
    const all = [...controllers, kubernetesOperatorController];
    const options = { drainPolicy: "Delete" } as const;
    await using world = await startWorld({ controllers: all, clusterWide, start: false, options });
    let going = false;
    world.start({
      // What the API server answers once the CRD is being deleted, to who may read it and to who may not.
      intercept: async (request) => {
        if (!going) return undefined;
        if (request.query?.["dryRun"] === "All") throw new KnownError("invalid", rehearsal, { status: 405 });
        if (!request.path.endsWith(OPERATORS_CRD)) return undefined;
        const crd = (await world.connection.request(request)) as { metadata: object };
        return { ...crd, metadata: { ...crd.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
      },
    });
    await world.create(CloudEndpoint, anEndpoint("web"));
    await world.until(CloudEndpoint, "web", isReady);
    await world.until(KubernetesOperator, "ngrok", isReady);

    going = true;
    await world.remove(KubernetesOperator, "ngrok");

    await world.gone(KubernetesOperator, "ngrok");
    expect((await world.get(CloudEndpoint, "web"))?.metadata.finalizers).toBeUndefined();
    expect(world.api.objects("endpoints")).toHaveLength(1);
    expect(parseState(await world.get(ConfigMap, stateRef(world.release).name))).toMatchObject({
      policy: "Retain",
    });
  },
);

test.for([
  { why: "may not be read", error: new KnownError("invalid", "forbidden", { status: 403 }) },
  { why: "does not answer", error: new KnownError("transient", "no answer") },
])("an object whose CRD $why is held, and goes once it can be read (F1)", async ({ error }, { expect }) => {
  await using world = await startWorld({ controllers, start: false });
  let blind = false;
  world.start({ intercept: (request) => (blind && request.path.endsWith(CRD) ? Promise.reject(error) : undefined) });
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);

  blind = true;
  await world.remove(CloudEndpoint, "web");
  await world.quiet();
  expect(world.api.count("DELETE")).toBe(0);
  expect((await world.get(CloudEndpoint, "web"))?.metadata.finalizers).toEqual([FINALIZER]);

  blind = false;
  await world.gone(CloudEndpoint, "web");
  expect(world.api.objects("endpoints")).toEqual([]);
});
