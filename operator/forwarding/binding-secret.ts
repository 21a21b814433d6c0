// Where the key and the certificate of bindings lie, for who keeps them and for who serves with them.
import { BINDING_SECRET, type KubernetesOperator } from "#api/kubernetes-operator.ts";
import { KnownError } from "#wire/errors.ts";

/** The name of the Secret. Throws KnownError invalid where the KubernetesOperator names one to which nobody has a right. */
export function bindingSecretOf(operator: KubernetesOperator | undefined): string {
  const name = operator?.spec.binding?.tlsSecretName ?? BINDING_SECRET;
  if (name !== BINDING_SECRET)
    throw new KnownError("invalid", `spec.binding.tlsSecretName of the KubernetesOperator is ${name}`, {
      hint: `The operator may use Secret ${BINDING_SECRET} alone: name that one.`,
    });
  return name;
}
