// What a demo came to, as its last line says it, and whether that is what the policy promises.

export interface DemoResult {
  readonly policy: "Retain" | "Delete";
  readonly objects: number;
  readonly finalizersBefore: number;
  readonly residue: number;
  readonly remote: number;
  /** Of helm uninstall. */
  readonly seconds: number;
  /** Helm's exit code. */
  readonly code: number;
}

/** `policy=... objects=N finalizers_before=N residue=0 remote=R seconds=S` */
export function closingLine(result: DemoResult): string {
  const { policy, objects, finalizersBefore, residue: left, remote, seconds } = result;
  return `policy=${policy} objects=${objects} finalizers_before=${finalizersBefore} residue=${left} remote=${remote} seconds=${seconds.toFixed(1)}`;
}

/** Nothing sticks, ngrok holds what the policy says, and there was something to free in the first place. */
export function isAsPromised(result: DemoResult): boolean {
  const remote = result.policy === "Delete" ? 0 : result.objects;
  return (
    result.code === 0 && result.residue === 0 && result.remote === remote && result.finalizersBefore === result.objects
  );
}
