// The Roles of a pod, from its manager's definition (operator/runtime/define-manager.ts).
import { rightsOf, type Manager } from "#operator/runtime/define-manager.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { named, WATCHES_ALL } from "./helm-names.ts";
import { rightsFile } from "./hooks.ts";
import { ownRoles, watchRole, type Subject } from "./rbac.ts";

/** Names as every release so far has had them: a roleRef cannot be changed, so they may not move. */
function subjectOf(manager: Manager, prefix: string): Subject {
  const role = [named(`${prefix}-role`), named(`${prefix}-rolebinding`)] as const;
  return {
    rules: rightsOf(manager),
    wide: WATCHES_ALL,
    names: {
      wide: role,
      watch: role,
      cluster: [named(`${prefix}-cluster-role`), named(`${prefix}-cluster-rolebinding`)],
      release: [named(`${prefix}-release-role`), named(`${prefix}-release-rolebinding`)],
    },
  };
}

export function apiManagerFile(manager: Manager): GeneratedFile {
  const subject = subjectOf(manager, "manager");
  return rightsFile(
    `chart/templates/rbac/${manager.name}.yaml`,
    `operator/managers/${manager.name}/manager.ts`,
    `include "ngrok-operator.serviceAccount" .`,
    [...watchRole(subject), ...ownRoles(subject)],
  );
}
