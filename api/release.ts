// The names of one install, all made from the release and the chart's fullname, in one place.

export interface Release {
  /** Helm's release name; also the name of the KubernetesOperator. */
  readonly name: string;
  /** The release namespace: where the pods, the Lease and the drain state are. */
  readonly namespace: string;
  /** The chart's fullname: release name, or `<release>-ngrok-operator`, or the override. */
  readonly fullname: string;
  /** The namespace that is watched, or undefined for all. */
  readonly watchNamespace?: string | undefined;
}

export interface ReleaseNames {
  readonly lease: string;
  readonly drainState: string;
  readonly manager: string;
  readonly drainJob: string;
  readonly cleanupJob: string;
  readonly report: string;
  readonly credentials: string;
  readonly kubernetesOperator: string;
}

/** `<release namespace>/<release>`: the value of the stamp. */
export function ownerOf(release: Release): string {
  return `${release.namespace}/${release.name}`;
}

/** Names are cut so that each stays within 63 bytes, its suffix included (a Job's name holds no more). */
export function namesOf(release: Release): ReleaseNames {
  const base = release.fullname;
  return {
    lease: suffixed(base, "leader"),
    drainState: suffixed(base, "drain-state"),
    manager: suffixed(base, "manager"),
    drainJob: suffixed(base, "drain"),
    cleanupJob: suffixed(base, "cleanup"),
    report: suffixed(base, "drain-report"),
    credentials: suffixed(base, "credentials"),
    kubernetesOperator: release.name,
  };
}

/** The longest suffix that the chart appends is `-bindings-forwarder`; the helpers in chart/templates do the same cut. */
function suffixed(base: string, suffix: string): string {
  return `${base.slice(0, 63 - suffix.length - 1).replace(/-+$/, "")}-${suffix}`;
}
