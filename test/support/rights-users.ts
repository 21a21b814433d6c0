// What users do in the life of an install: their AgentEndpoints are served; their Ingresses, LoadBalancer Services, Gateways
// and routes become endpoints, change, and go, so that every right to their kinds is used.
import type { KubeObject } from "#kube/kind.ts";
import {
  aGateway,
  aGatewayClass,
  anAgentEndpoint,
  anHTTPRoute,
  anIngress,
  anIngressClass,
  aService,
  aTCPRoute,
  aTLSRoute,
} from "./builders.ts";
import type { Ground } from "./rights-ground.ts";

/** An AgentEndpoint of which an agent has said something whose pod is gone: the leader asks for that pod. */
export async function agentThatGoes({ kubectl, asked }: Pick<Ground, "kubectl" | "asked">): Promise<void> {
  await put(kubectl, anAgentEndpoint({ metadata: { namespace: "shop" }, spec: { url: "https://shop.internal" } }));
  const looked = asked(/\/pods\?(?!.*watch=true)/);
  const status = { replicas: [{ pod: "gone", observedGeneration: 1, reason: "EndpointCreated" }] };
  const said = ["--subresource=status", "--type=merge", "-p", JSON.stringify({ status })];
  await kubectl(["patch", "agentendpoint/shop", "-n", "shop", ...said]);
  await looked;
  await kubectl(["delete", "agentendpoint/shop", "-n", "shop", "--timeout=150s"]);
}

/** An Ingress and a LoadBalancer Service become endpoints, change, and go. */
export async function ingressAndService(kubectl: Ground["kubectl"]): Promise<void> {
  // Where the chart makes it, it is there.
  await kubectl(["create", "-f", "-"], JSON.stringify(anIngressClass())).catch(() => undefined);
  const { loadBalancerClass: _, ...spec } = { ...aService().spec, type: "ClusterIP", ports: [{ port: 80 }] };
  const backend = { ...aService({ metadata: { name: "shop", namespace: "shop" } }), spec };
  const rules = anIngress().spec?.rules?.map((rule) => ({ ...rule, host: "life.ngrok.app" })) ?? [];
  await put(
    kubectl,
    backend,
    anIngress({ metadata: { namespace: "shop" }, spec: { rules } }),
    aService({ metadata: { namespace: "shop" } }),
  );
  const reached = "--for=jsonpath={.status.loadBalancer.ingress[0].hostname}";
  for (const what of ["ingress/shop", "service/database"])
    await kubectl(["wait", reached, what, "-n", "shop", "--timeout=150s"]);
  await kubectl(["annotate", "ingress/shop", "-n", "shop", "ngrok.com/description=changed"]);
  await kubectl(["annotate", "ingress/shop", "-n", "shop", "ngrok.com/mapping-strategy=endpoints-verbose"]);
  await kubectl(["wait", "--for=create", "cloudendpoint/life.ngrok.app", "-n", "shop", "--timeout=150s"]);
  for (const what of ["ingress/shop", "service/database", "service/shop"])
    await kubectl(["delete", what, "-n", "shop", "--timeout=150s"]);
  await kubectl(["wait", "--for=delete", "cloudendpoint/life.ngrok.app", "-n", "shop", "--timeout=150s"]);
  await kubectl(["delete", "domain/life-ngrok-app", "-n", "shop", "--timeout=150s"]);
}

/** A Gateway with a route of each kind becomes endpoints, and goes. */
export async function gatewayAndRoutes(kubectl: Ground["kubectl"]): Promise<void> {
  const { loadBalancerClass: _, ...spec } = { ...aService().spec, type: "ClusterIP", ports: [{ port: 80 }] };
  const listeners = [
    { name: "https", hostname: "gate.ngrok.app", port: 443, protocol: "HTTPS" },
    { name: "tls", hostname: "db.ngrok.app", port: 8443, protocol: "TLS", tls: { mode: "Passthrough" as const } },
    { name: "tcp", port: 5432, protocol: "TCP" },
  ];
  const at = (sectionName: string) => ({
    parentRefs: [{ name: "edge", sectionName }],
    rules: [{ backendRefs: [{ name: "shop", port: 80 }] }],
  });
  const metadata = { name: "life", namespace: "shop" };
  await put(
    kubectl,
    { ...aService({ metadata: { name: "shop", namespace: "shop" } }), spec } as KubeObject,
    aGatewayClass(),
    aGateway({ metadata: { namespace: "shop" }, spec: { gatewayClassName: "ngrok", listeners } }),
    { ...anHTTPRoute({ metadata }), spec: at("https") } as KubeObject,
    { ...aTLSRoute({ metadata }), spec: { ...at("tls"), hostnames: ["db.ngrok.app"] } } as KubeObject,
    { ...aTCPRoute({ metadata }), spec: at("tcp") } as KubeObject,
  );
  const routes = ["httproute/life", "tlsroute/life", "tcproute/life"];
  const accepted = `--for=jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True`;
  for (const what of routes) await kubectl(["wait", accepted, what, "-n", "shop", "--timeout=150s"]);
  const programmed = `--for=jsonpath={.status.listeners[0].conditions[?(@.type=="Programmed")].status}=True`;
  await kubectl(["wait", programmed, "gateway/edge", "-n", "shop", "--timeout=150s"]);
  await kubectl(["wait", "--for=condition=Accepted", "gatewayclass/ngrok", "--timeout=150s"]);
  for (const what of [...routes, "gateway/edge", "service/shop"])
    await kubectl(["delete", what, "-n", "shop", "--timeout=150s"]);
  await kubectl(["delete", "gatewayclass/ngrok", "--timeout=150s"]);
  for (const what of ["domain/gate-ngrok-app", "domain/db-ngrok-app"])
    await kubectl(["delete", what, "-n", "shop", "--timeout=150s"]);
}

async function put(kubectl: Ground["kubectl"], ...objects: KubeObject[]): Promise<void> {
  await kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}
