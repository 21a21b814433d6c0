// The api-manager: its flags, its controllers, and the rights that belong to none of them. Importing it does nothing, so
// the chart is generated from it.
import { GATEWAY_CONTROLLER } from "#api/classes.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { allow, type Feature } from "#api/rbac.ts";
import { namesOf, type Release } from "#api/release.ts";
import { drainRights, markRights } from "#drain/rbac.ts";
import { hookPodOf, roomRights } from "#drain/room.ts";
import { resourceName } from "#kube/kind.ts";
import { ConfigMap, CustomResourceDefinition, Event, Job, Lease, Namespace } from "#kube/kinds.ts";
import { callsPerMinuteOf } from "#ngrok/pace.ts";
import { KnownError } from "#wire/errors.ts";
import { agentEndpointController } from "../../controllers/agent-endpoint/controller.ts";
import { bindingPollerController } from "../../controllers/binding-poller/controller.ts";
import { boundEndpointController } from "../../controllers/bound-endpoint/controller.ts";
import { cloudEndpointController } from "../../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../../controllers/domain/controller.ts";
import { gatewayClassController } from "../../controllers/gateway-api/class.ts";
import { gatewayController } from "../../controllers/gateway-api/gateway.ts";
import { routeControllers } from "../../controllers/gateway-api/routes.ts";
import { ingressController } from "../../controllers/ingress/controller.ts";
import { ipPolicyController } from "../../controllers/ip-policy/controller.ts";
import { kubernetesOperatorController } from "../../controllers/kubernetes-operator/controller.ts";
import { serviceController } from "../../controllers/service/controller.ts";
import { trafficPolicyController } from "../../controllers/traffic-policy/controller.ts";
import { translationController } from "../../controllers/translation/controller.ts";
import type { Controller } from "../../runtime/define-controller.ts";
import { defineManager } from "../../runtime/define-manager.ts";
import { arePairs, type FlagValues, list, notEmpty, oneOf, pairs } from "../../runtime/flags.ts";
import { isLevel } from "../../runtime/log.ts";
import type { Options } from "../../runtime/options.ts";

/** The order in which features are registered at ngrok. */
const FEATURES = ["ingress", "gateway", "bindings"] as const;

const DEFAULT_LEASE = "ngrok-operator-leader";
const policies = oneOf("Retain", "Delete");
const level = (value: string): string | undefined =>
  isLevel(value) ? undefined : "write debug, info, warn, error or a number above 0";

