// Remedies of the chart.
import { chart, type Mutant } from "./mutant.ts";

export const ofChart: readonly Mutant[] = [
  {
    id: "F10",
    what: "the hook's pod does not start without the credentials Secret",
    file: "chart/templates/hooks/drain.yaml",
    find: "optional: true",
    replace: "optional: false",
    test: chart("test/chart/hook-pods.test.ts", "a hook's pod starts although every Secret is gone"),
  },
  {
    id: "F21",
    what: "Helm deletes the drain hook's rights as soon as it gives up, while the pod still works",
    file: "chart/templates/hooks/drain.yaml",
    find: `$rights := dict "helm.sh/hook" "pre-delete" "helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation"`,
    replace: `$rights := dict "helm.sh/hook" "pre-delete" "helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded"`,
    test: chart("test/chart/hook-pods.test.ts", "a drain hook keeps its rights until the cleanup"),
  },
  {
    id: "F22",
    what: "the Job's deadline comes before Helm's",
    file: "chart/templates/hooks/drain.yaml",
    find: "activeDeadlineSeconds: {{ max 900 (add (int .Values.cleanupHook.timeout) 600) }}",
    replace: "activeDeadlineSeconds: 250",
    test: chart("test/chart/budgets.test.ts", "cleanupHook.timeout="),
  },
  {
    id: "F25",
    what: "a mesh's sidecar keeps the hook's Job from its end",
    file: "chart/templates/hooks/drain.yaml",
    find: `$mesh := dict "sidecar.istio.io/inject"`,
    replace: `$mesh := dict "sidecar.example.com/inject"`,
    test: chart("test/chart/hook-pods.test.ts", "a hook reaches what the operator reaches"),
  },
];
