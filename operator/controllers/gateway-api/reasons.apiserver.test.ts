// Every reason that docs/gateway-api.md names is shown, on a real API server, by an object that deserves it; and a listener of
// bytes, of which one route alone can have it, goes to the next when the first is gone.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Event, Gateway, HTTPRoute, type RouteObject, Secret, TCPRoute } from "#kube/kinds.ts";
import type { GatewayListener, StrangerCondition } from "#kube/routing-objects.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aTCPRoute } from "#test/support/builders.ts";
import { aTlsSecret } from "#test/support/gateway-ground.ts";
import { type GatewayShop, installGatewayApi, startGatewayShop } from "#test/support/gateway-shop.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

async function open(): Promise<GatewayShop> {
  const shop = await startGatewayShop({ kubeconfig: plane.kubeconfig });
  await shop.makeClass(shop.className, shop.controllerName);
  await shop.service("web");
  return shop;
}

/** `object condition reason` of the page's last table, but for what lasts a moment only. */
function named(): string[] {
  const page = readFileSync("docs/gateway-api.md", "utf8");
  const rows = page.slice(page.indexOf("| Object | Condition |")).split("\n\n")[0]?.split("\n").slice(2) ?? [];
  let object = "";
  const found = rows.flatMap((row) => {
    const [, first = "", condition = "", text = ""] = row.split("|").map((cell) => cell.trim());
    object = first || object;
    return [...text.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, reason]) => `${object} ${condition} ${reason}`);
  });
  return found.filter((one) => !one.endsWith(" Pending")).toSorted();
}

const host = (name: string): Partial<GatewayListener> => ({ name, hostname: `${name}.ngrok.app` });
const tls = (name: string, more: object = {}): NonNullable<GatewayListener["tls"]> => ({
  certificateRefs: [{ name }],
  ...more,
});

const faulty: Partial<GatewayListener>[] = [
  { ...host("port"), protocol: "HTTP", port: 8080 },
  { name: "hostless" },
  { name: "udp", protocol: "UDP", port: 53 },
  { ...host("reserved"), tls: tls("cert", { options: { "ngrok.com/terminate-tls.server_certificate": "mine" } }) },
  { ...host("two"), port: 443 },
  { ...host("two"), name: "tls", protocol: "TLS", tls: { mode: "Passthrough" } },
  { ...host("absent"), tls: tls("absent") },
  { ...host("theirs"), tls: { certificateRefs: [{ name: "cert", namespace: "elsewhere" }] } },
  { ...host("kinds"), allowedRoutes: { kinds: [{ kind: "TCPRoute" }] } },
  { name: "all", hostname: "*.ngrok.app" },
];

const address = (value: string): object => ({ addresses: [{ type: "Hostname", value }] });
const client = (ref: object): object => ({ tls: { backend: { clientCertificateRef: ref } } });
const authorities = (...refs: object[]): object => ({
  listeners: [{ ...host("clients"), protocol: "HTTPS", port: 443, tls: tls("cert") }],
  tls: { frontend: { default: { validation: { caCertificateRefs: refs } } } },
});
const ca = { group: "", kind: "ConfigMap", name: "ca" };

/** By name, what is not in order with them; each with one good listener where it says nothing else. */
const gateways: Readonly<Record<string, object>> = {
  faulty: { listeners: faulty.map((one) => ({ protocol: "HTTPS", port: 443, ...one })) },
  none: { listeners: [{ ...host("none"), protocol: "HTTP", port: 8080 }] },
  outside: address("outside.example.com"),
  unassigned: { addresses: [{ type: "Hostname" }] },
  "no-client": client({ name: "absent" }),
  "their-client": client({ name: "cert", namespace: "elsewhere" }),
  "no-authority": authorities(ca),
  "no-kind": authorities({ ...ca, kind: "Secret" }),
  // Of both listeners' hosts one is the address; two ways to end TLS there.
  twice: {
    ...address("twice.ngrok.app"),
    listeners: [
      { ...host("twice"), protocol: "HTTPS", port: 443, tls: tls("cert") },
      { name: "wide", hostname: "*.ngrok.app", protocol: "HTTPS", port: 443 },
    ],
  },
};

const rule = (more: object = {}): object => ({ backendRefs: [{ name: "web", port: 80 }], ...more });
const routes: Readonly<Record<string, object>> = {
  section: { parentRefs: [{ name: "edge", sectionName: "absent" }] },
  kind: { parentRefs: [{ name: "tcp" }] },
  host: { hostnames: ["elsewhere.example.com"] },
  lost: { rules: [rule({ backendRefs: [{ name: "absent", port: 80 }] })] },
  strange: { rules: [rule({ backendRefs: [{ group: "example.com", kind: "Bucket", name: "web", port: 80 }] })] },
  theirs: { rules: [rule({ backendRefs: [{ name: "web", namespace: "elsewhere", port: 80 }] })] },
  partly: {
    rules: [rule({ filters: [{ type: "RequestMirror", requestMirror: { backendRef: { name: "web", port: 80 } } }] })],
  },
};

