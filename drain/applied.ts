// `helm template | kubectl apply` knows no hooks: their Jobs are applied with all the rest, and would drain an install that has
// just begun. Helm leaves its name on what it installs; kubectl leaves its own.
import type { Release } from "#api/release.ts";
import type { Refusal } from "./others.ts";
import { parseState, type StateObject } from "./state.ts";

const HELMS = "meta.helm.sh/release-name";
/** As kubectl names itself when it makes an object; patches and edits have other names. */
const KUBECTLS = ["kubectl", "kubectl-client-side-apply", "kubectl-create"];

/**
 * Why a hook has not been started by an uninstall. A drain that was marked already is one that somebody wants. Pure.
 * @param state the drain state, undefined when there is none
 */
export function appliedByKubectl(state: StateObject | undefined, release: Release): Refusal | undefined {
  if (state === undefined || parseState(state).phase !== "Open") return undefined;
  const { annotations = {}, managedFields = [] } = state.metadata;
  const isKubectls = managedFields.some(({ manager = "" }) => KUBECTLS.includes(manager));
  if (annotations[HELMS] !== undefined || !isKubectls) return undefined;
  const { name, namespace } = release;
  return {
    reason: `release ${namespace}/${name} was applied by kubectl and not installed by Helm, and this Job, a hook for Helm alone, with it`,
    remedies: [
      "to install, leave the hooks out: helm template --no-hooks, or skipHooks: true in kustomize",
      `to uninstall, begin with this and wait until it is gone, then delete the rest: kubectl -n ${namespace} delete kubernetesoperator ${name}`,
    ],
  };
}
