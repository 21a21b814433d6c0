// Translation: what users ask for on a host, and on the Services behind it, becomes CloudEndpoints, AgentEndpoints and
// Domains. Its keys are hosts and Services, so what it makes is found again from the objects alone, after any restart.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { allow } from "#api/rbac.ts";
import { ownerOf } from "#api/release.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type Kind, refOf, refOfKey } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  type IngressObject,
  Namespace,
  ReferenceGrant,
  Secret,
  Service,
} from "#kube/kinds.ts";
import { ENDPOINTS_BY_HOST, hostOfUrl } from "../../endpoint/host.ts";
import { ingressClasses } from "../../endpoint/ingress-class.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import { defineKeyed, type KeyContext, type KeyOutcome } from "../../runtime/define-keyed.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { CLASS_FIELD } from "../../translate/ingress-class.ts";
import type { Problem } from "../../translate/model.ts";
import { noteOf } from "../../translate/note.ts";
import { translate } from "../../translate/translate.ts";
import { seedOf, serviceOfEndpoint } from "./keys.ts";
import { BY_HOST, ENDPOINTS_BY_SERVICE } from "./indexes.ts";
import { ClusterLook } from "./look.ts";
import { type Endpoint, isGenerated, type Owner, planWrites, type Write } from "./plan.ts";
import { settleWrites } from "./settle.ts";
import { sliceOf, type Slice } from "./slice.ts";
import { within } from "./within.ts";
import { sources } from "./sources.ts";

export const translationController = defineKeyed({
  name: "translation",
  manager: "api-manager",
  role: "leader",
  // With both features off as well: what was made for them while they were on goes.
  concurrency: 16,
  sources,
  rbac: [
    allow(Ingress, ["list", "watch"], { why: "reads the Ingresses that become endpoints" }),
    allow(IngressClass, ["list", "watch"], {
      scope: "cluster",
      when: "ingress",
      why: "knows by its class whose an Ingress is",
    }),
    allow(Service, ["list", "watch"], { why: "reads the Services that Ingresses and routes send to" }),
    allow(NgrokTrafficPolicy, ["list", "watch"], { why: "reads the traffic policies that Ingresses name" }),
    ...[Gateway, ...ROUTE_KINDS, ReferenceGrant].map((kind: Kind) =>
      allow(kind, ["list", "watch"], { when: "gateway", why: "reads the Gateways and routes that become endpoints" }),
    ),
    ...[GatewayClass, Namespace].map((kind: Kind) =>
      allow(kind, ["list", "watch"], {
        scope: "cluster",
        when: "gateway",
        why: "knows by its class whose a Gateway is, and by its Namespace whether a route may attach",
      }),
    ),
    allow(Secret, ["list", "watch"], {
      when: "gateway",
      why: "reads the certificates of Gateways, type kubernetes.io/tls",
    }),
    allow(ConfigMap, ["list", "watch"], { when: "gateway", why: "reads the client authorities of Gateways" }),
    allow(NgrokTrafficPolicy, ["create"], {
      when: "noClusterRights",
      why: "rehearses a creation, which a CRD that is being deleted refuses, where the CRD itself may not be read",
    }),
    allow(Domain, ["list", "watch", "create"], { why: "reserves the hosts that Ingresses and Gateways name" }),
    allow(CloudEndpoint, ["get", "list", "watch", "create", "patch", "delete"], {
      why: "makes the CloudEndpoints of hosts, and takes away what nobody asks for any more",
    }),
    allow(AgentEndpoint, ["get", "list", "watch", "create", "patch", "delete"], {
      why: "makes the AgentEndpoints of Services, and takes away what nobody asks for any more",
    }),
  ],
  apply,
});

