// LoadBalancer Services of class ngrok: what they say, where they listen, and the endpoints that they become. Pure; the
// Service controller writes what ngrok-translate shows.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { isOurService } from "#api/classes.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { domainNeed } from "#api/domain-need.ts";
import { controllerLabels } from "#api/keys.ts";
import { parseEndpointUrl } from "#api/names.ts";
import type { ObjectMeta, OwnerReference } from "#kube/kind.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import {
  annotation,
  bindingsOf,
  fieldOf,
  mappingStrategyOf,
  poolingEnabledOf,
  PREFIX,
  trafficPolicyOf,
  unheeded,
} from "./annotations.ts";
import { typeOf } from "./endpoints.ts";
import {
  type DomainWish,
  type Manifests,
  type MappingStrategy,
  type Options,
  type Problem,
  problemOf,
} from "./model.ts";
import { EMPTY_POLICY, joinPolicies, type Policy, policyJson, policyWith } from "./policy.ts";
import { type Aside, unserved } from "./service-asides.ts";

/** A URL that leaves host and port to ngrok. */
const ANY_TCP = "tcp://";
/** Stands for a uid that the API server has yet to give. */
const ANY_UID = "uid";

export type Listen =
  /** At a URL that the user wrote. */
  | { readonly is: "given"; readonly url: string }
  /** At the reserved address that an earlier reconcile wrote down. */
  | { readonly is: "recorded"; readonly url: string; readonly address: string }
  /** At an address that is still to be reserved; `problem` is what is wrong with the one that was written down. */
  | { readonly is: "reserve"; readonly problem?: string };

export interface Settings {
  readonly strategy: MappingStrategy;
  readonly bindings: readonly string[];
  readonly policy: Policy;
  readonly poolingEnabled: boolean | undefined;
  readonly clusterDomain: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a Service asks for. */
export interface Asked {
  /** The first one: the others are not served. */
  readonly port: number;
  readonly listen: Listen;
  readonly settings: Settings;
}

export interface Refused {
  /** Of the event and the condition that say so. */
  readonly reason: "NoPorts" | "FailedToBuildEndpoints" | "FailedToGetListenerURL";
  readonly problems: readonly Problem[];
}

export interface Judged {
  readonly verdict: Asked | Refused;
  readonly asides: readonly Aside[];
}

/** What the Service and its annotations say. Refused is whoever asks for what is not there: better no endpoint than an open one. */
export function judgeService(
  service: ServiceObject,
  manifests: Manifests,
  options: Pick<Options, "clusterDomain" | "managerNamespace" | "managerName">,
): Judged {
  const refused = (reason: Refused["reason"], problems: readonly Problem[]): Refused => ({ reason, problems });
  const port = service.spec?.ports?.[0]?.port;
  if (port === undefined) {
    const problem = problemOf(Service, service, "spec.ports", "is empty: write the port to serve");
    return { verdict: refused("NoPorts", [problem]), asides: [] };
  }
  const strategy = mappingStrategyOf(Service, service);
  const policy = trafficPolicyOf(Service, service, manifests);
  const bindings = bindingsOf(Service, service);
  const told: readonly Aside[] = unheeded(Service, service).map((problem) => ({ event: "ConfigError", problem }));
  const asides: readonly Aside[] =
    strategy.problem === undefined
      ? told
      : [{ event: "FailedToGetMappingStrategy", problem: strategy.problem }, ...told];
  const problems = [policy, bindings].flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) return { verdict: refused("FailedToBuildEndpoints", problems), asides };
  const url = annotation(service, "url");
  const listen = listenAt(url?.value, annotation(service, "computed-url")?.value);
  if (listen.is === "invalid") {
    const problem = problemOf(Service, service, fieldOf(url ?? { key: `${PREFIX}url` }), listen.problem);
    return { verdict: refused("FailedToGetListenerURL", [problem]), asides };
  }
  const settings = {
    strategy: strategy.value,
    bindings: bindings.value,
    policy: policy.value?.policy ?? EMPTY_POLICY,
    poolingEnabled: poolingEnabledOf(service),
    clusterDomain: options.clusterDomain,
    labels: controllerLabels(options.managerNamespace, options.managerName),
  };
  const terms = { ...settings, url: listen.is === "reserve" ? undefined : listen.url };
  return { verdict: { port, listen, settings }, asides: [...asides, ...unserved(service, terms)] };
}

/** @param given annotation `url`, @param computed annotation `computed-url` */
export function listenAt(
  given: string | undefined,
  computed: string | undefined,
): Listen | { readonly is: "invalid"; readonly problem: string } {
  const url = given ?? ANY_TCP;
  if (url !== ANY_TCP) {
    const parsed = parseEndpointUrl(url);
    return "problem" in parsed ? { is: "invalid", problem: parsed.problem } : { is: "given", url };
  }
  if (computed === undefined || computed === "") return { is: "reserve" };
  const parsed = parseEndpointUrl(computed);
  if ("problem" in parsed) return { is: "reserve", problem: parsed.problem };
  const address = addressIn(computed);
  return address === undefined ? { is: "reserve" } : { is: "recorded", url: computed, address };
}