const tcp = {
  addresses: [{ type: "Hostname", value: "1.tcp.ngrok.io" }],
  listeners: [{ name: "tcp", port: 5432, protocol: "TCP" }],
};

function tcpRoute(name: string): RouteObject {
  const { spec: _, ...bare } = aTCPRoute({ metadata: { name } });
  return { ...bare, spec: { parentRefs: [{ name: "tcp" }], rules: [{ backendRefs: [{ name: "web", port: 80 }] }] } };
}

/** `object condition reason` of all conditions of the world. */
async function shown({ world }: GatewayShop): Promise<string[]> {
  const signal = AbortSignal.timeout(60_000);
  const all = async <T extends KubeObject>(kind: Kind<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const { items } of world.read.pages(kind, { namespace: world.namespace }, signal)) found.push(...items);
    return found;
  };
  const line = (what: string) => (one: StrangerCondition) => `${what} ${one.type} ${one.reason}`;
  const ofGateways = (await all(Gateway)).flatMap(({ status }) => [
    ...(status?.conditions ?? []).map(line("Gateway")),
    ...(status?.listeners ?? []).flatMap(({ conditions }) => conditions.map(line("listener"))),
  ]);
  const both = [...(await all(HTTPRoute)), ...(await all(TCPRoute))];
  const ofRoutes = both.flatMap(({ status }) =>
    (status?.parents ?? []).flatMap(({ conditions = [] }) => conditions.map(line("route, for each Gateway"))),
  );
  return [...new Set([...ofGateways, ...ofRoutes])];
}

test("every reason that the page names is shown by an object that deserves it", async () => {
  await using shop = await open();
  const { world } = shop;
  await world.create(Secret, aTlsSecret("cert"));
  for (const [name, spec] of Object.entries(gateways))
    await world.create(Gateway, shop.gateway(`${name}.ngrok.app`, { metadata: { name }, spec }));
  await world.create(Gateway, shop.gateway("edge.ngrok.app"));
  await world.create(Gateway, shop.gateway("", { metadata: { name: "tcp" }, spec: tcp }));
  for (const [name, spec] of Object.entries(routes)) await world.create(HTTPRoute, shop.route(name, "web", { spec }));
  for (const name of ["first", "second"]) await world.create(TCPRoute, tcpRoute(name));
  const wanted = named();
  expect(wanted.length).toBeGreaterThan(25);
  const lacking = async (): Promise<string[]> => {
    const seen = await shown(shop);
    return wanted.filter((one) => !seen.includes(one));
  };
  await expect.poll(lacking, { interval: 500 }).toEqual([]);
});

test("of two TCPRoutes on one listener the first has it, the other is told so, and comes next", async () => {
  await using shop = await open();
  const { world } = shop;
  await world.create(Gateway, shop.gateway("", { metadata: { name: "tcp" }, spec: tcp }));
  const accepted = ({ status }: RouteObject): string => {
    const found = status?.parents?.[0]?.conditions?.find(({ type }) => type === "Accepted");
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  await world.create(TCPRoute, tcpRoute("first"));
  await world.until(TCPRoute, "first", (one) => accepted(one).startsWith("True Accepted"));
  await world.create(TCPRoute, tcpRoute("second"));
  const second = await world.until(TCPRoute, "second", (one) => accepted(one).startsWith("False"));
  const taken = `listener tcp carries TCPRoute ${world.namespace}/first already, and bytes do not tell two routes apart: use another listener`;
  expect(accepted(second)).toBe(`False ListenerInUse: ${taken}`);
  const told = async (): Promise<string[]> => {
    const found: string[] = [];
    const signal = AbortSignal.timeout(60_000);
    for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal))
      found.push(...items.map(({ regarding, reason, note }) => `${regarding.name} ${reason} ${note}`));
    return found;
  };
  await expect.poll(told).toContain(`second ConfigError spec.parentRefs[0]: ${taken}`);
  const counts = await world.until(Gateway, "tcp", ({ status }) => status?.listeners?.[0]?.attachedRoutes !== 0);
  expect(counts.status?.listeners?.[0]?.attachedRoutes).toBe(1);

  await world.remove(TCPRoute, "first");
  const next = await world.until(TCPRoute, "second", (one) => accepted(one).startsWith("True"));
  expect(accepted(next)).toContain("True Accepted");
});