export const apiManager = defineManager({
  name: "api-manager",
  flags: [
    {
      name: "release-name",
      default: "ngrok-operator",
      description: "Helm release; the KubernetesOperator has its name",
      check: notEmpty("give the Helm release"),
    },
    {
      name: "fullname",
      default: "",
      description:
        "The chart's fullname, from which the names of Lease and drain state are made; default: the release name",
    },
    { name: "metrics-bind-address", default: ":8080", description: "Where /metrics is served; 0 for nowhere" },
    { name: "health-probe-bind-address", default: ":8081", description: "Where /healthz and /readyz are served" },
    {
      name: "election-id",
      default: DEFAULT_LEASE,
      description: "Name of the Lease that is the right to write",
      check: notEmpty("without a Lease two writers could meet; leave the flag away or give a name"),
    },
    {
      name: "ngrokMetadata",
      default: "",
      description: "Metadata for what the operator makes at ngrok, key=value,key=value",
      check: arePairs,
    },
    {
      name: "description",
      default: "Created by the ngrok-operator",
      description: "Description of this install at ngrok",
    },
    { name: "region", default: "", description: "Region of the endpoint bindings; empty for the default of the CRD" },
    { name: "server-addr", default: "", description: "Accepted, of use to the agents only" },
    { name: "api-url", default: "", description: "Another base of ngrok's API" },
    {
      name: "ingress-controller-name",
      default: "ngrok.com/ingress-controller",
      description: "Which IngressClasses are ours",
    },
    {
      name: "gateway-controller-name",
      default: GATEWAY_CONTROLLER,
      description: "Which GatewayClasses are ours",
      check: notEmpty("GatewayClasses without a controller do not exist; leave the flag away or give a name"),
    },
    { name: "ingress-watch-namespace", default: "", description: "The one namespace to watch; empty for all" },
    {
      name: "manager-name",
      default: "ngrok-ingress-controller-manager",
      description: "Value of the controller labels",
      check: notEmpty("generated objects are known by it"),
    },
    { name: "cluster-domain", default: "svc.cluster.local", description: "Domain of the cluster's Services" },
    { name: "one-click-demo-mode", default: "false", description: "Serve the probes and do nothing" },
    { name: "enable-feature-ingress", default: "true", description: "Ingress" },
    { name: "enable-feature-gateway", default: "true", description: "Gateway API" },
    {
      name: "disable-reference-grants",
      default: "false",
      description: "Let routes refer to other namespaces without a ReferenceGrant",
    },
    { name: "enable-feature-bindings", default: "false", description: "Endpoint bindings" },
    {
      name: "bindings-endpoint-selectors",
      default: '["true"]',
      description: "CEL expressions that select the bound endpoints",
    },
    {
      name: "bindings-service-annotations",
      default: "",
      description: "Annotations of bound Services, key=value,key=value",
      check: arePairs,
    },
    {
      name: "bindings-service-labels",
      default: "",
      description: "Labels of bound Services, key=value,key=value",
      check: arePairs,
    },
    { name: "bindings-ingress-endpoint", default: "", description: "Host and port of ngrok's binding ingress" },
    {
      name: "default-domain-reclaim-policy",
      default: "Delete",
      description: "reclaimPolicy of the Domains that the operator makes",
      check: policies,
    },
    {
      name: "drain-policy",
      default: "Retain",
      description: "What a drain does with what is at ngrok",
      check: policies,
    },
    {
      name: "kubernetes-operator",
      default: "made",
      description:
        "made: the leader makes the KubernetesOperator and writes its spec. given: it stands in manifests that others apply",
      check: oneOf("made", "given"),
    },
    { name: "rbac-cluster", default: "true", description: "Whether there are rights outside the namespaces" },
    { name: "zap-devel", default: "false", description: "Logs for people, from level debug" },
    { name: "zap-encoder", default: "json", description: "json or console", check: oneOf("json", "console") },
    {
      name: "zap-log-level",
      default: "info",
      description: "debug, info, warn, error, or a number, which means debug",
      check: level,
    },
    { name: "zap-stacktrace-level", default: "error", description: "Accepted, to no effect: only a bug has a stack" },
    { name: "zap-time-encoding", default: "rfc3339", description: "Accepted; times are RFC 3339" },
  ],
  controllers: [
    kubernetesOperatorController,
    domainController,
    ipPolicyController,
    trafficPolicyController,
    cloudEndpointController,
    agentEndpointController,
    boundEndpointController,
    bindingPollerController,
    ingressController,
    serviceController,
    gatewayClassController,
    gatewayController,
    ...routeControllers,
    translationController,
  ],
  rbac: [
    allow(Lease, ["create"], { scope: "release", why: "makes the Lease that is the right to write" }),
    allow(Lease, ["get", "list", "watch", "update"], {
      scope: "release",
      named: "lease",
      why: "takes, renews and frees the right to write",
    }),
    allow(ConfigMap, ["get", "list", "watch", "patch"], {
      scope: "release",
      named: "drainState",
      why: "reads the drain state, and marks it when the KubernetesOperator is deleted by hand",
    }),
    allow(CustomResourceDefinition, ["get"], {
      scope: "cluster",
      names: ownKinds.map(resourceName),
      why: "tells the deletion of one object from the deletion of its whole kind, which must destroy nothing at ngrok",
    }),
    allow(Event, ["create", "patch"], { why: "tells on objects what was done for them" }),
    allow(Event, ["create", "patch"], {
      scope: "release",
      why: "tells on the KubernetesOperator what was done for it",
    }),
    allow(Namespace, ["get"], {
      scope: "release",
      when: "noClusterRights",
      why: "sees at its end whether its own namespace is being deleted, and drains then",
    }),
    allow(Job, ["get"], {
      scope: "release",
      named: "drainJob",
      why: "lets ngrok-drain cancel in this pod tell the hook of an uninstall that waits to begin",
    }),
    ...drainRights,
    ...markRights,
    ...roomRights,
  ],
});

