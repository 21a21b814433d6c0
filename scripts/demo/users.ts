// What a cluster's users ask of ngrok by objects of their own: an Ingress, a Gateway with its route, a LoadBalancer Service. And
// the proof that an uninstall leaves these alone. It imports nothing of the product: who judges must not share a mistake.
import { isDeepStrictEqual } from "node:util";
import type { Kubectl } from "#test/support/kubectl.ts";
import type { UsersFeature } from "./features.ts";

export const USERS = "demo-users";

export interface UsersObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly spec?: unknown;
}

/** Where the users' objects lie, and their GatewayClass, which lies in no namespace. */
export interface UsersPlace {
  readonly namespace: string;
  readonly gatewayClass: string;
}

export const DEMO: UsersPlace = { namespace: USERS, gatewayClass: "ngrok" };

/** What the users write down for these features, with the Services behind it. */
export function usersObjects(features: readonly UsersFeature[], { namespace, gatewayClass } = DEMO): UsersObject[] {
  const metadata = (name: string): UsersObject["metadata"] => ({
    name,
    namespace,
    labels: { team: "shop" },
    annotations: { "example.com/owner": "the users", "ngrok.com/mapping-strategy": "endpoints-verbose" },
  });
  const plain = (name: string): UsersObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { ports: [{ name: "http", port: 80 }], selector: { app: name } },
  });
  const asked: Readonly<Record<UsersFeature, () => UsersObject[]>> = {
    ingress: () => [plain("cart"), anIngress(metadata("shop"))],
    gateway: () => [aGatewayClass(gatewayClass), aGateway(metadata("edge"), gatewayClass), aRoute(metadata("api"))],
    service: () => [aLoadBalancer(metadata("database"))],
  };
  const backend = features.some((feature) => feature !== "service") ? [plain("web")] : [];
  return [...backend, ...features.flatMap((feature) => asked[feature]())];
}

function anIngress(metadata: UsersObject["metadata"]): UsersObject {
  const paths = ["cart", "web"].map((name) => ({
    path: name === "web" ? "/" : `/${name}`,
    pathType: "Prefix",
    backend: { service: { name, port: { name: "http" } } },
  }));
  const spec = { ingressClassName: "ngrok", rules: [{ host: "shop.example.com", http: { paths } }] };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec };
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";

function aGatewayClass(name: string): UsersObject {
  const spec = { controllerName: "ngrok.com/gateway-controller" };
  return { apiVersion: GATEWAY_API, kind: "GatewayClass", metadata: { name }, spec };
}

function aGateway(metadata: UsersObject["metadata"], gatewayClassName: string): UsersObject {
  const listener = { name: "https", protocol: "HTTPS", port: 443, hostname: "api.example.com" };
  return {
    apiVersion: GATEWAY_API,
    kind: "Gateway",
    metadata,
    spec: { gatewayClassName, listeners: [listener] },
  };
}

function aRoute(metadata: UsersObject["metadata"]): UsersObject {
  const rule = { matches: [{ path: { type: "PathPrefix", value: "/v1" } }], backendRefs: [{ name: "web", port: 80 }] };
  return {
    apiVersion: GATEWAY_API,
    kind: "HTTPRoute",
    metadata,
    spec: { parentRefs: [{ name: "edge" }], rules: [rule] },
  };
}

function aLoadBalancer(metadata: UsersObject["metadata"]): UsersObject {
  const spec = {
    type: "LoadBalancer",
    loadBalancerClass: "ngrok",
    selector: { app: "database" },
    ports: [{ name: "postgres", port: 5432 }],
  };
  return { apiVersion: "v1", kind: "Service", metadata, spec };
}

/** What ngrok holds for them over its REST API: for each a CloudEndpoint, and its Domain or its address. */
export function remoteOf(features: readonly UsersFeature[]): number {
  return features.length * 2;
}

