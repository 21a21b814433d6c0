// Who else lives on our CRDs: asked where this release would take them along, before anything has changed.
import { DRAIN_OWNER } from "#api/keys.ts";
import { ownKinds } from "#api/own-kinds.ts";
import type { Release } from "#api/release.ts";
import { ownerOf } from "#api/release.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { otherInstalls } from "./inventory.ts";
import { rows } from "./kinds.ts";
import { carriesOurs, isOurs, type Surroundings, whose } from "./ours.ts";

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

/** Our CRDs go with this release: then nobody else may depend on them, and nothing of unknown owner may hang in them. */
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

function refusal(work: OthersWork, who: string, claim?: string): Refusal {
  const keep = upgradeCommand(work.release, work.chart, "crds.keep=true");
  const claimFirst = [
    `if it is this release's: ${claim}`,
    "then run the same helm uninstall again; if it is not, keep the CRDs:",
  ];
  return {
    reason: `this release owns the CRDs and would delete them (crds.keep=false), but ${who}`,
    remedies: [...(claim === undefined ? [] : claimFirst), ...keepCommands(work)],
    beforehand: claim === undefined ? keep : `${claim} if it is this release's, else ${keep}`,
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

/** The first object of our kinds that another install has stamped, or that we hold and nobody can be named for. */
async function strangersObject(work: OthersWork, surroundings: Surroundings): Promise<Refusal | undefined> {
  const { read, release, signal } = work;
  const us = ownerOf(release);
  for (const kind of ownKinds) {
    for await (const page of read.pages(kind, {}, signal)) {
      for (const object of page.items) {
        const name = `${kind.kind.toLowerCase()} ${object.metadata.namespace}/${object.metadata.name}`;
        const stamp = object.metadata.annotations?.[DRAIN_OWNER];
        if (stamp !== undefined && stamp !== us) return refusal(work, `${name} of ${stamp} still needs them`);
        if (stamp === undefined && isNobodys(kind, object, surroundings)) {
          const claim = `kubectl -n ${object.metadata.namespace} annotate ${name.split(" ")[0]} ${object.metadata.name} ${DRAIN_OWNER}=${us}`;
          return refusal(
            work,
            `${name} carries our finalizer and does not say whose it is, so it would hang in them`,
            claim,
          );
        }
      }
    }
  }
  return undefined;
}

function isNobodys(kind: Kind, object: KubeObject, surroundings: Surroundings): boolean {
  const row = rows.find((one) => one.kind === kind);
  return row !== undefined && carriesOurs(row, object) && !isOurs(whose(row, object, surroundings));
}
