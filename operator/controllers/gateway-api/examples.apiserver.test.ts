// docs/gateway-api.md promises what its examples become and what its objects say of themselves: each example is applied to a
// real API server and served there, and every reason that the page names is shown there by an object that deserves it.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kind, KubeObject } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  type GatewayClassObject,
  type GatewayObject,
  HTTPRoute,
  ReferenceGrant,
  type RouteObject,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { becameIn, type DocExample, docExamples } from "#test/support/doc-examples.ts";
import {
  gatewayControllers,
  type GatewayShop,
  installGatewayApi,
  startGatewayShop,
} from "#test/support/gateway-shop.ts";
import { startWorld, type World } from "#test/support/world.ts";

const page = readFileSync("docs/gateway-api.md", "utf8");
const examples = docExamples(page).filter(({ promised }) => promised.length > 0);
const ROUTES = [HTTPRoute, TCPRoute, TLSRoute];
const KINDS: readonly Kind[] = [Gateway, ...ROUTES, ReferenceGrant, Service, Secret, ConfigMap];

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

/** The namespaces of an example, each with a world of its own; that of the Gateway is the shop's. */
interface Opened extends AsyncDisposable {
  readonly shop: GatewayShop;
  readonly places: ReadonlyMap<string, World>;
}

async function open({ objects }: DocExample): Promise<Opened> {
  const kubeconfig = plane.kubeconfig;
  // The others would look after what other tests have left in the cluster.
  const controllers = gatewayControllers.filter(({ name }) => !["domain", "cloud-endpoint"].includes(name));
  const shop = await startGatewayShop({ kubeconfig, everywhere: true, controllers });
  await shop.makeClass(shop.className, shop.controllerName);
  const [home = "", ...others] = new Set(objects.map(({ metadata }) => metadata.namespace ?? ""));
  const places = new Map([[home, shop.world]]);
  for (const place of others) places.set(place, await startWorld({ controllers: [], kubeconfig, start: false }));
  return {
    shop,
    places,
    async [Symbol.asyncDispose]() {
      for (const world of [...places.values()].toReversed()) await world[Symbol.asyncDispose]();
    },
  };
}

async function apply({ shop, places }: Opened, object: KubeObject): Promise<void> {
  const kind = KINDS.find((one) => one.kind === object.kind);
  const world = places.get(object.metadata.namespace ?? "");
  if (kind === undefined || world === undefined) throw new Error(`the page has a ${object.kind}`);
  const own = JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (key === "gatewayClassName") return shop.className;
    return key === "namespace" ? (places.get(String(value))?.namespace ?? value) : value;
  }) as KubeObject;
  await world.create(kind, own);
}

async function became({ places }: Opened): Promise<string[]> {
  const lines = [...places].map(async ([name, world]) => await becameIn(world, name));
  return (await Promise.all(lines)).flat().toSorted();
}

type Conditions = readonly { type: string; status: string; reason?: string; observedGeneration?: number }[];

/** `type status` of each, sorted; what was observed is the object as it stands. */
function said({ metadata }: KubeObject, conditions: Conditions = []): string[] {
  for (const { observedGeneration } of conditions) expect(observedGeneration).toBe(metadata.generation);
  return conditions.map(({ type, status }) => `${type} ${status}`).toSorted();
}

test.for(examples)(
  "the example $name becomes what the page says, and its objects say that all is well",
  async (example) => {
    await using opened = await open(example);
    const { shop, places } = opened;
    const grants = example.objects.filter(({ kind }) => kind === ReferenceGrant.kind);
    for (const object of example.objects.filter((one) => !grants.includes(one))) await apply(opened, object);
    if (grants.length > 0) await leadsNowhere(opened, example);
    for (const grant of grants) await apply(opened, grant);
    await expect.poll(async () => await became(opened)).toEqual(example.promised);

    for (const { kind, metadata } of example.objects) {
      const world = places.get(metadata.namespace ?? "")!;
      if (kind === Gateway.kind) await isWell(world, metadata.name);
      for (const route of ROUTES.filter((one) => one.kind === kind)) {
        const of = ({ status }: RouteObject): Conditions => status?.parents?.[0]?.conditions ?? [];
        const all = (one: RouteObject): boolean =>
          of(one).length > 0 && of(one).every(({ status }) => status === "True");
        const shown = await world.until(route, metadata.name, all);
        expect(said(shown, of(shown))).toEqual(["Accepted True", "ResolvedRefs True"]);
      }
    }
    const signal = AbortSignal.timeout(60_000);
    const found = await shop.world.read.get<GatewayClassObject>(GatewayClass, { name: shop.className }, signal);
    expect(said(found!, found?.status?.conditions as Conditions)).toEqual(["Accepted True"]);
    await shop.world.quiet();
    expect(await became(opened)).toEqual(example.promised);
  },
);

async function isWell(world: World, name: string): Promise<void> {
  const isProgrammed = ({ status }: GatewayObject): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === "Programmed" && is === "True") === true &&
    status.listeners?.every(({ attachedRoutes }) => attachedRoutes === 1) === true;
  const gateway = await world.until(Gateway, name, isProgrammed);
  const { conditions, listeners = [] } = gateway.status ?? {};
  expect(said(gateway, conditions as Conditions)).toEqual(["Accepted True", "Programmed True", "ResolvedRefs True"]);
  for (const listener of listeners)
    expect(said(gateway, listener.conditions)).toEqual([
      "Accepted True",
      "Conflicted False",
      "Programmed True",
      "ResolvedRefs True",
    ]);
}

/** Without the grant: as the page says. */
async function leadsNowhere({ places }: Opened, { objects }: DocExample): Promise<void> {
  const { metadata } = objects.find(({ kind }) => kind === HTTPRoute.kind)!;
  const world = places.get(metadata.namespace ?? "")!;
  const shown = await world.until(HTTPRoute, metadata.name, ({ status }) =>
    (status?.parents ?? []).some(({ conditions }) => conditions?.some(({ reason }) => reason === "RefNotPermitted")),
  );
  expect(JSON.stringify(shown.status)).toContain("create a ReferenceGrant in namespace");
}
