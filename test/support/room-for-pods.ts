// A namespace that takes pods, for tests and the demo.
import type { Kubectl } from "./kubectl.ts";

/**
 * Makes a namespace into which a pod can be put at once. The API server refuses a pod without its ServiceAccount, `default`,
 * after a second or two of patience; the controller that makes that one may have to wait longer for a processor.
 */
export async function roomForPods(kubectl: Kubectl, name: string): Promise<void> {
  await kubectl.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name } }]);
  await kubectl.run(["-n", name, "wait", "--for=create", "serviceaccount/default", "--timeout=150s"]);
}
