// The status as a page, and as the one line that a change is worth: pure.
import type { DrainProgress } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { DrainState } from "#drain/state.ts";
import { stateText } from "./state-text.ts";

export interface Status {
  readonly command: "status";
  readonly release: Release;
  readonly state: DrainState;
  readonly policy: DrainPolicy;
  readonly policyFrom: string;
  /** Who holds the write token: `pod/<name>/<uid>` or `cli/<uuid>`; null when nobody does. */
  readonly writer: string | null;
  /** null when there is no KubernetesOperator: before an install, or after its drain. */
  readonly operator: { readonly deleting: boolean; readonly ready: string | null } | null;
  /** Of the drain that runs or ran last, as the KubernetesOperator shows it; null when it shows none. */
  readonly drain: DrainProgress | null;
}

/** Errors that are named; `-o json` has all that the KubernetesOperator shows. */
const NAMED = 3;

export function statusPage(status: Status): readonly string[] {
  const { release, state, policy, policyFrom, writer, operator, drain } = status;
  const errors = drain?.errors ?? [];
  return [
    `release   ${release.namespace}/${release.name}`,
    `state     ${stateText(state)}`,
    `policy    ${policy} (from ${policyFrom})`,
    `writer    ${writer === null ? "nobody holds the write token" : whoIs(writer)}`,
    `operator  ${operatorText(operator)}`,
    ...(drain === null ? [] : [`done      ${progressText(drain)}`]),
    ...errors.slice(-NAMED).map((error) => `failed    ${error}`),
    ...nextLines(status),
  ];
}

/** One line for one change. */
export function changeLine({ state, policy, writer, operator, drain }: Status): string {
  const parts = [
    state.phase === "Unknown" ? `unknown: ${state.why}` : state.phase.toLowerCase(),
    policy,
    writer === null ? "no writer" : whoIs(writer),
    ...(operator === null ? ["no KubernetesOperator"] : operator.deleting ? ["KubernetesOperator being deleted"] : []),
    ...(drain === null ? [] : [progressText(drain)]),
    ...(drain?.errors ?? []).slice(-1),
  ];
  return parts.join("  ");
}

function whoIs(holder: string): string {
  const [kind, name] = holder.split("/");
  return kind === "pod" && name !== undefined ? `pod ${name}` : holder;
}

function operatorText(operator: Status["operator"]): string {
  if (operator === null) return "there is no KubernetesOperator";
  return `${operator.deleting ? "being deleted" : "there"}${operator.ready === null ? "" : `: ${operator.ready}`}`;
}

function progressText({ drainedResources, totalResources, failedResources, phase, driver }: DrainProgress): string {
  const failed = failedResources > 0 ? `, ${failedResources} failed` : "";
  return `${drainedResources} of ${totalResources}${failed}${phase === undefined ? "" : `, ${phase}`}${driver === undefined ? "" : ` by ${driver}`}`;
}

/** What a person can do about a drain that is not done. */
function nextLines({ release, state, operator }: Status): readonly string[] {
  const uninstall = `helm uninstall ${release.name} -n ${release.namespace}`;
  if (state.phase === "Draining") {
    const back = operator?.deleting === true ? [] : ["back      ngrok-drain cancel"];
    return [`next      ${uninstall}, as often as it takes; it goes on where the last run ended`, ...back];
  }
  if (state.phase === "Drained") return [`next      ${uninstall} removes what is left of the release`];
  return [];
}