/** `ingress demo-users/shop`, as residue.ts names carriers. */
export function nameOf({ kind, metadata: { namespace, name } }: UsersObject): string {
  return `${kind.toLowerCase()} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** Those that are the operator's to serve; the Services behind them are nobody's but the users'. */
export function isServed({ kind, spec }: UsersObject): boolean {
  return kind !== "Service" || (spec as { type?: string }).type === "LoadBalancer";
}

/**
 * Creates them in a namespace that is there; resolves to what the API server answered to their author, before anybody else
 * had a hand in it.
 */
export async function write(kubectl: Kubectl, objects: readonly UsersObject[]): Promise<UsersObject[]> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  const answer = await kubectl.run(["apply", "-f", "-", "-o", "json"], { input: JSON.stringify(list) });
  return [...itemsIn(answer)];
}

/** What somebody did to any of them, in words: two questions, however many there are. */
export async function harmToAll(kubectl: Kubectl, before: readonly UsersObject[]): Promise<string[]> {
  const spaces = new Set(before.map(({ metadata }) => metadata.namespace));
  const answers = [...spaces].map(async (namespace) => {
    const names = before
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
    const at = namespace === undefined ? [] : ["-n", namespace];
    return itemsIn(await kubectl.run([...at, "get", ...names, "--ignore-not-found", "-o", "json"]));
  });
  const after = new Map((await Promise.all(answers)).flat().map((object) => [nameOf(object), object]));
  return before.flatMap((object) => harmTo(object, after.get(nameOf(object))));
}

/** kubectl prints one object as itself, several as a List, none as nothing. */
function itemsIn(text: string): readonly UsersObject[] {
  if (text === "") return [];
  const answer = JSON.parse(text) as UsersObject | { items: UsersObject[] };
  return "items" in answer ? answer.items : [answer];
}

export async function now(kubectl: Kubectl, object: UsersObject): Promise<UsersObject | undefined> {
  const { kind, metadata } = object;
  const at = metadata.namespace === undefined ? [] : ["-n", metadata.namespace];
  const text = await kubectl.run([...at, "get", kind.toLowerCase(), metadata.name, "--ignore-not-found", "-o", "json"]);
  return text === "" ? undefined : (JSON.parse(text) as UsersObject);
}

const OURS = /^(k8s\.)?ngrok\.com\//;
const STAMP = "ngrok.com/drain-owner";
const OUR_FINALIZERS = /^((k8s\.)?ngrok\.com\/finalizer|gateway-exists-finalizer\.gateway\.networking\.k8s\.io)$/;

/** What somebody did to a user's object, in words; nothing when it is as its author left it. */
export function harmTo(before: UsersObject, after: UsersObject | undefined): string[] {
  const name = nameOf(before);
  if (after === undefined) return [`${name} is gone`];
  const { metadata: a } = before;
  const { metadata: b } = after;
  const held = (b.finalizers ?? []).filter((one) => OUR_FINALIZERS.test(one));
  const complaints: [isSo: boolean, what: string][] = [
    [a.uid !== b.uid, "was made anew"],
    [b.deletionTimestamp !== undefined, "is being deleted"],
    [!isDeepStrictEqual(before.spec, after.spec), "has another spec"],
    [!isDeepStrictEqual(a.labels ?? {}, b.labels ?? {}), "has other labels"],
    [!isDeepStrictEqual(theirs(before), theirs(after)), "has other annotations"],
    [held.length > 0, `carries our finalizer ${held.join(", ")}`],
    [b.annotations?.[STAMP] !== undefined, `carries our stamp ${STAMP}`],
    [!isDeepStrictEqual(strangers(a.finalizers), strangers(b.finalizers)), "has lost or got a stranger's finalizer"],
  ];
  return complaints.flatMap(([isSo, what]) => (isSo ? [`${name} ${what}`] : []));
}

/** The annotations that are not the operator's to write. What its author wrote stays the author's, whatever the prefix. */
function theirs({ metadata: { annotations = {} } }: UsersObject): Record<string, string> {
  const written = ["ngrok.com/mapping-strategy"];
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !OURS.test(key) || written.includes(key)));
}

function strangers(finalizers: readonly string[] = []): string[] {
  return finalizers.filter((one) => !OUR_FINALIZERS.test(one));
}
