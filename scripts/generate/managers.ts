// The Roles of a pod, from its manager's definition (operator/runtime/define-manager.ts).
import { rightsOf, type Manager } from "#operator/runtime/define-manager.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { WATCHES_ALL, whole } from "./helm-names.ts";
import { rightsFile } from "./hooks.ts";
import { both, ownRoles, watchRole, type Subject } from "./rbac.ts";

/** Names as every release so far has had them: a roleRef cannot be changed, so they may not move. */
function subjectOf(manager: Manager, prefix: string): Subject {
  const role = [whole(`${prefix}-role`), whole(`${prefix}-rolebinding`)] as const;
  return {
    rules: rightsOf(manager),
    wide: WATCHES_ALL,
    names: {
      wide: role,
      watch: role,
      cluster: [whole(`${prefix}-cluster-role`), whole(`${prefix}-cluster-rolebinding`)],
      release: [whole(`${prefix}-release-role`), whole(`${prefix}-release-rolebinding`)],
    },
  };
}

/** How a manager's objects are called in the chart, and when they are there. */
export interface InChart {
  /** Of the names of its Roles. */
  readonly prefix: string;
  /** Helm expression of its ServiceAccount's name. */
  readonly serviceAccount: string;
  /** Helm condition; "" for always. */
  readonly when: string;
}

export function managerFile(manager: Manager, { prefix, serviceAccount, when }: InChart): GeneratedFile {
  const subject = subjectOf(manager, prefix);
  const roles = [...watchRole(subject), ...ownRoles(subject)].map((role) => ({ ...role, when: both(when, role.when) }));
  return rightsFile(
    `chart/templates/rbac/${manager.name}.yaml`,
    `operator/managers/${manager.name}/manager.ts`,
    serviceAccount,
    roles,
  );
}
