// How a program of ours shares the processors in a bench.

/**
 * The command line that gives a program the weight of its pod. A kubelet weighs a pod by its requests, 50m or 100m beside
 * the API server's 250m; here, where all are bare processes on the same two cores, `nice` does: level 7 is a fifth.
 */
export function asPod(line: readonly string[]): readonly string[] {
  return ["nice", "-n", "7", ...line];
}
