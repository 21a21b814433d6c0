// `ngrok-drain report`: what the last drain kept at ngrok and what it removed, with remote ids, from the report's
// ConfigMaps.
import { namesOf, type Release } from "#api/release.ts";
import { type KeptReport, readReport } from "#drain/keep.ts";
import { countsIn, parseTold, type ToldObject } from "#drain/told.ts";
import { type DrainCommand, EXIT, type World } from "./command.ts";

export const reportCommand: DrainCommand = {
  name: "report",
  summary: "Print what the last drain kept at ngrok and what it removed, with remote ids. Changes nothing.",
  examples: [
    ["report", "what is still at ngrok after that uninstall?"],
    ["report -o json | jq -r '.kept[] | select(.kind==\"domain\") | .id'", "the ids of the domains that stayed"],
  ],
  exits: "0 printed, 3 there is no report: no drain has ended, or it found nothing; 1 error",
  run,
};

/** The document of `-o json`. */
export interface ReportDocument {
  readonly command: "report";
  readonly release: Release;
  /** null without a report. */
  readonly policy: string | null;
  /** RFC 3339: when the last run of that drain wrote it. */
  readonly at: string | null;
  /** False when a piece is missing, or when there was more than all pieces hold. */
  readonly complete: boolean;
  readonly kept: readonly ToldObject[];
  readonly removed: readonly ToldObject[];
}

async function run(world: World): Promise<number> {
  const { install, read, signal } = world;
  const { release } = install;
  const report = await readReport(read, release, signal);
  const document: ReportDocument = {
    command: "report",
    release,
    policy: report?.policy ?? null,
    at: report?.at ?? null,
    complete: report?.complete ?? false,
    kept: report?.told.kept.map(parseTold) ?? [],
    removed: report?.told.removed.map(parseTold) ?? [],
  };
  if (report === undefined) {
    const name = `${release.namespace}/${namesOf(release).report}`;
    world.answer(document, [`no report: ConfigMap ${name} is not there; no drain has ended, or it found nothing`]);
    return EXIT.unknown;
  }
  world.answer(document, pageOf(release, report));
  return EXIT.ok;
}

function pageOf(release: Release, { policy, at, told, complete, omitted }: KeptReport): readonly string[] {
  return [
    `release ${release.namespace}/${release.name}  policy ${policy}  at ${at}`,
    ...(told.kept.length === 0
      ? []
      : [`Kept at ngrok: ${countsIn(told.kept)}`, ...told.kept.map((line) => `  ${line}`)]),
    ...(told.removed.length === 0
      ? []
      : [`Removed: ${countsIn(told.removed)}`, ...told.removed.map((line) => `  ${line}`)]),
    ...(complete
      ? []
      : [`INCOMPLETE: ${omitted > 0 ? `${omitted} more objects did not fit` : "a piece of it is missing"}`]),
  ];
}
