// KubernetesOperator: one install of the operator, as ngrok knows it, and the place where its drain can be watched.
import { defineKind } from "./define-kind.ts";
import type { CommonStatus, OwnKind, OwnObject, Schema } from "./define-kind.ts";
import {
  ageColumn,
  anything,
  column,
  conditionColumn,
  dateTime,
  descriptionSchema,
  drainPolicies,
  integer,
  list,
  metadataSchema,
  object,
  readyColumn,
  reasonColumn,
  statusSchema,
  text,
  API_VERSION,
} from "./schema.ts";
import type { DrainPolicy, Metadata, ReasonOf } from "./schema.ts";

export const operatorFeatures = ["ingress", "gateway", "bindings"] as const;
export type OperatorFeature = (typeof operatorFeatures)[number];

/** The Secret of a binding's key and certificate, under the one name that forwarders may read; the same for every install of a namespace. */
export const BINDING_SECRET = "ngrok-operator-default-tls";

export interface KubernetesOperatorSpec {
  description?: string;
  metadata?: Metadata;
  enabledFeatures?: OperatorFeature[];
  region?: string;
  deployment?: { name?: string; namespace?: string; version?: string };
  binding?: { endpointSelectors: string[]; ingressEndpoint?: string; tlsSecretName: string };
  drain?: { policy?: DrainPolicy };
}

/** How far the drain has come: written while it runs, by whoever drives it. */
export interface DrainProgress {
  drainedResources: number;
  failedResources: number;
  totalResources: number;
  /** The last 20, each of at most 1024 characters. */
  errors?: string[];
  phase?: string;
  /** The policy that was sealed when the drain began, or what it was relaxed to. */
  policy?: DrainPolicy;
  driver?: string;
  startedAt?: string;
  completedAt?: string;
}

/** What an uninstall under Delete would take with it, whatever the policy is now. */
export interface UnderDelete {
  /** Custom resources of ours, by kind. */
  deleted: Record<string, number>;
  /** Of the Domains among them, those that stay reserved at ngrok. */
  domainsKept: number;
}

export interface KubernetesOperatorStatus extends CommonStatus {
  id?: string;
  uri?: string;
  /** Written as one comma-joined string; a list is understood as well. */
  enabledFeatures?: string | string[];
  bindingsIngressEndpoint?: string;
  drain?: DrainProgress;
  underDelete?: UnderDelete;
}

export interface KubernetesOperator extends OwnObject {
  spec: KubernetesOperatorSpec;
  status?: KubernetesOperatorStatus;
}

const drainReasons = ["Draining", "DrainInProgress", "DrainFailed", "DrainCompleted"] as const;

/** Would an uninstall that begins now come to its end? The first is the yes, the last three are "nobody knows". */
const uninstallReasons = [
  "NothingInTheWay",
  "HookOff",
  "RightMissing",
  "NoRoomForHook",
  "KeyRefused",
  "ForeignFinalizer",
  "LongerThanHelm",
  "RightsUnknown",
  "RoomUnknown",
  "KeyUnknown",
] as const;

export const kubernetesOperatorReasons = {
  Registered: ["Registered", "Deregistered", "Pending", "RegistrationFailed"],
  Draining: drainReasons,
  Ready: ["Registered", "Pending", "RegistrationFailed", "ConfigurationFailed", ...drainReasons],
  UninstallReady: uninstallReasons,
} as const;
export type KubernetesOperatorReason = ReasonOf<typeof kubernetesOperatorReasons>;
export type UninstallReadyReason = (typeof uninstallReasons)[number];

/** How many errors `status.drain` shows, and how long each may be: the schema refuses more. */
export const drainErrorLimits = { count: 20, length: 1024 } as const;

/** The policy of a drain that nobody has sealed yet: Delete only where the spec says exactly that. */
export function drainPolicyOf(operator: KubernetesOperator): DrainPolicy {
  return operator.spec.drain?.policy === "Delete" ? "Delete" : "Retain";
}

