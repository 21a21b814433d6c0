// What somebody else keeps the driver from making, by a policy or by a name, is told on the Ingress that asks for it, a Domain
// like an endpoint.
import { expect, test } from "vitest";
import { Event, Ingress } from "#kube/kinds.ts";
import { aDomain } from "#test/support/builders.ts";
import { startShop, takenName } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";

const POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
const signal = (): AbortSignal => AbortSignal.timeout(60_000);

test("a Domain that a policy of the cluster refuses is an event on its Ingress, with the policy's words", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await using _policy = await refuseDomains(world);
  await shop.service("web");
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  await expect
    .poll(async () => await notesOn(world, "shop"))
    .toContainEqual(expect.stringMatching(/^CreateError .*no Domains here/));
});

test("an internal endpoint whose name somebody else's has is an event on the Ingress that leads to its Service, with the remedy", async () => {
  await using shop = await startShop();
  const { world } = shop;
  const name = await takenName(shop);
  const annotations = { "ngrok.com/mapping-strategy": "endpoints-verbose" };
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, { metadata: { annotations } }));
  await world.create(Ingress, shop.ingress("other", { "other.ngrok.app": "absent" }));
  await expect
    .poll(async () => await notesOn(world, "shop"))
    .toContain(
      `CreateError AgentEndpoint ${world.namespace}/${name} was not made by the operator, which needs this name: rename or delete it`,
    );
  expect((await notesOn(world, "other")).filter((note) => note.startsWith("CreateError"))).toEqual([]);
});

/** Resolves when the API server has heard of the policy. */
async function refuseDomains({ connection, namespace }: World): Promise<AsyncDisposable> {
  const name = `no-domains-in-${namespace}`;
  const metadata = { name };
  const rule = {
    apiGroups: ["ingress.k8s.ngrok.com"],
    apiVersions: ["*"],
    operations: ["CREATE"],
    resources: ["domains"],
  };
  const matchConstraints = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    resourceRules: [rule],
  };
  const validations = [{ expression: "false", message: "no Domains here" }];
  const binding = { policyName: name, validationActions: ["Deny"] };
  const make = async (path: string, spec: object): Promise<void> =>
    void (await connection.request({ method: "POST", path, body: { metadata, spec }, signal: signal() }));
  await make(POLICIES, { failurePolicy: "Fail", matchConstraints, validations });
  await make(BINDINGS, binding);
  const trial = async (): Promise<string> => {
    const domain = aDomain({ metadata: { name: "trial", namespace } });
    const path = `/apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/${namespace}/domains`;
    const sent = connection.request({ method: "POST", path, query: { dryRun: "All" }, body: domain, signal: signal() });
    return await sent.then(() => "taken", String);
  };
  await expect.poll(trial).toContain("no Domains here");
  return {
    [Symbol.asyncDispose]: async () => {
      for (const path of [BINDINGS, POLICIES])
        await connection.request({ method: "DELETE", path: `${path}/${name}`, signal: signal() });
    },
  };
}

async function notesOn({ read, namespace }: World, ingress: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of read.pages(Event, { namespace }, signal())) {
    const about = items.filter(({ regarding }) => regarding.kind === Ingress.kind && regarding.name === ingress);
    found.push(...about.map(({ reason, note }) => `${reason} ${note}`));
  }
  return found;
}
