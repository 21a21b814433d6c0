// Whose an Ingress is, and that it can always go: by class, without one, and in the middle of an uninstall that takes the
// IngressClass away first.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { Event, Ingress, IngressClass, type IngressObject, Service } from "#kube/kinds.ts";
import { aService } from "#test/support/builders.ts";
import { type Shop, startShop } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const isHeld = ({ metadata }: IngressObject): boolean => metadata.finalizers?.includes(FINALIZER) === true;

async function endpoints(world: World): Promise<string[]> {
  await world.quiet();
  const found: string[] = [];
  for await (const { items } of world.read.pages(AgentEndpoint, { namespace: world.namespace }, signal()))
    found.push(...items.map(({ spec }) => spec.url));
  return found;
}

/** Reasons and notes of the events on an Ingress. */
async function told({ read, namespace }: World, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of read.pages(Event, { namespace }, signal()))
    found.push(
      ...items.filter(({ regarding }) => regarding.name === name).map(({ reason, note }) => `${reason} ${note}`),
    );
  return found;
}

async function setClass({ world }: Shop, value: string): Promise<void> {
  const { uid = "" } = (await world.get(Ingress, "shop"))?.metadata ?? {};
  const at = { name: "shop", namespace: world.namespace };
  await world.write.patch(Ingress, at, uid, [{ op: "add", path: "/spec/ingressClassName", value }], signal());
}

async function removeClass({ world, className }: Shop): Promise<void> {
  const found = await world.read.get(IngressClass, { name: className }, signal());
  const uid = found?.metadata.uid ?? "";
  await world.write.remove({ kind: IngressClass, ref: { name: className }, uid }, signal());
}

/** An Ingress of ours, and the class of another controller, by its name. */
async function besideAnother(shop: Shop): Promise<string> {
  await shop.service("web");
  const other = `${shop.className}-other`;
  await shop.otherClass(other, "example.com/other");
  await shop.world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  return other;
}

test("an Ingress that moves to another class loses endpoint, finalizer and stamp; back again it gets them anew", async () => {
  await using shop = await startShop();
  const { world } = shop;
  const other = await besideAnother(shop);
  await world.until(Ingress, "shop", isHeld);
  await expect.poll(async () => await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
  await setClass(shop, other);
  const freed = await world.until(Ingress, "shop", (ingress) => !isHeld(ingress));
  expect(freed.metadata.annotations?.[DRAIN_OWNER]).toBeUndefined();
  await expect.poll(async () => await endpoints(world)).toEqual([]);
  await setClass(shop, shop.className);
  await world.until(Ingress, "shop", isHeld);
  await expect.poll(async () => await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
});

const isReached = ({ status }: IngressObject): boolean => (status?.loadBalancer?.ingress?.length ?? 0) > 0;

test("an Ingress that is served no more shows no longer where it leads, and shows it again when it is", async () => {
  await using shop = await startShop();
  const { world } = shop;
  const other = await besideAnother(shop);
  await world.until(Ingress, "shop", isReached);
  await setClass(shop, other);
  const freed = await world.until(Ingress, "shop", (ingress) => !isHeld(ingress));
  expect(isReached(freed)).toBe(false);
  await setClass(shop, shop.className);
  await world.until(Ingress, "shop", isReached);
  await world.touch(Ingress, "shop", "/spec/rules", hostless(shop).spec?.rules);
  await world.until(Ingress, "shop", (ingress) => !isReached(ingress));
});

test("an Ingress of another controller's class is left alone", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await shop.service("web");
  await shop.otherClass(`${shop.className}-other`, "example.com/other");
  const ingressClassName = `${shop.className}-other`;
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, { spec: { ingressClassName } }));
  await world.quiet();
  expect(world.written()).toEqual([]);
  expect(await told(world, "shop")).toEqual([]);
});

const leftovers: readonly { what: string; change: (shop: Shop) => Parameters<Shop["ingress"]>[2] }[] = [
  {
    what: "of another controller's class",
    change: ({ className }) => ({ spec: { ingressClassName: `${className}-other` } }),
  },
  { what: "of a class that is not there", change: () => ({ spec: { ingressClassName: "gone" } }) },
  { what: "with a spec that cannot be served", change: () => ({ spec: { rules: [{ host: "shop.ngrok.app" }] } }) },
  { what: "of our class", change: () => ({}) },
];