/** `host:port` of a tcp:// URL, however it is written. */
export function addressIn(text: string): string | undefined {
  const parsed = parseEndpointUrl(text);
  if ("problem" in parsed || parsed.url.scheme !== "tcp") return undefined;
  return `${parsed.url.host}:${parsed.url.port}`;
}

export interface Wanted {
  readonly agent: AgentEndpoint;
  readonly cloud: CloudEndpoint | undefined;
}

/** The endpoints of the Service, at this URL. They have no name yet: the API server gives one from `generateName`. */
export function endpointsFor(service: ServiceObject, url: string, { port, settings }: Omit<Asked, "listen">): Wanted {
  const { uid = "", name, namespace = "" } = service.metadata;
  const { strategy, policy, clusterDomain, poolingEnabled } = settings;
  const upstream = { url: `tcp://${name}.${namespace}.${clusterDomain}:${port}` };
  const bindings = settings.bindings.length === 0 ? {} : { bindings: [...settings.bindings] };
  if (strategy === "endpoints") {
    const spec = { url, upstream, ...bindings, trafficPolicy: { inline: policyJson(policy) } };
    return {
      agent: { ...typeOf(AgentEndpoint), metadata: metadataFor(service, "", settings), spec },
      cloud: undefined,
    };
  }
  const internal = `tcp://${uid}.${name}.${namespace}.internal:${port}`;
  const forward = { actions: [{ type: "forward-internal", config: { url: internal } }] };
  const whole = policyJson(joinPolicies([policy, policyWith("on_tcp_connect", [forward])]));
  return {
    agent: {
      ...typeOf(AgentEndpoint),
      metadata: metadataFor(service, "internal-", settings),
      spec: { url: internal, upstream },
    },
    cloud: {
      ...typeOf(CloudEndpoint),
      metadata: metadataFor(service, "", settings),
      spec: {
        url,
        ...bindings,
        ...(poolingEnabled === undefined ? {} : { poolingEnabled }),
        // Older releases read `policy` alone, and may come back by a rollback.
        trafficPolicy: { inline: whole, policy: whole },
      },
    },
  };
}

/** An object without a name, as it is sent to be named. */
function metadataFor(service: ServiceObject, suffix: string, { labels }: Settings): ObjectMeta {
  const { name, namespace = "" } = service.metadata;
  // A generated suffix has five characters, and the API server cuts what is before it.
  const unnamed: Omit<ObjectMeta, "name"> = {
    generateName: `${name}-${suffix}`,
    namespace,
    labels: { ...labels },
    ownerReferences: [ownerOf(service)],
  };
  return unnamed as ObjectMeta;
}

/** Without blockOwnerDeletion: OpenShift admits that only from who may update the finalizers of Services. */
function ownerOf({ metadata: { name, uid = "" } }: ServiceObject): OwnerReference {
  return { apiVersion: "v1", kind: "Service", name, uid, controller: true };
}

export interface Served {
  readonly endpoints: readonly (CloudEndpoint | AgentEndpoint)[];
  readonly wishes: readonly DomainWish[];
  readonly problems: readonly Problem[];
}

/** What all of them become, for people: what ngrok and the API server have yet to give is told as pending. */
export function endpointsOfServices(manifests: Manifests, options: Options): Served {
  const each = manifests
    .list(Service)
    .filter(isOurService)
    .map((service) => served(service, manifests, options));
  return {
    endpoints: each.flatMap(({ endpoints }) => endpoints),
    wishes: each.flatMap(({ wishes }) => wishes),
    problems: each.flatMap(({ problems }) => problems),
  };
}

function served(service: ServiceObject, manifests: Manifests, options: Options): Served {
  const { verdict, asides } = judgeService(service, manifests, options);
  const beside = asides.map(({ problem }) => problem);
  if ("reason" in verdict) return { endpoints: [], wishes: [], problems: [...beside, ...verdict.problems] };
  const { metadata } = service;
  const url = verdict.listen.is === "reserve" ? ANY_TCP : verdict.listen.url;
  const known = { ...service, metadata: { ...metadata, uid: metadata.uid || ANY_UID } };
  const { agent, cloud } = endpointsFor(known, url, verdict);
  const endpoints = cloud === undefined ? [agent] : [cloud, agent];
  const wishes = endpoints.flatMap(({ spec }) => {
    const need = domainNeed(spec.url, spec.bindings);
    return need.is === "domain" ? [{ host: need.host, namespace: metadata.namespace ?? "" }] : [];
  });
  return { endpoints, wishes, problems: [...beside, ...pendingOf(service, verdict)] };
}

function pendingOf(service: ServiceObject, { listen, settings }: Asked): Problem[] {
  const pending = (field: string, reason: string): Problem => problemOf(Service, service, field, reason, "pending");
  const address = `ngrok gives a TCP address when the Service is there, and ${ANY_TCP} stands for it: write one into ${PREFIX}url to know it before`;
  const uid = `the API server gives one when the Service is there, and "${ANY_UID}" stands for it: read the Service from a cluster to know it`;
  return [
    ...(listen.is === "reserve" ? [pending(fieldOf({ key: `${PREFIX}computed-url` }), address)] : []),
    // Elsewhere it shows only in who owns the endpoint.
    ...(settings.strategy === "endpoints-verbose" && !service.metadata.uid ? [pending("metadata.uid", uid)] : []),
  ];
}
