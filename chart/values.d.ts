// Generated from values.schema.json by `npm run generate`: change the schema, not this file.

/** What a user may set; all of it has a default or may be left out. */
export interface Values {
  /** What `helm uninstall` does with what the operator made. Retain: finalizers go, everything at ngrok and your custom resources stay. Delete: our custom resources go, and what they made at ngrok goes with them; so do the TCP addresses that were reserved for LoadBalancer Services. */
  drainPolicy?: "Retain" | "Delete";
  /** The Jobs that `helm uninstall` runs: `<fullname>-drain` before anything is deleted, `<fullname>-cleanup` at the end. */
  cleanupHook?: {
    /** Drain on uninstall. Without it, delete the KubernetesOperator and wait until it is gone before you uninstall. */
    enabled?: boolean;
    /** The `--timeout` in seconds that you give to `helm uninstall` (Helm's own default is 300). The hooks end themselves after 90 % of it, so that they can still say why. */
    timeout?: number | string;
    /** The image of both Jobs. By default the operator's own image, which is on the node already when you uninstall. */
    image?: {
      /** Registry; when empty that of image, or the one that repository begins with. */
      registry?: string;
      /** Repository of an image with /app/hooks, which `helm test` proves; empty means the operator's image. One with kubectl in its name, as older releases named here, is ignored with a warning, and so is its tag. */
      repository?: string;
      /** Tag; read only together with repository. */
      tag?: string;
      /** Digest `sha256:...`, which wins over the tag; read only together with repository. */
      digest?: string;
      /** Pull policy; image.pullPolicy when empty. */
      pullPolicy?: "" | "Always" | "IfNotPresent" | "Never";
    };
    /** Requests and limits of both Jobs. By default 50m CPU and 96Mi requested, limits of 2 and 512Mi; none of that for a resource that you name here: name its request and its limit, since a limit alone is requested too; `null` as both is none. Keep the CPU limit at 1 or more: the drain of many objects is bound by it. */
    resources?: {
      requests?: Record<string, string | number>;
      limits?: Record<string, string | number>;
      claims?: (Record<string, unknown>)[];
    };
    /** Tolerations of both Jobs, added to `tolerations`. */
    tolerations?: (Record<string, unknown>)[];
  };
  /** Install the seven CustomResourceDefinitions with this release. */
  installCRDs?: boolean;
  /** How the CustomResourceDefinitions are treated. */
  crds?: {
    /** Leave the CustomResourceDefinitions, and so all custom resources, in the cluster on uninstall. With false they go, and every custom resource of these kinds goes with them, whatever the drainPolicy. */
    keep?: boolean;
  };
  /** A guard before what no hook can watch: the deletion of the release's namespace, or of a CustomResourceDefinition, by hand. */
  protect?: {
    /** Refuse both by a ValidatingAdmissionPolicy until the release is drained; the refusal names `helm uninstall`, and what lifts the guard. It stops no uninstall: with crds.keep=false, where Helm deletes the CustomResourceDefinitions, only the namespace is guarded. From Kubernetes 1.30 on; not with rbac.cluster=false. */
    enabled?: boolean;
  };
  /** Tools that render this chart and apply it by themselves; docs/gitops.md has a recipe. Whoever renders it with `helm template` renders the hooks as well, which drain as soon as they are applied: `--no-hooks` leaves them out (kustomize: `skipHooks: true`). */
  gitops?: {
    /** For an Application of Argo CD: no Helm hooks, and the KubernetesOperator is part of the chart, a sync wave after all else. Argo CD deletes it first, and its deletion is the drain. Only its manifest writes its spec then. */
    argocd?: boolean;
  };
  /** The account at ngrok. Without a key the pods run, but the api-manager does not become ready, and the KubernetesOperator says RegistrationFailed: no ngrok API key. */
  credentials?: {
    /** The Secret with the keys API_KEY and AUTHTOKEN. */
    secret?: {
      /** Its name; `<fullname>-credentials` when empty. */
      name?: string;
    };
    /** API key. When set, the chart makes the Secret; better make it yourself, since values are kept in Helm's release record. */
    apiKey?: string;
    /** Authtoken; needed together with apiKey where there are agents, which alone read it. */
    authtoken?: string;
  };
  /** Description of this operator in the ngrok dashboard. */
  description?: string;
  /** Metadata, as key and value, of what the operator makes at ngrok. */
  ngrokMetadata?: Record<string, string | number | boolean>;
  /** ngrok region of this operator; empty means global. */
  region?: string;
  /** Address of ngrok's API with its scheme, when it is not the public one. */
  apiURL?: string;
  /** How this release uses ngrok's API. */
  ngrokApi?: {
    /** Calls that the operator, and the hooks in its place, start in any minute at most; 0 for no limit of our own: then ngrok alone says when to wait, and that is obeyed. Set it where ngrok limits your account, to 120 for instance, and `helm uninstall` with drainPolicy Delete says beforehand how long it will take; without it UninstallReady and `ngrok-drain plan` take calls to cost no time. */
    callsPerMinute?: number | string;
  };
  /** Address of ngrok's agent server, when it is not the public one. */
  serverAddr?: string;
  /** Certificate authorities for connections to ngrok: trusted (built in, the same as empty) or host (those of the image's system store). */
  rootCAs?: "" | "trusted" | "host";
  /** One more certificate authority, trusted by every pod of the chart, hooks included: for a proxy or a private ngrok server. With NGROK_OPERATOR_RESTART_ON_CERT_CHANGE: "true" in extraEnv, agents and forwarders start anew when it changes. */
  extraCA?: {
    /** Secret that holds it. */
    secretName?: string;
    /** ConfigMap that holds it; one of the two. */
    configMapName?: string;
    /** Key with the PEM text. */
    key?: string;
  };
  /** What happens to a reserved domain at ngrok when its Domain is deleted, unless the Domain says otherwise. */
  defaultDomainReclaimPolicy?: "Delete" | "Retain";
  /** Domain of Services in this cluster; svc.cluster.local when empty. */
  clusterDomain?: string;
  /** Start without credentials and do nothing but say so; for marketplaces. */
  oneClickDemoMode?: boolean;
  /** Ingress. */
  ingress?: {
    /** Serve Ingresses, and LoadBalancer Services of class ngrok. Switched off, their endpoints go, and the TCP addresses that were reserved for Services are released, whatever the drainPolicy. */
    enabled?: boolean;
    /** Controller that IngressClasses name. */
    controllerName?: string;
    /** The only namespace to watch; empty means all. */
    watchNamespace?: string;
    /** The IngressClass. */
    ingressClass?: {
      /** Its name. */
      name?: string;
      /** Make it; never with rbac.cluster=false. This one turns it off: the deprecated ingressClass.create can only turn it on. */
      create?: boolean;
      /** Make it the cluster's default. */
      default?: boolean;
    };
  };
  /** Gateway API. */
  gateway?: {
    /** Serve Gateways and routes, as soon as Gateway API is in the cluster. */
    enabled?: boolean;
    /** Controller that GatewayClasses name. Two installs in one cluster that serve different GatewayClasses need two names. */
    controllerName?: string;
    /** Let routes refer to other namespaces without a ReferenceGrant. */
    disableReferenceGrants?: boolean;
  };
  /** Kubernetes bound endpoints. */
  bindings?: {
    /** Bring endpoints of your ngrok account into this cluster. */
    enabled?: boolean;
    /** CEL expressions that choose the endpoints. */
    endpointSelectors?: (string)[];
    /** Annotations of the Services that are made for them. */
    serviceAnnotations?: Record<string, string | number | boolean>;
    /** Labels of the Services that are made for them. */
    serviceLabels?: Record<string, string | number | boolean>;
    /** ngrok's binding ingress as the KubernetesOperator's spec names it, and the port that networkPolicy opens for it. The forwarder connects to the address that ngrok assigns at the registration: status.bindingsIngressEndpoint. */
    ingressEndpoint?: string;
    /** The forwarder's Deployment. */
    forwarder?: {
      /** Pods of the forwarder; with more than one, a PodDisruptionBudget lets one be away. */
      replicaCount?: number | string;
      /** Requests and limits of the forwarder. By default 100m CPU and 128Mi requested, limits of 2 and 512Mi; none of that for a resource that you name here: name its request and its limit, since a limit alone is requested too; `null` as both is none. A connection takes about 90 KB. */
      resources?: {
        requests?: Record<string, string | number>;
        limits?: Record<string, string | number>;
        claims?: (Record<string, unknown>)[];
      };
      /** The forwarder's ServiceAccount. */
      serviceAccount?: {
        /** Make it. */
        create?: boolean;
        /** Its name; `<fullname>-bindings-forwarder` when empty. */
        name?: string;
        /** Its annotations. */
        annotations?: Record<string, string | number | boolean>;
      };
      /** How the forwarder's pods are replaced. */
      updateStrategy?: {
        /** Kind of the replacement. */
        type?: "RollingUpdate" | "Recreate";
        /** maxSurge and maxUnavailable. */
        rollingUpdate?: Record<string, unknown>;
      };
      /** Priority class of the forwarder's pods. */
      priorityClassName?: string;
      /** Time that the forwarder's pods have to stop: connections that stand may end until then. */
      terminationGracePeriodSeconds?: number | string;
      /** Tolerations of the forwarder's pods. */
      tolerations?: (Record<string, unknown>)[];
      /** Node labels that the forwarder's pods need. */
      nodeSelector?: Record<string, string | number | boolean>;
      /** Spread of the forwarder's pods. */
      topologySpreadConstraints?: (Record<string, unknown>)[];
      /** Annotations of the forwarder's pods; templates as podAnnotations are. */
      podAnnotations?: Record<string, string | number | boolean>;
    };
  };
  /** The agents: each is connected to ngrok and passes what comes for AgentEndpoints to their upstreams. */
  agent?: {
    /** Run agents. Without them AgentEndpoints, and what Ingresses, Gateways and LoadBalancer Services make of them, serve nothing. A pod is ready once it is connected to ngrok, so the account's authtoken has to be a valid one. */
    enabled?: boolean;
    /** Pods of the agent. All serve every endpoint; with more than one, a PodDisruptionBudget lets one be away. */
    replicaCount?: number | string;
    /** Annotations of the agent's pods, instead of podAnnotations; templates as those are. */
    podAnnotations?: Record<string, string | number | boolean>;
    /** Priority class of the agent's pods. */
    priorityClassName?: string;
    /** Requests and limits of the agent. By default 100m CPU and 128Mi requested, limits of 2 and 512Mi; none of that for a resource that you name here: name its request and its limit, since a limit alone is requested too; `null` as both is none. */
    resources?: {
      requests?: Record<string, string | number>;
      limits?: Record<string, string | number>;
      claims?: (Record<string, unknown>)[];
    };
    /** The agent's ServiceAccount. */
    serviceAccount?: {
      /** Make it. */
      create?: boolean;
      /** Its name; `<fullname>-agent` when empty. */
      name?: string;
      /** Its annotations. */
      annotations?: Record<string, string | number | boolean>;
    };
    /** How the agent's pods are replaced. By default the new pod is ready before an old one goes; where your ngrok plan allows one agent session, the new pod would wait for ever: set rollingUpdate to {maxSurge: 0, maxUnavailable: 1}, and nothing is served for some seconds. */
    updateStrategy?: {
      /** Kind of the replacement. */
      type?: "RollingUpdate" | "Recreate";
      /** maxSurge and maxUnavailable. */
      rollingUpdate?: Record<string, unknown>;
    };
    /** Time that the agent's pods have to stop: endpoints are closed one by one, and what runs may go on until 2 s before the end. */
    terminationGracePeriodSeconds?: number | string;
    /** Tolerations of the agent's pods. */
    tolerations?: (Record<string, unknown>)[];
    /** Node labels that the agent's pods need. */
    nodeSelector?: Record<string, string | number | boolean>;
    /** Spread of the agent's pods. */
    topologySpreadConstraints?: (Record<string, unknown>)[];
  };
  /** The proxy behind which ngrok is, for every pod of the chart, hooks included: its API, and the connections that agents and forwarders keep open, by CONNECT. Kubernetes' API server and the agents' upstreams are reached without it. A proxy with a password belongs into extraEnv, by a Secret. */
  proxy?: {
    /** To addresses of https, as ngrok's are: `http://proxy:3128`. */
    httpsProxy?: string;
    /** To addresses of http; only an apiURL can be one. */
    httpProxy?: string;
    /** What is reached without: hosts with all below them, addresses and CIDRs, separated by commas. */
    noProxy?: string;
  };
  /** NetworkPolicies for every pod of the chart, hooks included, for a namespace in which nothing may talk by default. */
  networkPolicy?: {
    /** Make them: DNS, the API server and ngrok may be reached, and the agents' upstreams, which may be anywhere; metrics, probes and bound endpoints may be asked for. The ports of `apiURL`, `serverAddr` and `proxy` are among them. */
    enabled?: boolean;
    /** Where the API server is, behind its Service: `kubectl get endpointslices -n default` says it. */
    apiServer?: {
      /** Its addresses, as `10.0.0.1/32`; anywhere when empty. */
      cidr?: string;
      /** Its ports. */
      ports?: (number | string)[];
    };
    /** Peers, as NetworkPolicies have them, that may read metrics; everybody when empty. */
    metricsFrom?: (Record<string, unknown>)[];
    /** More rules, as NetworkPolicies have them, of what every pod may reach: a proxy, for instance. */
    extraEgress?: (Record<string, unknown>)[];
  };
  /** Metrics of all pods are served at port 8080 (`metrics`), path `/metrics`. */
  metrics?: {
    /** A PodMonitor of all pods, for the Prometheus operator. */
    podMonitor?: {
      /** Make it; its kind must be in the cluster. */
      enabled?: boolean;
      /** Where it stands; the release namespace when empty. */
      namespace?: string;
      /** Its labels, as Prometheus selects by. */
      labels?: Record<string, string | number | boolean>;
      /** How often metrics are read, as `30s` or `1m30s`; as Prometheus has it when empty. */
      interval?: string;
      /** Changes of a target's labels. */
      relabelings?: (Record<string, unknown>)[];
    };
    /** A ServiceMonitor with its headless Service, for the Prometheus operator: instead of podMonitor, not beside it. */
    serviceMonitor?: {
      /** Make it; its kind must be in the cluster. */
      enabled?: boolean;
      /** Where it stands; the release namespace when empty. */
      namespace?: string;
      /** Its labels, as Prometheus selects by. */
      labels?: Record<string, string | number | boolean>;
      /** How often metrics are read, as `30s` or `1m30s`; as Prometheus has it when empty. */
      interval?: string;
      /** Changes of a target's labels. */
      relabelings?: (Record<string, unknown>)[];
    };
    /** A PrometheusRule with alerts: an uninstall that would not end, a drain that stands still, no leader, errors. */
    rules?: {
      /** Make it; its kind must be in the cluster. */
      enabled?: boolean;
      /** Where it stands; the release namespace when empty. */
      namespace?: string;
      /** Its labels, as Prometheus selects by. */
      labels?: Record<string, string | number | boolean>;
    };
    /** A dashboard in a ConfigMap, for Grafana's sidecar. */
    dashboard?: {
      /** Make it. */
      enabled?: boolean;
      /** Where it stands; the release namespace when empty. */
      namespace?: string;
      /** Its labels, as the sidecar selects by. */
      labels?: Record<string, string | number | boolean>;
    };
  };
  /** Instead of the chart's name, in names and labels. */
  nameOverride?: string;
  /** What the names of all objects begin with; cut where Kubernetes takes no more than 63 characters. */
  fullnameOverride?: string;
  /** Labels of every object. */
  commonLabels?: Record<string, string | number | boolean>;
  /** Annotations of every object. */
  commonAnnotations?: Record<string, string | number | boolean>;
  /** Rights. */
  rbac?: {
    /** Make ClusterRoles. With false, which needs ingress.watchNamespace, nothing outside the two namespaces is asked for or made, so installCRDs has to be false, and there is no IngressClass of this release: Gateways and their routes are not served, since GatewayClasses cannot be read, there is no view of other installs, and the drain's report says so. */
    cluster?: boolean;
  };
  /** The api-manager's ServiceAccount. */
  serviceAccount?: {
    /** Make it. What you grant to it by its name, or what it carries, does not reach the hooks: their accounts are `<fullname>-drain`, `<fullname>-cleanup` and `<fullname>-rehearsal`, made by Helm for the time of each. */
    create?: boolean;
    /** Its name; the fullname when empty. */
    name?: string;
    /** Its annotations. */
    annotations?: Record<string, string | number | boolean>;
  };
  /** An editor and a viewer ClusterRole for each of our kinds, for your own bindings. */
  crdAccessRoles?: {
    /** Make them; never with rbac.cluster=false. */
    create?: boolean;
    /** Their annotations. */
    annotations?: Record<string, string | number | boolean>;
  };
  /** The operator's image. */
  image?: {
    /** Registry; global.imageRegistry wins. This default gives way to a registry that repository begins with. */
    registry?: string;
    /** Repository. */
    repository?: string;
    /** Tag; the chart's appVersion when empty. */
    tag?: string;
    /** Digest `sha256:...`, which wins over the tag. */
    digest?: string;
    /** When to pull it. */
    pullPolicy?: "Always" | "IfNotPresent" | "Never";
    /** Pull Secrets of every pod, hooks included: names, or objects with a name. Those that a ServiceAccount of yours carries reach no hook, whose accounts have none: `<fullname>-drain`, `<fullname>-cleanup` and `<fullname>-rehearsal`. */
    pullSecrets?: (string | {
      name?: string;
    })[];
    /** Accept the tag latest, which names another image tomorrow. */
    allowLatest?: boolean;
  };
  /** Pods of the api-manager; one of them leads. */
  replicaCount?: number | string;
  /** Requests and limits of the api-manager. By default 100m CPU and 128Mi requested, limits of 2 and 512Mi; none of that for a resource that you name here: name its request and its limit, since a limit alone is requested too; `null` as both is none. */
  resources?: {
    requests?: Record<string, string | number>;
    limits?: Record<string, string | number>;
    claims?: (Record<string, unknown>)[];
  };
  /** Security context of every pod, hooks included; the level `restricted` admits it. Where the cluster gives out the ids itself, as OpenShift does, take them out: runAsUser, runAsGroup and fsGroup as null, or as "" in the values of a chart above this one, where Helm 4 overlooks null. A SecurityContextConstraints that you grant to the ServiceAccounts of the Deployments the hooks' need as well: `<fullname>-drain`, `<fullname>-cleanup` and `<fullname>-rehearsal`. */
  podSecurityContext?: Record<string, unknown>;
  /** Security context of every container, hooks included. */
  containerSecurityContext?: Record<string, unknown>;
  /** Annotations of every pod. Their values are templates, rendered by Helm's tpl: what shall stay in braces is written `{{ "{{" }}name}}`. */
  podAnnotations?: Record<string, string | number | boolean>;
  /** Labels of every pod. */
  podLabels?: Record<string, string | number | boolean>;
  /** Priority class of the api-manager, of the hooks and of `helm test`. */
  priorityClassName?: string;
  /** Labels that a node of the api-manager, of the hooks and of `helm test` must have. */
  nodeSelector?: Record<string, string | number | boolean>;
  /** Tolerations of the api-manager, of the hooks and of `helm test`. */
  tolerations?: (Record<string, unknown>)[];
  /** Affinity of the Deployments, instead of the presets. Of it the hooks and `helm test` take nodeAffinity alone: a pod that they had to stand beside, or away from, could keep an uninstall from starting. */
  affinity?: Record<string, unknown>;
  /** Put the pods of one Deployment on one node; hooks and `helm test` are no part of it. */
  podAffinityPreset?: "" | "soft" | "hard";
  /** Spread the pods of one Deployment over nodes; hooks and `helm test` are no part of it. */
  podAntiAffinityPreset?: "" | "soft" | "hard";
  /** Choose nodes by a label, for every pod, hooks and `helm test` included; not read beside `affinity`. */
  nodeAffinityPreset?: {
    /** Prefer or require. */
    type?: "" | "soft" | "hard";
    /** Label of the node. */
    key?: string;
    /** Its values; any when empty. */
    values?: (string)[];
  };
  /** Spread of the api-manager's pods. Hooks and `helm test` take none: one pod has nothing to spread, and with `DoNotSchedule` it could keep an uninstall from starting. */
  topologySpreadConstraints?: (Record<string, unknown>)[];
  /** Time that the api-manager has to stop. */
  terminationGracePeriodSeconds?: number | string;
  /** Lifecycle handlers of the Deployments' containers. */
  lifecycle?: Record<string, unknown>;
  /** The api-manager's PodDisruptionBudget. */
  podDisruptionBudget?: {
    /** Make it, with two pods or more: for one it would be of no use, or keep its node from being emptied. */
    create?: boolean;
    /** How many pods may be away, as a number or a percentage. */
    maxUnavailable?: number | string;
    /** How many must stay; takes the place of maxUnavailable's default. */
    minAvailable?: number | string;
  };
  /** Environment of every container, hooks included: NAME with a value, or with an object that has valueFrom. */
  extraEnv?: Record<string, string | number | boolean | {
    valueFrom?: Record<string, Record<string, unknown>>;
  }>;
  /** Volumes of every pod, hooks included. */
  extraVolumes?: (Record<string, unknown>)[];
  /** Their mounts in every container, hooks included. */
  extraVolumeMounts?: (Record<string, unknown>)[];
  /** Log. */
  log?: {
    /** For machines or for people. */
    format?: "json" | "console";
    /** The least severe level that is written: debug, info, warn, error or panic; a number means debug. */
    level?: string | number;
    /** Accepted, since values of 0.24 have it, to no effect: only a bug has a stack. */
    stacktraceLevel?: "debug" | "info" | "warn" | "error" | "panic";
  };
  /** Deprecated: ingress.controllerName. Wins over it when set. */
  controllerName?: string;
  /** Deprecated: ingress.watchNamespace. Wins over it when set. */
  watchNamespace?: string;
  /** Deprecated: ingress.ingressClass. Its name and default win over those there when set. */
  ingressClass?: {
    /** Deprecated: ingress.ingressClass.name. */
    name?: string;
    /** Deprecated: ingress.ingressClass.create. Makes the IngressClass where that does not; false says nothing. */
    create?: boolean;
    /** Deprecated: ingress.ingressClass.default. */
    default?: boolean;
  };
  /** Deprecated: ngrokMetadata. Wins over it when set. */
  metaData?: Record<string, string | number | boolean>;
  /** Read by the chart above this one, as the condition of its dependency. Helm runs no hooks when it becomes false: delete the KubernetesOperator before, and wait until it is gone. */
  enabled?: boolean;
  /** Shared with the chart above this one. */
  global?: {
    /** Pull Secrets of every pod, before image.pullSecrets. */
    imagePullSecrets?: (string | {
      name?: string;
    })[];
    /** Registry of every image, before image.registry. */
    imageRegistry?: string;
    [key: string]: unknown;
  };
}
