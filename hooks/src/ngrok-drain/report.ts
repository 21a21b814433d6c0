// `ngrok-drain report`: what the last drain kept at ngrok, with its ids, from the report's ConfigMaps.
import { namesOf } from "#api/release.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { type DrainCommand, EXIT, type World } from "./command.ts";
import { parseKept, piecesIn } from "./report-text.ts";

export const reportCommand: DrainCommand = {
  name: "report",
  summary: "Print what the last drain kept at ngrok, with remote ids. Changes nothing.",
  examples: [
    ["report", "what is still at ngrok after that uninstall?"],
    ["report -o json | jq -r '.kept[] | select(.kind==\"domain\") | .id'", "the ids of the domains that stayed"],
  ],
  exits: "0 printed, 3 there is no report: no drain has ended, or nothing was kept",
  run,
};

async function run(world: World): Promise<number> {
  const { install, read, signal } = world;
  const { release } = install;
  const base = namesOf(release).report;
  const pieces: Record<string, string>[] = [];
  for (let n = 1, last = 1; n <= last; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    const object = await read.get(ConfigMap, { name, namespace: release.namespace }, signal);
    if (object?.data === undefined) break;
    pieces.push(object.data);
    last = piecesIn(object.data["piece"]);
  }
  const [first] = pieces;
  const lines = pieces.flatMap(({ kept = "" }) => kept.split("\n").filter(Boolean));
  const complete = pieces.length > 0 && pieces.length === piecesIn(first?.["piece"]);
  const document = {
    command: "report",
    release,
    policy: first?.["policy"] ?? null,
    at: first?.["at"] ?? null,
    complete,
    kept: lines.map(parseKept),
  };
  if (first === undefined) {
    world.answer(document, [
      `no report: ConfigMap ${release.namespace}/${base} is not there; nothing was kept, or no drain ended`,
    ]);
    return EXIT.unknown;
  }
  world.answer(document, [
    `release ${first["release"]}  policy ${first["policy"]}  at ${first["at"]}  kept at ngrok: ${first["summary"]}`,
    ...lines,
    ...(complete ? [] : [`INCOMPLETE: ${pieces.length} of ${piecesIn(first["piece"])} pieces were found`]),
  ]);
  return EXIT.ok;
}
