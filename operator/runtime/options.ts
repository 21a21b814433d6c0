// What the flags of the api-manager come to, parsed once, so that no controller reads a string of the command line.
import type { Feature } from "#api/rbac.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { HookPod } from "#drain/room.ts";

export type ReclaimPolicy = "Delete" | "Retain";

export interface Options {
  readonly version: string;
  readonly description: string;
  /** "" when the CRD's default is wanted. */
  readonly region: string;
  readonly features: readonly Feature[];
  readonly managerName: string;
  readonly clusterDomain: string;
  /** Whose classes are ours, and what routes may refer to; the defaults of the flags when it is not given. */
  readonly routing?: {
    readonly ingressControllerName: string;
    readonly gatewayControllerName?: string;
    readonly referenceGrants: boolean;
  };
  readonly defaultDomainReclaimPolicy: ReclaimPolicy;
  readonly drainPolicy: DrainPolicy;
  /** Whether the KubernetesOperator stands in somebody's manifests, who alone makes it and writes its spec. */
  readonly operatorIsGiven?: boolean;
  readonly bindings: {
    readonly endpointSelectors: readonly string[];
    readonly serviceAnnotations: Readonly<Record<string, string>>;
    readonly serviceLabels: Readonly<Record<string, string>>;
    /** "" when not set. */
    readonly ingressEndpoint: string;
  };
  /** What an uninstall of this release will be told by the chart. */
  readonly uninstall: {
    /** Whether there is a drain hook. */
    readonly hook: boolean;
    /** Helm's timeout as the hook reckons with it. */
    readonly helmSeconds: number;
    /** Whether Helm deletes our CRDs with the release. */
    readonly crdsGo: boolean;
    /** To ngrok; undefined without a limit. */
    readonly callsPerMinute: number | undefined;
    /** What the pod of a hook asks for; undefined outside of the chart. */
    readonly pod?: HookPod | undefined;
  };
  /** From `--ngrokMetadata`. */
  readonly metadata: Readonly<Record<string, string>>;
}