test.for(leftovers)("a deleting Ingress $what is let go (W18)", async ({ change }) => {
  await using shop = await startShop({ start: false });
  const { world } = shop;
  await shop.otherClass(`${shop.className}-other`, "example.com/other");
  const metadata = { finalizers: [FINALIZER, "example.com/theirs"] };
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, { ...change(shop), metadata }));
  await world.remove(Ingress, "shop");
  world.start();
  const freed = await world.until(Ingress, "shop", (ingress) => !isHeld(ingress));
  expect(freed.metadata.finalizers).toEqual(["example.com/theirs"]);
});

test("an IngressClass that goes takes nothing with it: an uninstall takes it first (F1); what is deleted then goes all the same", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await shop.service("web");
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  await world.until(Ingress, "shop", isHeld);
  await expect.poll(async () => await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
  await removeClass(shop);
  expect(await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
  expect(isHeld((await world.get(Ingress, "shop"))!)).toBe(true);
  await expect
    .poll(async () => await told(world, "shop"))
    .toContainEqual(expect.stringMatching(/^NoDefaultIngressClassFound .*create one/));
  await world.manager.stop();
  world.start();
  expect(await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
  await world.remove(Ingress, "shop");
  await world.gone(Ingress, "shop");
  await expect.poll(async () => await endpoints(world)).toEqual([]);
});

test("an Ingress that comes to name a class which is not there, while ours is, is served as before and told so", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await shop.service("web");
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  await world.until(Ingress, "shop", isHeld);
  await expect.poll(async () => await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
  await setClass(shop, "disabled");
  await expect
    .poll(async () => await told(world, "shop"))
    .toContainEqual(
      expect.stringMatching(/^NoDefaultIngressClassFound .*no IngressClass disabled, .*delete the Ingress$/),
    );
  expect(await endpoints(world)).toEqual(["https://shop.ngrok.app"]);
});

test("an Ingress whose class has gone is ours by finalizer and stamp alone: who takes either off is heard, and it is served no more", async () => {
  await using shop = await startShop();
  const { world } = shop;
  for (const name of ["one", "two"]) {
    await shop.service(name);
    await world.create(Ingress, shop.ingress(name, { [`${name}.ngrok.app`]: name }));
    await world.until(Ingress, name, isHeld);
  }
  await removeClass(shop);
  const served = async (): Promise<string[]> => (await endpoints(world)).toSorted();
  await expect.poll(served).toEqual(["https://one.ngrok.app", "https://two.ngrok.app"]);
  await world.touch(Ingress, "one", "/metadata/finalizers", []);
  await expect.poll(served).toEqual(["https://two.ngrok.app"]);
  await world.touch(Ingress, "two", "/metadata/annotations", {});
  await expect.poll(served).toEqual([]);
});

test("what keeps an Ingress from being served is told on it, with the remedy", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Ingress, hostless(shop));
  const annotations = { "k8s.ngrok.com/traffic-policy": "missing" };
  await world.create(Ingress, shop.ingress("policy", { "shop.ngrok.app": "web" }, { metadata: { annotations } }));
  const tells = async (name: string, words: RegExp): Promise<void> =>
    await expect.poll(async () => await told(world, name)).toContainEqual(expect.stringMatching(words));
  await tells("hostless", /^InvalidIngressSpec spec\.rules\[0\]\.host: .*write one/);
  await tells("policy", /^InvalidIngressSpec .*traffic-policy.*create it or name another/);
  await tells("policy", /^LegacyAnnotation k8s\.ngrok\.com\/traffic-policy: .*write ngrok\.com\/traffic-policy/);
});

function hostless(shop: Shop): IngressObject {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const rules = [{ http: { paths: [{ path: "/", pathType: "Prefix" as const, backend }] } }];
  return shop.ingress("hostless", {}, { spec: { rules } });
}

test("with the feature off nothing is done for an Ingress or a LoadBalancer Service", async () => {
  await using shop = await startShop({ options: { features: ["gateway"] } });
  const { world } = shop;
  await shop.service("web");
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  await world.quiet();
  expect(world.written()).toEqual([]);
});

test("what was held while the feature was on can go after it was switched off (F9)", async () => {
  await using shop = await startShop({ options: { features: ["gateway"] } });
  const { world } = shop;
  const held = { metadata: { finalizers: [FINALIZER] } };
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, held));
  await world.create(Service, aService(held));
  await world.quiet();
  expect(world.written()).toEqual([]);
  await world.remove(Ingress, "shop");
  await world.remove(Service, "database");
  await world.gone(Ingress, "shop");
  await world.gone(Service, "database");
});
