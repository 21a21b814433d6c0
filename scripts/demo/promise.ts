// What a demo came to, as its last line says it, and whether that is what the policy promises.

export interface DemoResult {
  readonly policy: "Retain" | "Delete";
  readonly objects: number;
  readonly finalizersBefore: number;
  readonly residue: number;
  /** What ngrok holds in the end, and what it held while everything was served. */
  readonly remote: number;
  readonly remoteServed: number;
  /** What was done to the users' own objects, in words. */
  readonly harm: readonly string[];
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

/**
 * Nothing sticks, ngrok holds what the policy says, the users' objects are unharmed, and there was something to free in the
 * first place.
 */
export function isAsPromised(result: DemoResult): boolean {
  const remote = result.policy === "Delete" ? 0 : result.remoteServed;
  const wasHeld = result.finalizersBefore === result.objects;
  return result.code === 0 && result.residue === 0 && result.remote === remote && wasHeld && result.harm.length === 0;
}
