// A Job that has ended: one that wants no pod to succeed, so that its real controller completes it at once.
import type { KubeObject } from "#kube/kind.ts";
import { Job } from "#kube/kinds.ts";
import type { Writer } from "#kube/writer.ts";

/** `kubectl` waits until its controller has said so. */
export async function anEndedJob(
  write: Writer,
  kubectl: (args: string[]) => Promise<string>,
  at: { readonly name: string; readonly namespace: string },
): Promise<void> {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "a" }] } };
  const job = { metadata: at, spec: { completions: 0, template } } as KubeObject;
  await write.create(Job, job, AbortSignal.timeout(60_000));
  await kubectl(["wait", "--for=condition=Complete", `job/${at.name}`, "-n", at.namespace, "--timeout=150s"]);
}
