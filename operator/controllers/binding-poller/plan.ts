// What is to be written so that there is one BoundEndpoint for each address, and no more: the poller's own go when nobody
// wants them, everybody else's stay. Pure.
import { BoundEndpoint, type BoundEndpointStatus } from "#api/bound-endpoint.ts";
import { controllerLabels, DRAIN_OWNER, hasControllerLabels } from "#api/keys.ts";
import { boundEndpointName } from "#api/names.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { difference } from "../../endpoint/difference.ts";
import { hasSpec } from "../../runtime/cache.ts";
import type { Address } from "./aggregate.ts";
import { freePort, isForwarderPort } from "./ports.ts";

/** Whose BoundEndpoints are this poller's, and what it writes on them. */
export interface Settings {
  /** Of the release: all BoundEndpoints are there. */
  readonly namespace: string;
  readonly managerName: string;
  /** `<release namespace>/<release>` */
  readonly stamp: string;
  readonly serviceLabels: Readonly<Record<string, string>>;
  readonly serviceAnnotations: Readonly<Record<string, string>>;
}

/** The part of a status that is the poller's. */
export type Shown = Required<Pick<BoundEndpointStatus, "endpoints" | "endpointsSummary" | "hashedName">>;

export type Step =
  | { readonly is: "remove"; readonly object: BoundEndpoint }
  | { readonly is: "create"; readonly object: BoundEndpoint; readonly shown: Shown }
  | {
      readonly is: "change";
      readonly object: BoundEndpoint;
      readonly operations: readonly JsonPatchOperation[];
      /** Undefined when the status says it already. */
      readonly shown: Shown | undefined;
    };

export interface Plan {
  readonly steps: readonly Step[];
  /** A sentence for each address that cannot be served. */
  readonly problems: readonly string[];
}

/** The schema does not demand a spec, so that whatever is stored stays free to be deleted. */
type Stored = Omit<BoundEndpoint, "spec"> & { readonly spec?: BoundEndpoint["spec"] };

/** @param there all BoundEndpoints of the release's namespace, whosever they are. */
export function planBindings(addresses: readonly Address[], there: readonly BoundEndpoint[], settings: Settings): Plan {
  const byName = new Map(there.map((one) => [one.metadata.name, one]));
  const wanted = new Map(addresses.map((address) => [boundEndpointName(address.endpointURL), address]));
  const ours = there.filter((one) => isPollers(one, settings));
  const removes = ours
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !wanted.has(metadata.name))
    .map((object): Step => ({ is: "remove", object }));
  const kept = keptPorts(there, settings);
  const taken = new Set([...kept.values(), ...there.flatMap(({ spec }: Stored) => spec?.port ?? [])]);
  const steps: Step[] = [];
  const problems: string[] = [];
  for (const [name, address] of wanted) {
    const stored = byName.get(name);
    // Made anew once it is gone.
    if (stored?.metadata.deletionTimestamp !== undefined) continue;
    if (stored !== undefined && !isPollers(stored, settings)) {
      problems.push(takenBy(stored, address));
      continue;
    }
    if (stored !== undefined && !hasSpec(stored)) {
      steps.push({ is: "remove", object: stored });
      continue;
    }
    const port = kept.get(name) ?? freePort(address.endpointURL, taken);
    if (port === undefined) {
      problems.push(`${address.endpointURL}: no port is left for it; remove endpoints that nobody needs`);
      continue;
    }
    taken.add(port);
    const object = boundEndpointFor(name, address, port, settings);
    const shown = shownOf(name, address);
    if (stored === undefined) steps.push({ is: "create", object, shown });
    else steps.push(...changeOf(object, shown, stored));
  }
  return { steps: [...removes, ...steps], problems };
}

/**
 * Made by the poller of this release: it says so by its labels; or, from a release that wrote none, by its name and our
 * stamp. What a person wrote under a name of their own is not.
 */
export function isPollers({ metadata, spec }: Stored, { namespace, managerName, stamp }: Settings): boolean {
  if (metadata.namespace !== namespace) return false;
  const holder = metadata.annotations?.[DRAIN_OWNER];
  if (holder !== undefined && holder !== stamp) return false;
  if (hasControllerLabels(metadata.labels, namespace, managerName)) return true;
  const { endpointURL }: Partial<BoundEndpoint["spec"]> = spec ?? {};
  return holder === stamp && endpointURL !== undefined && metadata.name === boundEndpointName(endpointURL);
}

/** By name the ports that stay: of two with one port the older keeps it, and a person's before ours. */
function keptPorts(there: readonly BoundEndpoint[], settings: Settings): ReadonlyMap<string, number> {
  const isForeign = ({ metadata }: BoundEndpoint): boolean =>
    (metadata.annotations?.[DRAIN_OWNER] ?? settings.stamp) !== settings.stamp;
  const rank = (one: BoundEndpoint): string =>
    `${isPollers(one, settings) ? 1 : 0} ${one.metadata.creationTimestamp ?? ""} ${one.metadata.name}`;
  const kept = new Map<string, number>();
  const taken = new Set<number>();
  // Another release's forwarders are other pods: what they listen at is in nobody's way here.
  for (const one of there
    .filter((each) => hasSpec(each) && !isForeign(each))
    .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    const { port } = one.spec;
    if (!isForwarderPort(port) || taken.has(port)) continue;
    taken.add(port);
    kept.set(one.metadata.name, port);
  }
  return kept;
}

function boundEndpointFor(name: string, address: Address, port: number, settings: Settings): BoundEndpoint {
  const { namespace, managerName, serviceLabels, serviceAnnotations } = settings;
  const metadata = {
    ...(isEmpty(serviceLabels) ? {} : { labels: { ...serviceLabels } }),
    ...(isEmpty(serviceAnnotations) ? {} : { annotations: { ...serviceAnnotations } }),
  };
  return {
    metadata: { name, namespace, labels: controllerLabels(namespace, managerName) },
    spec: {
      endpointURL: address.endpointURL,
      scheme: address.scheme,
      port,
      target: {
        service: address.service,
        namespace: address.namespace,
        protocol: "TCP",
        port: address.port,
        ...(isEmpty(metadata) ? {} : { metadata }),
      },
    },
  };
}

function isEmpty(fields: object): boolean {
  return Object.keys(fields).length === 0;
}

function shownOf(name: string, { endpoints }: Address): Shown {
  return {
    endpoints: endpoints.map(({ id, uri }) => ({ id, uri })),
    endpointsSummary: endpoints.length === 1 ? "1 endpoint" : `${endpoints.length} endpoints`,
    hashedName: name,
  };
}

function changeOf(wanted: BoundEndpoint, shown: Shown, stored: BoundEndpoint): readonly Step[] {
  const operations = difference(BoundEndpoint, wanted, stored);
  const isShown = textOf(stored.status ?? {}) === textOf(shown);
  if (operations.length === 0 && isShown) return [];
  return [{ is: "change", object: stored, operations, shown: isShown ? undefined : shown }];
}

function textOf({ endpoints = [], endpointsSummary, hashedName }: Partial<Shown>): string {
  return JSON.stringify([endpoints.map(({ id, uri }) => [id, uri]), endpointsSummary, hashedName]);
}

function takenBy(stored: BoundEndpoint, { endpointURL }: Address): string {
  const holder = stored.metadata.annotations?.[DRAIN_OWNER];
  const whose = holder === undefined ? "was not made by this release" : `belongs to the release ${holder}`;
  return `${endpointURL}: BoundEndpoint ${keyOf(refOf(stored))} ${whose}; delete it, or let one release alone select the endpoint (bindings.endpointSelectors)`;
}
