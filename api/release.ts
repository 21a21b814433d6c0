// The names of one install, all made from the release and the chart's fullname, in one place.

export interface Release {
  /** Helm's release name; also the name of the KubernetesOperator. */
  readonly name: string;
  /** The release namespace: where the pods, the Lease and the drain state are. */
  readonly namespace: string;
  /** The chart's fullname: release name, or `<release>-ngrok-operator`, or the override. */
  readonly fullname: string;
  /** What `app.kubernetes.io/name` says on its pods; undefined where nobody has told: no pod is another chart's for it then. */
  readonly nameLabel?: string | undefined;
  /** The namespace that is watched, or undefined for all. */
  readonly watchNamespace?: string | undefined;
}

export interface ReleaseNames {
  readonly lease: string;
  readonly drainState: string;
  readonly manager: string;
  /** Made anew by each `helm rollback`. */
  readonly rollback: string;
  readonly drainJob: string;
  /** The drain hook's ClusterRole and its binding. */
  readonly drainClusterRole: string;
  readonly cleanupJob: string;
  /** The report of a drain, in as many pieces as it needs. */
  readonly report: string;
  readonly report2: string;
  readonly report3: string;
  readonly report4: string;
  readonly report5: string;
  readonly report6: string;
  readonly report7: string;
  readonly report8: string;
  readonly credentials: string;
  readonly kubernetesOperator: string;
}

/** The pieces of a report in their order: a fixed list, so that a Role can name each of them and nothing else. */
export const reportPieces = [
  "report",
  "report2",
  "report3",
  "report4",
  "report5",
  "report6",
  "report7",
  "report8",
] as const satisfies readonly (keyof ReleaseNames)[];

/** `<release namespace>/<release>`: the value of the stamp. */
export function ownerOf(release: Release): string {
  return `${release.namespace}/${release.name}`;
}

/** The command that starts the release's pods anew; without the namespace it would start all of the current one's. */
export function restartCommand({ namespace }: Pick<Release, "namespace">): string {
  return `kubectl -n ${namespace} rollout restart deployment`;
}

/**
 * Names are cut so that each stays within 63 bytes, its suffix included (a Job's name holds no more). What may have 253 is not
 * cut where that would do harm: the Secret with the credentials, which a person makes by the name that chart 0.24 says, and
 * ClusterRoles, which a release of another namespace could have under the same name.
 */
export function namesOf(release: Release): ReleaseNames {
  const base = release.fullname;
  return {
    lease: suffixed(base, "leader"),
    drainState: suffixed(base, "drain-state"),
    manager: suffixed(base, "manager"),
    rollback: suffixed(base, "rollback"),
    drainJob: suffixed(base, "drain"),
    drainClusterRole: `${base}-drain`,
    cleanupJob: suffixed(base, "cleanup"),
    report: suffixed(base, "drain-report"),
    report2: suffixed(base, "drain-report-2"),
    report3: suffixed(base, "drain-report-3"),
    report4: suffixed(base, "drain-report-4"),
    report5: suffixed(base, "drain-report-5"),
    report6: suffixed(base, "drain-report-6"),
    report7: suffixed(base, "drain-report-7"),
    report8: suffixed(base, "drain-report-8"),
    credentials: `${base}-credentials`,
    kubernetesOperator: release.name,
  };
}

/** The Deployments of the three components: their pods are named after them. */
export function deploymentsOf({ fullname }: Pick<Release, "fullname">): readonly string[] {
  return ["manager", "agent", "bindings-forwarder"].map((suffix) => suffixed(fullname, suffix));
}

/** The longest suffix that the chart appends is `-bindings-forwarder`; the helpers in chart/templates do the same cut. */
function suffixed(base: string, suffix: string): string {
  return `${base.slice(0, 63 - suffix.length - 1).replace(/-+$/, "")}-${suffix}`;
}
