// The page's examples and our statuses on an API server with Gateway API: it takes both, and gives back what we wrote, so that
// the next look finds nothing to write.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { connect } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, HTTPRoute, ReferenceGrant, Service, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aGateway, aGatewayClass } from "#test/support/builders.ts";
import { aWebRoute, gatewayOptions } from "#test/support/gateway-ground.ts";
import { patient } from "#test/support/patient.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { index } from "../manifests.ts";
import { routeStatus } from "./route-status.ts";
import { ROUTE_KINDS, routesOf } from "./routes.ts";
import { gatewayClassStatus, gatewayStatus } from "./status.ts";
import { readGateways } from "./virtual-hosts.ts";
import { gatewayKey } from "./view.ts";

const kinds: readonly Kind[] = [GatewayClass, Gateway, HTTPRoute, TCPRoute, TLSRoute, ReferenceGrant, Service];

const page = readFileSync("docs/gateway-api.md", "utf8");
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml = ""]) =>
  parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject),
);
/** Not ours to read, so our types do not know its field. */
const mirror = { type: "RequestMirror", requestMirror: { backendRef: { name: "web", port: 80 } } };
/** Everything that a status can complain of. */
const faulty: KubeObject[] = [
  aGateway({
    metadata: { name: "faulty", namespace: "shop" },
    spec: {
      listeners: [
        { name: "port", protocol: "HTTP", port: 8080, hostname: "port.example.com" },
        { name: "udp", protocol: "UDP", port: 53 },
        { name: "host", protocol: "HTTP", port: 80 },
        {
          name: "cert",
          protocol: "HTTPS",
          port: 443,
          hostname: "cert.example.com",
          tls: { certificateRefs: [{ name: "absent" }] },
        },
        {
          name: "kinds",
          protocol: "HTTPS",
          port: 443,
          hostname: "kinds.example.com",
          tls: { certificateRefs: [{ name: "absent", namespace: "data" }] },
          allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] },
        },
      ],
    },
  }),
  aWebRoute(
    {
      parentRefs: [
        { name: "faulty", sectionName: "absent" },
        { name: "faulty", sectionName: "kinds" },
        { name: "edge" },
      ],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          filters: [
            {
              type: "ExtensionRef",
              extensionRef: { group: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy", name: "absent" },
            },
          ],
          backendRefs: [{ name: "absent", port: 1 }],
        },
        // A reference that is lost is told of as such; this is nothing that ngrok can do.
        {
          filters: [mirror],
          backendRefs: [{ name: "web", port: 80 }],
        },
      ],
    },
    { name: "faulty", namespace: "shop" },
  ),
  aGatewayClass({ metadata: { name: "other" }, spec: { controllerName: "example.com/other" } }),
];

test("an API server takes the page's examples and every status, and a second look writes nothing", async () => {
  await using plane = await ownControlPlane();
  const program = join(await binaries(console.log), "kubectl");
  const kubectl = async (args: readonly string[], input = ""): Promise<string> =>
    await command(program, ["--kubeconfig", plane.kubeconfig, ...args], { input });
  const crds = await kubectl([
    "create",
    "-o",
    "name",
    ...(await gatewayApiCrds("experimental", console.log)).flatMap((file) => ["-f", file]),
  ]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...crds.trim().split("\n")]);
  for (const namespace of ["shop", "bank", "data", "payments"]) await kubectl(["create", "namespace", namespace]);
  // Several examples have a Gateway of one name: the later takes its place.
  await kubectl(
    ["apply", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items: [...examples, ...faulty] }),
  );

  const { signal } = new AbortController();
  await using connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  const read = reader(connection);
  const everything = async (): Promise<KubeObject[]> => {
    const all: KubeObject[] = [];
    for (const kind of kinds)
      for await (const { items } of read.pages(kind, {}, signal))
        all.push(
          ...items.map((one) => ({ ...one, apiVersion: `${kind.group}/v1`.replace(/^\//, ""), kind: kind.kind })),
        );
    return all;
  };
  const statuses = async (at: string): Promise<{ kind: Kind; object: KubeObject; status: object }[]> => {
    const view = { manifests: index(await everything()), options: gatewayOptions };
    const gateways = readGateways(view);
    return [
      ...view.manifests
        .list(GatewayClass)
        .filter(({ metadata }) => metadata.name === "ngrok")
        .map((object) => ({ kind: GatewayClass, object, status: gatewayClassStatus(object, at) })),
      ...[...gateways.values()].map((facts) => ({
        kind: Gateway,
        object: facts.gateway,
        status: gatewayStatus(view, facts, { at, applied: true }),
      })),
      ...ROUTE_KINDS.flatMap((kind) =>
        routesOf(view, kind).map((object) => ({
          kind,
          object,
          status: routeStatus(view, kind.kind, object, gateways, at),
        })),
      ),
    ];
  };

  const first = await statuses("2026-01-01T00:00:00Z");
  for (const { kind, object, status } of first) {
    const { name, namespace } = object.metadata;
    await applyStatus(connection, kind, { name, namespace }, status, "ngrok-operator-test", signal);
  }
  const second = await statuses("2026-02-01T00:00:00Z");
  for (const { object, status } of second) expect((object as { status?: object }).status).toEqual(status);
  const told = JSON.stringify(second.map(({ status }) => status));
  for (const reason of [
    "PortUnavailable",
    "UnsupportedProtocol",
    "HostnameRequired",
    "InvalidCertificateRef",
    "InvalidRouteKinds",
    "NoMatchingParent",
    "BackendNotFound",
    "UnsupportedValue",
  ])
    expect(told).toContain(reason);
  expect(second.map(({ object }) => gatewayKey(object))).toContain("shop/faulty");
});
