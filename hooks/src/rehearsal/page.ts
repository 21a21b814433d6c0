// What a rehearsal came to as lines of a hook's log, the remedies last: pure, from the forecast of `ngrok-drain plan`.
import type { DrainPolicy } from "#api/schema.ts";
import type { Forecast } from "../ngrok-drain/forecast.ts";
import { callsText, timeText } from "../ngrok-drain/forecast-page.ts";

/** A word of at most nine letters and a sentence. */
export type Line = readonly [word: string, sentence: string];

/** Of anything that there may be thousands of; `ngrok-drain plan` names all. */
const NAMED = 3;

/** At most 40 lines. `planCommand` and `again` are what a person types to see all, and to rehearse again. */
export function rehearsalLines(
  forecast: Forecast,
  { rights, planCommand, again }: { readonly rights: number; readonly planCommand: string; readonly again: string },
): readonly Line[] {
  const { release, policy, policyFrom, crds, kinds, leftAlone, notes } = forecast;
  return [
    ["plan", `release ${release.namespace}/${release.name} policy ${policy} (from ${policyFrom}) CRDs ${crds}`],
    ["started", "this pod is one as the hooks': image, pull Secrets, quota, pod security and a node let it start"],
    ["rights", `${rights} of the drain and the cleanup hook were asked for, under Roles as theirs`],
    ...(kinds.length === 0 ? [["objects", "none carries a finalizer of this operator"] as const] : []),
    ...kinds.map((one): Line => [
      "objects",
      `${one.kind} ${one.ours} of ${one.finalizer}: ${policy === "Retain" ? one.retain : deleteText(one)}`,
    ]),
    ...some(
      "left",
      leftAlone.map(({ object, why }) => `${object} ${why}`),
      planCommand,
    ),
    ["time", timeText(forecast)],
    ["calls", callsText(forecast)],
    ...notes.slice(0, NAMED).map((note): Line => ["note", note]),
    ...verdict(forecast, planCommand, again),
  ];
}

function deleteText({ retain, delete: fate }: Forecast["kinds"][number]): string {
  return fate === "same" ? retain : fate;
}

function verdict(forecast: Forecast, planCommand: string, again: string): readonly Line[] {
  const { policy, ready, release } = forecast;
  const concerns = (item: { readonly policies: readonly DrainPolicy[] }): boolean => item.policies.includes(policy);
  const other = policy === "Retain" ? "Delete" : "Retain";
  const blockers = forecast.blockers.filter(concerns);
  const unanswered = forecast.unanswered.filter(concerns);
  const elsewhere: readonly Line[] =
    ready[other] === "yes" ? [] : [["note", `under ${other} it would not be ready; all of it: ${planCommand}`]];
  if (ready[policy] === "yes")
    return [
      ...elsewhere,
      ["ready", `helm uninstall ${release.name} -n ${release.namespace} would come to its end. Nothing was changed`],
    ];
  return [
    ...elsewhere,
    ...some(
      "blocker",
      blockers.map(({ reason }) => reason),
      planCommand,
    ),
    ...some(
      "unknown",
      unanswered.map(({ what, why }) => `${what}: ${why}`),
      planCommand,
    ),
    ["refused", `an uninstall under ${policy} would not come to its end as it is. Nothing was changed`],
    ...[...new Set(blockers.map(({ remedy }) => remedy))].slice(0, NAMED).map((remedy): Line => ["remedy", remedy]),
    ["again", again],
  ];
}

function some(word: string, sentences: readonly string[], planCommand: string): readonly Line[] {
  const more = sentences.length - NAMED;
  return [
    ...sentences.slice(0, NAMED).map((sentence): Line => [word, sentence]),
    ...(more > 0 ? [[word, `${more} more; all of them: ${planCommand}`] as const] : []),
  ];
}
