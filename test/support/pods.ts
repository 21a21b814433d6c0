// Namespaces and pods of a cluster that has a node, where kubectl alone answers too early: that those that go are
// gone, and that pods are back.
import { expect } from "vitest";
import type { Kubectl } from "./kubectl.ts";

/** How long a busy machine may take, in milliseconds. */
const WITHIN_MS = 180_000;

/** Resolves when no namespace is going any more. */
export async function namespacesStay(kubectl: Kubectl): Promise<void> {
  const phases = ["get", "namespaces", "-o", 'jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\\n"}{end}'];
  const going = async (): Promise<string[]> =>
    (await kubectl.run(phases)).split("\n").filter((line) => line.endsWith(" Terminating"));
  await expect.poll(going, { timeout: WITHIN_MS, interval: 500 }).toEqual([]);
}

/**
 * Resolves when there are pods and all of them are Ready: whoever deletes pods may see the last one go before the next one is
 * made, and `kubectl wait` takes nothing for an error.
 *
 * @param of where, and which: `--namespace` and `--selector`
 */
export async function podsAreReady(kubectl: Kubectl, of: readonly string[]): Promise<void> {
  const wait = ["wait", "--for=condition=Ready", "pods", ...of, "--timeout=150s"];
  await expect.poll(async () => await kubectl.run(wait), { timeout: WITHIN_MS }).toContain("condition met");
}
