// The policy of an uninstall is that of the revision that Helm uninstalls, even of one whose upgrade failed; the
// KubernetesOperator's is obeyed when it is deleted by hand. Where the two differ, a person should read it.
import { drainPolicyOf, KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Reader } from "#kube/reader.ts";
import type { Settings } from "../environment.ts";

/** A sentence when they differ; undefined when they agree or there is no KubernetesOperator. */
export async function otherPolicy(
  read: Reader,
  { release, policy, revision }: Settings,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name, namespace } = release;
  const operator = await read.get(KubernetesOperator, { name, namespace }, signal);
  if (operator === undefined || drainPolicyOf(operator) === policy) return undefined;
  return `${policy}, as revision ${revision} of the release says; the KubernetesOperator says ${drainPolicyOf(operator)}, which would hold if it were deleted by hand`;
}
