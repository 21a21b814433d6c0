// The environment that both hooks share, and what they make of it.
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { budgetOf, type Budget } from "#drain/budget.ts";
import { isPolicy } from "#drain/state.ts";
import { callsPerMinuteOf } from "#ngrok/pace.ts";
import { KnownError } from "#wire/errors.ts";

export const environment = {
  RELEASE_NAME: { from: "helm", value: ".Release.Name", why: "the KubernetesOperator and the stamp carry it" },
  FULLNAME: { from: "helm", value: 'include "ngrok-operator.fullname" .', why: "the names of Lease and drain state" },
  NAME_LABEL: {
    from: "helm",
    value: 'include "ngrok-operator.name" .',
    why: "tells the pods of this release from those of a chart beside it",
  },
  WATCH_NAMESPACE: { from: "helm", value: 'include "ngrok-operator.watchNamespace" .', why: "where the objects are" },
  DRAIN_POLICY: { from: "helm", value: ".Values.drainPolicy", why: "what becomes of the objects at ngrok" },
  HELM_TIMEOUT: { from: "helm", value: ".Values.cleanupHook.timeout", why: "seconds until Helm gives up" },
  CRDS_GO: {
    from: "helm",
    value: "and .Values.installCRDs (not .Values.crds.keep)",
    why: "whether Helm deletes the CRDs next",
  },
  RBAC_CLUSTER: { from: "helm", value: ".Values.rbac.cluster", why: "whether there are rights outside the namespaces" },
  NGROK_API_URL: { from: "helm", value: ".Values.apiURL", why: "another base of ngrok's API" },
  NGROK_CALLS_PER_MINUTE: {
    from: "helm",
    value: ".Values.ngrokApi.callsPerMinute",
    why: "how many calls ngrok allows this account",
  },
  REVISION: { from: "helm", value: ".Release.Revision", why: "for the commands that undo" },
  CHART_VERSION: { from: "helm", value: ".Chart.Version", why: "for the log" },
  POD_NAMESPACE: { from: "field", path: "metadata.namespace", why: "the release namespace" },
  POD_NAME: { from: "field", path: "metadata.name", why: "who holds the write token" },
  POD_UID: { from: "field", path: "metadata.uid", why: "who holds the write token" },
  JOB_UID: {
    from: "field",
    path: "metadata.labels['batch.kubernetes.io/controller-uid']",
    why: "which uninstall this is, whichever of its pods",
  },
  NGROK_API_KEY: { from: "secret", key: "API_KEY", why: "policy Delete, and deregistration" },
} as const;

export interface Settings {
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly budget: Budget;
  readonly crdsGo: boolean;
  readonly clusterWide: boolean;
  /** To ngrok; undefined without a limit of our own. */
  readonly callsPerMinute: number | undefined;
  readonly revision: string;
  readonly chart: string;
  /** `pod/<name>/<uid>` */
  readonly identity: string;
  /** UID of the hook's Job; undefined outside of one. */
  readonly job: string | undefined;
}

type Texts = {
  readonly [K in keyof typeof environment]: (typeof environment)[K] extends { from: "secret" }
    ? string | undefined
    : string;
};

/** Throws KnownError invalid that names the value and the remedy. */
export function settingsOf(env: Texts): Settings {
  const policy = env.DRAIN_POLICY;
  if (!isPolicy(policy)) {
    throw new KnownError("invalid", `drainPolicy ${JSON.stringify(policy)} is neither Retain nor Delete`, {
      hint: `helm rollback ${env.RELEASE_NAME} ${env.REVISION} -n ${env.POD_NAMESPACE}, then helm upgrade with --set drainPolicy=Retain or Delete`,
    });
  }
  return {
    release: {
      name: env.RELEASE_NAME,
      namespace: env.POD_NAMESPACE,
      fullname: env.FULLNAME,
      nameLabel: env.NAME_LABEL || undefined,
      ...(env.WATCH_NAMESPACE === "" ? {} : { watchNamespace: env.WATCH_NAMESPACE }),
    },
    policy,
    budget: budgetOf(Number(env.HELM_TIMEOUT)),
    crdsGo: env.CRDS_GO === "true",
    clusterWide: env.RBAC_CLUSTER !== "false",
    callsPerMinute: callsPerMinuteOf(env.NGROK_CALLS_PER_MINUTE),
    revision: env.REVISION,
    chart: env.CHART_VERSION,
    identity: `pod/${env.POD_NAME}/${env.POD_UID}`,
    job: env.JOB_UID || undefined,
  };
}
