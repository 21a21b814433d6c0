// All generated files, from all definitions: one list for `npm run generate`, its --check and the tests.
import { cleanupHook } from "#hooks/cleanup/hook.ts";
import { drainHook } from "#hooks/drain/hook.ts";
import { rehearsalHook } from "#hooks/rehearsal/hook.ts";
import { agentManager } from "#operator/managers/agent-manager/manager.ts";
import { apiManager } from "#operator/managers/api-manager/manager.ts";
import { bindingsForwarderManager } from "#operator/managers/bindings-forwarder-manager/manager.ts";
import { chartYamlFile } from "./chart-yaml.ts";
import { crdFiles } from "./crds.ts";
import { drainDocumentFiles } from "./drain-documents.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { hookFiles, type HookDefinition } from "./hooks.ts";
import { managerFile } from "./managers.ts";
import { monitoringFiles } from "./monitoring.ts";
import { rbacPage } from "./rbac-page.ts";
import { scaleFiles } from "./scale-page.ts";
import { uninstallMatrixPage } from "./uninstall-matrix.ts";
import { valuesTypesFile } from "./values-types.ts";
import { valuesFiles } from "./values.ts";

/** Folders that hold nothing but generated files. */
export const OWNED_FOLDERS = ["chart/templates/crds", "chart/templates/hooks", "chart/templates/rbac"];

const hooks: readonly HookDefinition[] = [drainHook, cleanupHook, rehearsalHook];

export function generatedFiles(): readonly GeneratedFile[] {
  return [
    ...crdFiles(),
    ...hooks.flatMap(hookFiles),
    managerFile(apiManager, {
      prefix: "manager",
      serviceAccount: `include "ngrok-operator.serviceAccount" .`,
      when: "",
    }),
    managerFile(agentManager, {
      prefix: "agent",
      serviceAccount: `include "ngrok-operator.agentServiceAccount" .`,
      when: `include "ngrok-operator.hasAgent" .`,
    }),
    managerFile(bindingsForwarderManager, {
      prefix: "bindings-forwarder",
      serviceAccount: `include "ngrok-operator.forwarderServiceAccount" .`,
      when: `include "ngrok-operator.hasForwarder" .`,
    }),
    rbacPage([apiManager, agentManager, bindingsForwarderManager], hooks),
    uninstallMatrixPage(),
    ...monitoringFiles(),
    ...scaleFiles(),
    ...valuesFiles(),
    valuesTypesFile(),
    chartYamlFile(),
    ...drainDocumentFiles(),
  ];
}
