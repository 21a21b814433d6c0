// UninstallReady on a real API server: it turns with what stands in an uninstall's way, and costs no write while nothing does.
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeRequest } from "#kube/connection.ts";
import { refOf } from "#kube/kind.ts";
import { ResourceQuota } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { hookDrives } from "#test/support/hook-drives.ts";
import { kubectlOf } from "#test/support/kubectl.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";
import { binaries } from "#tools/binaries.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [kubernetesOperatorController, cloudEndpointController, domainController, trafficPolicyController];
const uninstall = { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined };
const HOLD = "acme.io/hold";
const { signal } = new AbortController();

/** Resolves with the message once the condition is `is`, e.g. `False ForeignFinalizer`. */
async function ready(world: World, is: string): Promise<string> {
  const of = (operator: KubernetesOperator) => findCondition(operator.status?.conditions, "UninstallReady");
  const operator = await world.until(
    KubernetesOperator,
    "ngrok",
    (one) => `${of(one)?.status} ${of(one)?.reason}` === is,
  );
  return of(operator)?.message ?? "";
}

async function anEndpoint(world: World, name: string): Promise<void> {
  const spec = { url: `https://${name}.internal`, bindings: ["internal" as const] };
  await world.create(CloudEndpoint, aCloudEndpoint({ metadata: { name }, spec }));
  await world.until(CloudEndpoint, name, ({ metadata }) => metadata.finalizers?.includes(FINALIZER) === true);
}

async function finalizers(world: World, name: string, value: readonly string[]): Promise<void> {
  const object = await world.get(CloudEndpoint, name);
  const patch = [{ op: "add", path: "/metadata/finalizers", value }] as const;
  await world.write.patch(CloudEndpoint, refOf(object!), object?.metadata.uid ?? "", [...patch], signal);
}

/** Writes of the KubernetesOperator's status so far. */
function told(world: World): number {
  return world.manager.writes.filter((write) => write.endsWith("/kubernetesoperators/ngrok/status")).length;
}

/**
 * Notes the writes of a status on their way, but for those by which only the counts become others: they come a minute after
 * the word before, which a busy machine may take for any of these stories.
 */
function notesButForCounts() {
  const last = new Map<unknown, { readonly text: string; readonly counts: unknown }>();
  const said: string[] = [];
  const intercept = ({ method, path, query, body }: KubeRequest): undefined => {
    if (method === "GET" || !path.endsWith("/kubernetesoperators/ngrok/status")) return;
    const { underDelete: counts, ...rest } = (body as { status: Record<string, unknown> }).status;
    const by = query?.["fieldManager"];
    const [text, before] = [JSON.stringify(rest), last.get(by)];
    if (before?.text !== text || isDeepStrictEqual(before.counts, counts)) said.push(text);
    last.set(by, { text, counts });
  };
  return { said, intercept };
}

test("a foreign finalizer comes and goes: named with its object while Delete would wait for it, one write each", async () => {
  await using world = await startWorld({ controllers, start: false, options: { drainPolicy: "Delete", uninstall } });
  const { said, intercept } = notesButForCounts();
  world.start({ intercept });
  await anEndpoint(world, "pay");
  await world.until(CloudEndpoint, "pay", isReady);
  await world.until(KubernetesOperator, "ngrok", isReady);
  await ready(world, "True NothingInTheWay");
  const before = said.length;

  // Much happens, for longer than it takes to be reckoned, and none of it is news to an uninstall.
  const began = performance.now();
  for (let n = 0; performance.now() - began < 6_000; n += 1) {
    await anEndpoint(world, `e${n}`);
    await world.until(CloudEndpoint, `e${n}`, isReady);
  }
  expect(said.slice(before)).toEqual([]);
  await finalizers(world, "pay", [FINALIZER, HOLD]);
  const at = `cloudendpoint ${world.namespace}/pay`;
  expect(await ready(world, "False ForeignFinalizer")).toContain(`${at} is held by finalizer ${HOLD} of another`);
  expect(said.slice(before)).toHaveLength(1);

  await finalizers(world, "pay", [FINALIZER]);
  await ready(world, "True NothingInTheWay");
  expect(said.slice(before)).toHaveLength(2);
});

test("a person's wish for Retain counts at once: then nothing that is deleted could wait", async () => {
  await using world = await startWorld({ controllers, options: { drainPolicy: "Delete", uninstall } });
  await anEndpoint(world, "pay");
  await finalizers(world, "pay", [FINALIZER, HOLD]);
  await ready(world, "False ForeignFinalizer");
  await world.mark("Open", { policy: "Retain" });
  expect(await ready(world, "True NothingInTheWay")).toContain("under Retain");
  await finalizers(world, "pay", [FINALIZER]);
});

