// What is there: page after page of a consistent list of every kind, past every cache. What cannot be told is a page of
// its own and never an empty one.
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { GATEWAY_CONTROLLER_NAME } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { Reader } from "#kube/reader.ts";
import { isClass, type KnownError, known } from "#wire/errors.ts";
import type { Row } from "./kinds.ts";
import type { OtherInstall, Surroundings } from "./ours.ts";
import { find, type Found } from "./plan.ts";

/** 404 of kind or group: no page at all. 403, 5xx, timeout: a page that says unknown. */
export type Page =
  | { readonly row: Row; readonly found: readonly Found[] }
  | { readonly row: Row; readonly unknown: KnownError };

export interface InventoryScope {
  readonly release: Release;
  /** false when `rbac.cluster=false`: what lies outside the namespaces is then unknown, and the report says so. */
  readonly clusterWide: boolean;
}

/**
 * The rows in their order. All of them are asked for at once, and each is one page ahead of what is taken from it: while
 * the workers are busy with a page, the next one is on its way. At most two pages of a row are held.
 */
export async function* inventory(
  read: Reader,
  rows: readonly Row[],
  scope: InventoryScope,
  surroundings: Surroundings,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const streams = rows.flatMap((row) =>
    namespacesOf(row, scope).map((namespace) => ahead(pagesOf(read, row, namespace, surroundings, signal))),
  );
  for (const stream of streams) yield* stream;
}

/** The same values; the first is asked for at once, each further one when its predecessor is taken. */
function ahead<T>(values: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = values.next();
  // Whoever takes it sees the failure; until then nobody has to.
  next.catch(() => undefined);
  return (async function* () {
    for (let value = await next; value.done !== true; value = await next) {
      next = values.next();
      next.catch(() => undefined);
      yield value.value;
    }
  })();
}

/** How often a list that expired in the middle (410) is begun again before the kind counts as unknown. */
const RESTARTS = 5;

async function* pagesOf(
  read: Reader,
  row: Row,
  namespace: string | undefined,
  surroundings: Surroundings,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const page of read.pages(row.kind, { namespace }, signal)) {
        const found = find(row, page.items, surroundings);
        if (found.length > 0) yield { row, found };
      }
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (isClass(error, "gone") && attempt < RESTARTS) continue;
      yield { row, unknown: known(error) };
      return;
    }
  }
}

/** The namespaces in which a row is listed; undefined = all of them: an earlier watchNamespace has left objects in others. */
export function namespacesOf(row: Row, { release, clusterWide }: InventoryScope): readonly (string | undefined)[] {
  if (!row.kind.namespaced) return clusterWide ? [undefined] : [];
  if (release.watchNamespace === undefined || clusterWide) return [undefined];
  // The only ones of ours that lie beside the release; for the others there is no right to look there.
  const bindings = row.kind === BoundEndpoint ? [release.namespace] : [];
  return [...new Set([release.watchNamespace, ...bindings])];
}

/** Other installs in the cluster, from a consistent cluster-wide list of KubernetesOperators. */
export async function otherInstalls(
  read: Reader,
  release: Release,
  signal: AbortSignal,
): Promise<readonly OtherInstall[]> {
  const others: OtherInstall[] = [];
  for await (const page of read.pages(KubernetesOperator, {}, signal)) {
    for (const { metadata, spec } of page.items) {
      const { name, namespace } = metadata;
      if (name === release.name && namespace === release.namespace) continue;
      // A spec that does not say it may mean it.
      const gateway = spec?.enabledFeatures?.includes("gateway") ?? true;
      const gatewayController = metadata.annotations?.[GATEWAY_CONTROLLER_NAME];
      const owner = `${namespace}/${name}`;
      others.push({ owner, gateway, ...(gatewayController === undefined ? {} : { gatewayController }) });
    }
  }
  return others;
}

/** `problem`: why nobody can say whether there are others. Without rights outside the namespaces nobody is asked. */
export async function surroundingsOf(
  read: Reader,
  { release, clusterWide }: InventoryScope,
  signal: AbortSignal,
): Promise<Surroundings & { readonly problem?: KnownError }> {
  if (!clusterWide) return { release, others: "unknown" };
  try {
    const installs = await otherInstalls(read, release, signal);
    return { release, installs, others: installs.length === 0 ? "none" : "some" };
  } catch (error) {
    if (signal.aborted) throw error;
    return { release, others: "unknown", problem: known(error) };
  }
}