async function apply(key: string, context: KeyContext): Promise<KeyOutcome> {
  const { cached, release, options: flags, clusterWide } = context;
  const options = translationOptions(release, flags, clusterWide);
  const classes = cached.has(Ingress, BY_HOST)
    ? ingressClasses(cached, clusterWide, options.ingressControllerName)
    : [];
  const look = new ClusterLook(cached, classes, options);
  const slice = sliceOf(seedOf(key), look);
  const seen = new Set([...slice.hosts, ...slice.beside]);
  const translation = translate(look.view(look.askingFor(seen)), options, seen);
  const wanted = within(slice, translation);
  const owner: Owner = { namespace: release.namespace, managerName: flags.managerName, stamp: ownerOf(release) };
  const generated = generatedIn(slice, context, owner);
  tellProblems(look.askingFor(slice.hosts).ingresses, translation.problems, context);
  tellOthers(translation.problems, slice, context);
  const writes = planWrites(wanted, { at: (kind, at) => cached.get(kind, refOfKey(at)), generated }, owner);
  return await settleWrites(writes, { ...context, told: tellAskers(look, slice, context) }, owner);
}

/** The generated objects that the slice decides about. */
function generatedIn({ hosts, services }: Slice, { cached }: KeyContext, owner: Owner): Endpoint[] {
  const found: readonly Endpoint[] = [
    ...[...hosts].flatMap((host) => cached.by(CloudEndpoint, ENDPOINTS_BY_HOST, host)),
    ...[...services].flatMap((service) => cached.by(AgentEndpoint, ENDPOINTS_BY_SERVICE, service)),
  ];
  return found.filter((one) => isGenerated(one, owner));
}

/**
 * What cannot be served as it is written, in one event an Ingress. Of its class the Ingress's own controller speaks, which
 * meets Ingresses of no host as well.
 */
function tellProblems(ingresses: readonly IngressObject[], problems: readonly Problem[], { event }: KeyContext): void {
  for (const ingress of ingresses) {
    const name = `${Ingress.kind} ${keyOf(refOf(ingress))}`;
    const own = problems.filter(({ object, field }) => object === name && field !== CLASS_FIELD);
    if (own.length === 0) continue;
    const reason = own.some(({ effect }) => effect === "refused") ? "InvalidIngressSpec" : "ConfigError";
    event(Ingress, ingress, { type: "Warning", reason, note: noteOf(own), action: "Translate" });
  }
}

/**
 * Says on Services what is wrong with them, whoever leans on them, and on Gateways and routes what only shows when hosts and
 * Services meet: what they say by themselves their own controllers tell.
 */
function tellOthers(problems: readonly Problem[], { hosts }: Slice, { cached, event }: KeyContext): void {
  const met = problems.filter(({ object, host }) =>
    host === undefined ? object.startsWith(`${Service.kind} `) : hosts.has(host),
  );
  for (const [name, own] of Map.groupBy(met, ({ object }) => object)) {
    const kind = [Service, Gateway, HTTPRoute].find((one) => name.startsWith(`${one.kind} `)) as Kind | undefined;
    if (kind === undefined || !cached.has(kind)) continue;
    const found = cached.get(kind, refOfKey(name.slice(kind.kind.length + 1)));
    if (found === undefined) continue;
    // Each route that leans on it finds the same, which is told once.
    event(kind, found, { type: "Warning", reason: "ConfigError", note: noteOf(own), action: "Translate" });
  }
}

/** Of an endpoint or a Domain. */
function hostsOfMade(made: Write["object"]): string[] {
  const { spec } = made as Write["object"] & { readonly spec: { readonly url?: string; readonly domain?: string } };
  return hostOfUrl(spec.url ?? spec.domain ?? "");
}

/** Says on those who ask for an object what keeps it from being made: for its host or, where it is internal, its Service. */
function tellAskers(look: ClusterLook, { hosts }: Slice, { event }: KeyContext): (write: Write, note: string) => void {
  return (write, note) => {
    const made = "wanted" in write ? write.wanted : write.object;
    const asking = look.askingFor(hosts);
    const byHost = look.among(asking, { hosts: hostsOfMade(made), services: [] });
    const isAsked = byHost.ingresses.length + byHost.gateways.length > 0;
    const found = isAsked
      ? byHost
      : look.among(asking, { hosts: [], services: serviceOfEndpoint(made as AgentEndpoint) });
    const tell = { type: "Warning", reason: "CreateError", note, action: "Create" } as const;
    for (const one of found.ingresses) event(Ingress, one, tell);
    for (const one of found.gateways) event(Gateway, one, tell);
  };
}