/** The manager's controllers, of whichever kind. */
export const controllers: readonly Controller[] = apiManager.controllers;

/** @param namespace of the release. @param env of the pod, where the chart tells what an uninstall will be told. */
export function releaseOf(flags: FlagValues, namespace: string, env: Environment = {}): Release {
  const name = flags["release-name"] ?? "";
  const nameLabel = env["NAME_LABEL"] ?? "";
  const watchNamespace = flags["ingress-watch-namespace"] ?? "";
  return {
    name,
    namespace,
    fullname: flags["fullname"] || name,
    ...(nameLabel === "" ? {} : { nameLabel }),
    ...(watchNamespace === "" ? {} : { watchNamespace }),
  };
}

/**
 * The Lease's name. A hook takes the Lease that the release names: another one here would make two writers. Throws
 * KnownError invalid then.
 */
export function leaseOf(flags: FlagValues, release: Release): string {
  const { lease } = namesOf(release);
  const given = flags["election-id"] ?? "";
  if (given !== lease && given !== DEFAULT_LEASE) {
    throw new KnownError("invalid", `--election-id=${given}: the Lease of release ${release.name} is ${lease}`, {
      hint: `leave the flag away, or give --fullname so that ${given} follows from it`,
    });
  }
  return lease;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the chart tells an uninstall, as it stands in the pod's environment; outside of a pod, the chart's defaults. */
function uninstallOf(env: Environment): Options["uninstall"] {
  const seconds = Number(env["HELM_TIMEOUT"]);
  return {
    hook: env["DRAIN_HOOK"] !== "false",
    helmSeconds: seconds >= 30 ? seconds : 300,
    crdsGo: env["CRDS_GO"] === "true",
    callsPerMinute: callsPerMinuteOf(env["NGROK_CALLS_PER_MINUTE"]),
    pod: hookPodOf(env["HOOK_POD"]),
  };
}

/** Whose a Gateway is stands in its class: without rights outside the namespaces Gateway API cannot be served. */
export function isHidden(feature: Feature, flags: FlagValues): boolean {
  return feature === "gateway" && flags["rbac-cluster"] !== "true";
}

/** Flags that have passed their checks, and the environment of the pod, as controllers read them. */
export function optionsOf(flags: FlagValues, version: string, env: Environment = {}): Options {
  const text = (name: string): string => flags[name] ?? "";
  return {
    version,
    description: text("description"),
    region: text("region"),
    features: FEATURES.filter((feature) => text(`enable-feature-${feature}`) === "true" && !isHidden(feature, flags)),
    managerName: text("manager-name"),
    clusterDomain: text("cluster-domain"),
    routing: {
      ingressControllerName: text("ingress-controller-name"),
      gatewayControllerName: text("gateway-controller-name"),
      referenceGrants: text("disable-reference-grants") !== "true",
    },
    defaultDomainReclaimPolicy: text("default-domain-reclaim-policy") === "Retain" ? "Retain" : "Delete",
    drainPolicy: text("drain-policy") === "Delete" ? "Delete" : "Retain",
    ...(text("kubernetes-operator") === "given" ? { operatorIsGiven: true } : {}),
    bindings: {
      endpointSelectors: list(text("bindings-endpoint-selectors")),
      serviceAnnotations: pairs(text("bindings-service-annotations")),
      serviceLabels: pairs(text("bindings-service-labels")),
      ingressEndpoint: text("bindings-ingress-endpoint"),
    },
    uninstall: uninstallOf(env),
    metadata: pairs(text("ngrokMetadata")),
  };
}