const drainStatus: Schema = object(
  "How far the drain has come. Counts speak of the objects found so far; they grow while the drain runs.",
  {
    drainedResources: integer("Objects from which everything of ours is off."),
    failedResources: integer("Objects that could not be freed yet; errors says why."),
    totalResources: integer("Objects found that carry something of ours."),
    errors: list(
      "What went wrong last, newest at the end.",
      text("One object and the reason.", { maxLength: drainErrorLimits.length }),
      { maxItems: drainErrorLimits.count },
    ),
    phase: text("Draining while it runs, Drained when nothing of ours is left."),
    policy: text("The policy that this drain follows; it was sealed when the drain began.", { enum: drainPolicies }),
    driver: text("Who drains: hook (helm uninstall), leader (the api-manager) or cli."),
    startedAt: dateTime("When the drain began."),
    completedAt: dateTime("When it found nothing left."),
  },
  ["drainedResources", "failedResources", "totalResources"],
);

const underDeleteStatus: Schema = object(
  "What an uninstall under Delete would take with it, whatever the policy is now; counted by the leader, at most once a minute.",
  {
    deleted: {
      type: "object",
      description: "Custom resources of this install that would be deleted, by kind.",
      additionalProperties: integer("How many."),
      // Where each key is a field, an apply without any leaves null behind, which no object may be.
      "x-kubernetes-map-type": "atomic",
    },
    domainsKept: integer(
      "Of the Domains among them, those that stay reserved at ngrok: their reclaimPolicy is Retain, or they were there before.",
    ),
  },
  ["deleted", "domainsKept"],
);

export const KubernetesOperator: OwnKind<KubernetesOperator> = defineKind<KubernetesOperator>({
  group: "ngrok.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "KubernetesOperator",
  plural: "kubernetesoperators",
  singular: "kubernetesoperator",
  shortNames: [],
  namespaced: true,
  description:
    "One install of the operator, registered at ngrok. The operator makes it; deleting it drains the install, as helm uninstall does.",
  spec: object("The install as it should be registered.", {
    description: descriptionSchema("this install", "Created by ngrok-operator"),
    metadata: metadataSchema("this install"),
    enabledFeatures: list(
      "The features that are on.",
      text("One of ingress, gateway and bindings.", { enum: operatorFeatures }),
    ),
    region: text("The ngrok region that serves endpoint bindings.", { default: "global" }),
    deployment: object("Which install this is.", {
      name: text("The Helm release."),
      namespace: text("The namespace of the release."),
      version: text("The version of the operator."),
    }),
    binding: object(
      "How endpoints with the kubernetes binding come into this cluster; needed when the feature bindings is on.",
      {
        endpointSelectors: list(
          "Which endpoints of the account are served here: those for which one of the expressions is true.",
          text("A CEL expression over an endpoint; true selects all."),
        ),
        ingressEndpoint: text("The host and port of ngrok's binding ingress."),
        tlsSecretName: text("Name of the Secret with the certificate by which this install proves who it is.", {
          default: "default-tls",
        }),
      },
      ["endpointSelectors", "tlsSecretName"],
    ),
    drain: object("What happens when this install goes.", {
      policy: text(
        "Retain takes our finalizers off and keeps everything at ngrok; Delete also deletes our objects and what they stand for at ngrok.",
        { enum: drainPolicies, default: "Retain" },
      ),
    }),
  }),
  status: statusSchema("this install", {
    id: text("The id of the registration at ngrok (k8sop_...)."),
    uri: text("The address of the registration in ngrok's API."),
    enabledFeatures: anything("The features that ngrok confirmed: names joined by commas, or a list."),
    bindingsIngressEndpoint: text("The host and port of the binding ingress that ngrok assigned."),
    drain: drainStatus,
    underDelete: underDeleteStatus,
  }),
  columns: [
    column("ID", ".status.id"),
    readyColumn,
    column("Enabled Features", ".status.enabledFeatures"),
    column("Endpoint Selectors", ".spec.binding.endpointSelectors"),
    column("Binding Ingress Endpoint", ".spec.binding.ingressEndpoint", 2),
    ageColumn,
    reasonColumn,
    conditionColumn("Uninstall Ready", "UninstallReady"),
    // Shown always: `kubectl get kubernetesoperator -w` follows an uninstall.
    column("Drained", ".status.drain.drainedResources", 0, "integer"),
    column("Drain Total", ".status.drain.totalResources", 0, "integer"),
    column("Drain Policy", ".spec.drain.policy"),
    column("Drain Phase", ".status.drain.phase"),
    // What was sealed, or relaxed since: the spec does not change with it.
    column("Sealed Policy", ".status.drain.policy"),
  ],
  reasons: kubernetesOperatorReasons,
});
