// Who else lives on our CRDs: asked where this release would take them along, before anything has changed. What would hang in
// them is asked for once more at the end.
import { DRAIN_OWNER, FINALIZERS } from "#api/keys.ts";
import { ownKinds } from "#api/own-kinds.ts";
import type { Release } from "#api/release.ts";
import { ownerOf } from "#api/release.ts";
import { type Kind, type KubeObject, resourceName } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { otherInstalls } from "./inventory.ts";
import { rows } from "./kinds.ts";
import { nameOf } from "./names.ts";
import { carriesOurs, isOurs, type Surroundings, whose } from "./ours.ts";
import type { Report } from "./report.ts";

/** Why the uninstall does not begin, and what to do; nothing has changed. */
export interface Refusal {
  readonly reason: string;
  /** What to type after the refusal. */
  readonly remedies: readonly string[];
  /** What to type on the day before. */
  readonly beforehand?: string;
}

export interface OthersWork {
  readonly read: Reader;
  readonly release: Release;
  /** Whether Helm will delete our CRDs with this release (`crds.keep=false`). */
  readonly crdsGo: boolean;
  readonly clusterWide: boolean;
  /** Of the release, for `helm rollback`. */
  readonly revision: string;
  /** Version of the chart. */
  readonly chart: string;
  readonly signal: AbortSignal;
}

/** Our CRDs go with this release: then nobody else may depend on them, and nothing that stays may hang in them. */
export async function othersDepend(work: OthersWork): Promise<Refusal | undefined> {
  const { read, release, crdsGo, clusterWide, signal } = work;
  if (!crdsGo || !clusterWide) return undefined;
  const installs = await otherInstalls(read, release, signal);
  const [first] = installs;
  if (first !== undefined) {
    const more = installs.length > 1 ? ` and ${installs.length - 1} more` : "";
    return refusal(work, `the install ${first.owner}${more} still needs them`);
  }
  return await strangersObject(work, { release, others: "none", installs });
}

/** When a command lets the one object go that is in the way. */
interface WayOut {
  readonly when: string;
  readonly command: string;
}

function refusal(work: OthersWork, who: string, way?: WayOut): Refusal {
  const keep = upgradeCommand(work.release, work.chart, "crds.keep=true");
  const first =
    way === undefined
      ? []
      : [`if ${way.when}: ${way.command}`, "then run the same helm uninstall again; if not, keep the CRDs:"];
  return {
    reason: `this release owns the CRDs and would delete them (crds.keep=false), but ${who}`,
    remedies: [...first, ...keepCommands(work)],
    beforehand: way === undefined ? keep : `${way.command} if ${way.when}, else ${keep}`,
  };
}

/** To be typed as they are, when CHART says where the chart is; Helm reads crds.keep from the revision that it deletes. */
function keepCommands({ release, revision, chart }: Pick<OthersWork, "release" | "revision" | "chart">) {
  const at = `-n ${release.namespace}`;
  return [
    `set CHART to the chart ngrok-operator ${chart} as you installed it (folder, file, oci://... or repo/name), then run these three`,
    `helm rollback ${release.name} ${revision} ${at}`,
    upgradeCommand(release, chart, "crds.keep=true"),
    `helm uninstall ${release.name} ${at}`,
  ];
}

/** $CHART is what only the person knows; the version is the one that runs, whatever is newest. */
export function upgradeCommand(release: Release, chart: string, set: string): string {
  return `helm upgrade ${release.name} $CHART -n ${release.namespace} --version ${chart} --reset-then-reuse-values --set ${set}`;
}

/**
 * The first object of our kinds that another install has stamped, or that we hold and nobody can be named for; else those that
 * another controller holds.
 */
async function strangersObject(work: OthersWork, surroundings: Surroundings): Promise<Refusal | undefined> {
  const us = ownerOf(work.release);
  let first: Hold | undefined;
  let held = 0;
  for await (const { kind, object } of ownObjects(work.read, work.signal)) {
    const name = nameOf({ kind }, object);
    const stamp = object.metadata.annotations?.[DRAIN_OWNER];
    if (stamp !== undefined && stamp !== us) return refusal(work, `${name} of ${stamp} still needs them`);
    if (stamp === undefined && isNobodys(kind, object, surroundings)) {
      const command = `kubectl -n ${object.metadata.namespace} annotate ${name.split(" ")[0]} ${object.metadata.name} ${DRAIN_OWNER}=${us}`;
      const who = `${name} carries our finalizer and does not say whose it is, so it would hang in them`;
      return refusal(work, who, { when: "it is this release's", command });
    }
    const hold = holdOf(kind, object);
    if (hold === undefined) continue;
    first ??= hold;
    held += 1;
  }
  if (first === undefined) return undefined;
  const more = held > 1 ? ` (and ${held - 1} more)` : "";
  const who = `they would hang on a foreign finalizer: ${first.object} still carries ${first.finalizers.join(", ")} of another controller${more}`;
  return refusal(work, who, { when: NOBODY_COMES, command: first.command });
}

/** When a person may take another controller's finalizer off. */
export const NOBODY_COMES = "nobody comes for it any more";

/** An object of our kinds that another controller holds, and the command that takes its finalizers off. */
interface Hold {
  readonly object: string;
  readonly finalizers: readonly string[];
  readonly command: string;
}

/** What other controllers hold now, into the report: what they held when ours went off may be gone, and more have come. */
export async function seeForeign(
  read: Reader,
  report: Pick<Report, "foreign" | "foreignOff">,
  signal: AbortSignal,
): Promise<void> {
  report.foreign.clear();
  delete report.foreignOff;
  for await (const { kind, object } of ownObjects(read, signal)) {
    const hold = holdOf(kind, object);
    if (hold === undefined) continue;
    report.foreign.set(hold.object, hold.finalizers);
    report.foreignOff ??= hold.command;
  }
}

/** Also of those kinds that never carry our finalizer. */
async function* ownObjects(
  read: Reader,
  signal: AbortSignal,
): AsyncGenerator<{ readonly kind: Kind; readonly object: KubeObject }> {
  for (const kind of ownKinds) {
    for await (const { items } of read.pages(kind, {}, signal)) for (const object of items) yield { kind, object };
  }
}

function holdOf(kind: Kind, object: KubeObject): Hold | undefined {
  const { name, namespace, finalizers = [] } = object.metadata;
  const foreign = finalizers.flatMap((entry, n) => (FINALIZERS.includes(entry) ? [] : [{ entry, n }]));
  if (foreign.length === 0) return undefined;
  // Tested, since ours may go in between and move them; from the last one backwards, so that the rest stay where they are.
  const steps = foreign.toReversed().flatMap(({ entry, n }) => {
    const path = `/metadata/finalizers/${n}`;
    return [`{op: test, path: ${path}, value: ${entry}}`, `{op: remove, path: ${path}}`];
  });
  // Without double quotes, which would not survive Helm's printing; kubectl reads YAML.
  const command = `kubectl -n ${namespace} patch ${resourceName(kind)} ${name} --type json -p '[${steps.join(", ")}]'`;
  return { object: nameOf({ kind }, object), finalizers: foreign.map(({ entry }) => entry), command };
}

function isNobodys(kind: Kind, object: KubeObject, surroundings: Surroundings): boolean {
  const row = rows.find((one) => one.kind === kind);
  return row !== undefined && carriesOurs(row, object) && !isOurs(whose(row, object, surroundings));
}