test("a person's wish for Retain is shown on the KubernetesOperator, which outlives the drain state, until it is withdrawn (F8)", async () => {
  await using world = await startWorld({ controllers, options: { drainPolicy: "Delete", uninstall } });
  await ready(world, "True NothingInTheWay");
  await world.mark("Open", { policy: "Retain" });
  await world.until(KubernetesOperator, "ngrok", ({ status }) => status?.drain?.policy === "Retain");
  await world.quiet();
  const before = told(world);
  await anEndpoint(world, "pay");
  await world.until(CloudEndpoint, "pay", isReady);
  // Without a mark a Delete there is no wish.
  await world.mark("Open", { policy: "Delete" });
  await world.until(KubernetesOperator, "ngrok", ({ status }) => status?.drain === undefined);
  // The wish is not shown over and over: that it has gone is a write, and what Delete would take may be one.
  expect(told(world) - before).toBeLessThanOrEqual(2);
});

test("a revoked key is known by the next call that it fails, and a valid one by the next that succeeds", async () => {
  const ngrok = { keys: { "test-key": "all" } } as const;
  await using world = await startWorld({ controllers, ngrok, options: { drainPolicy: "Delete", uninstall } });
  await ready(world, "True NothingInTheWay");
  world.api.keys.revoke("test-key");
  await anEndpoint(world, "first");
  expect(await ready(world, "False KeyRefused")).toMatch(/policy Delete needs ngrok's API: .*; put a valid key/);
  world.api.keys.allow("test-key", "all");
  await anEndpoint(world, "second");
  await ready(world, "True NothingInTheWay");
  await world.until(CloudEndpoint, "first", isReady);
});

test("without its hook an uninstall frees nothing, and the command that does is named, whatever else the status says", async () => {
  await using world = await startWorld({ controllers, options: { uninstall: { ...uninstall, hook: false } } });
  expect(await ready(world, "False HookOff")).toContain(
    `kubectl -n ${world.namespace} delete kubernetesoperator ngrok`,
  );
  const { metadata } = await world.until(KubernetesOperator, "ngrok", isReady);
  await world.quiet();
  const before = told(world);
  const patch = [{ op: "replace", path: "/spec/metadata", value: '{"team":"edge"}' }] as const;
  await world.write.patch(KubernetesOperator, refOf({ metadata }), metadata.uid ?? "", [...patch], signal);
  const after = await world.until(KubernetesOperator, "ngrok", ({ status }) => status?.observedGeneration === 2);
  await world.quiet();
  expect(findCondition(after.status?.conditions, "UninstallReady")?.reason).toBe("HookOff");
  // The controller's own words, once; nothing was taken away and said again.
  expect(told(world)).toBe(before + 1);
});

test("a right of the drain that is missing is named, since the hook gets the same", async () => {
  await using world = await startWorld({ controllers, start: false, options: { uninstall } });
  world.start({
    intercept(request) {
      const { spec } = (request.body ?? {}) as { spec?: { resourceAttributes?: { verb: string; resource: string } } };
      const { verb, resource } = spec?.resourceAttributes ?? {};
      return verb === "patch" && resource === "ingresses" ? Promise.resolve({ status: { allowed: false } }) : undefined;
    },
  });
  expect(await ready(world, "False RightMissing")).toMatch(/may not patch ingresses\.networking\.k8s\.io in/);
});

test("a quota that would refuse the hook's pod is named, with the remedy", async () => {
  const pod = { containers: [{ limits: { memory: "512Mi" } }] };
  await using world = await startWorld({ controllers, start: false, options: { uninstall: { ...uninstall, pod } } });
  const spec = { hard: { "limits.memory": "256Mi" } };
  await world.create(ResourceQuota, { metadata: { name: "team" }, spec });
  world.start();
  const said = await ready(world, "False NoRoomForHook");
  expect(said).toContain(
    `in namespace ${world.namespace}: ResourceQuota team has less limits.memory left than the 512Mi`,
  );
  expect(said).toContain("; raise that quota");
});

test("a CRD of before the counts takes the condition without them", async () => {
  await using plane = await ownControlPlane();
  await using world = await startWorld({
    controllers,
    kubeconfig: plane.kubeconfig,
    start: false,
    options: { drainPolicy: "Delete", uninstall },
  });
  await forgetCounts(plane.kubeconfig);
  world.start();
  await ready(world, "True NothingInTheWay");
  expect((await world.get(KubernetesOperator, "ngrok"))?.status?.underDelete).toBeUndefined();
});

/** The CRD as it was when the leader did not count yet. */
async function forgetCounts(kubeconfig: string): Promise<void> {
  const kubectl = kubectlOf({ kubeconfig, bin: await binaries(console.log) });
  const name = `${KubernetesOperator.plural}.${KubernetesOperator.group}`;
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/underDelete";
  await kubectl.run(["patch", "crd", name, "--type=json", "-p", JSON.stringify([{ op: "remove", path }])]);
}

test("a drained install says nothing any more", async () => {
  await using world = await startWorld({ controllers, options: { drainPolicy: "Delete", uninstall } });
  await anEndpoint(world, "pay");
  await world.until(CloudEndpoint, "pay", isReady);
  await ready(world, "True NothingInTheWay");
  await using _hook = await hookDrives(world);
  await world.quiet();
  const before = world.manager.writes.length;
  await finalizers(world, "pay", [FINALIZER, HOLD]);
  await world.quiet();
  expect(world.manager.writes.length).toBe(before);
  await finalizers(world, "pay", [FINALIZER]);
});
