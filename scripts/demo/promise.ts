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
  /** How many requests were answered as they should; undefined when none were to be sent. */
  readonly requestsOk?: number;
  /** Of helm uninstall. */
  readonly seconds: number;
  /** Helm's exit code. */
  readonly code: number;
}

/** `policy=... objects=N finalizers_before=N residue=0 remote=R seconds=S`, and ` requests_ok=N` where requests were sent. */
export function closingLine(result: DemoResult): string {
  const { policy, objects, finalizersBefore, residue: left, remote, seconds, requestsOk } = result;
  const requests = requestsOk === undefined ? "" : ` requests_ok=${requestsOk}`;
  return `policy=${policy} objects=${objects} finalizers_before=${finalizersBefore} residue=${left} remote=${remote} seconds=${seconds.toFixed(1)}${requests}`;
}

/**
 * Nothing sticks, ngrok holds what the policy says, nobody's objects are harmed, requests were answered where they were to
 * be sent, and there was something to free in the first place.
 */
export function isAsPromised(result: DemoResult): boolean {
  const { code, residue: left, harm, requestsOk } = result;
  const remote = result.policy === "Delete" ? 0 : result.remoteServed;
  const wasServed = result.finalizersBefore === result.objects && requestsOk !== 0;
  return code === 0 && left === 0 && result.remote === remote && wasServed && harm.length === 0;
}
