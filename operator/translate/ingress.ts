// The virtual hosts that Ingresses ask for. One host name is one virtual host, over all Ingresses of a namespace.
import { isHost } from "#api/names.ts";
import { Ingress, IngressClass, type IngressObject } from "#kube/kinds.ts";
import { type EndpointSettings, endpointSettings } from "./annotations.ts";
import { comparedPlainly } from "./expressions.ts";
import { ingressDestination } from "./ingress-backend.ts";
import { judgeIngress, servedIngresses } from "./ingress-class.ts";
import type { Destination, Hosts, HttpMatch, Manifests, Options, Problem, Route, VirtualHost } from "./model.ts";
import { problemOf } from "./model.ts";
import { sortRoutes } from "./route-order.ts";
import { guarded } from "./guarded.ts";

type Rule = NonNullable<NonNullable<IngressObject["spec"]>["rules"]>[number];

/**
 * On which terms an Ingress names its hosts, be their paths of use or not: who names one of them after it, and on others, is
 * refused there. Nothing where the Ingress has no hosts: it is not ours, incomplete, on its way out, or asks for a policy, a
 * binding or a default backend that is not to be had.
 */
export function termsOf(ingress: IngressObject, manifests: Manifests, options: Options): string | undefined {
  if (!judgeIngress(ingress, manifests.list(IngressClass), options).served) return undefined;
  const { offer } = offerOf(ingress, { manifests, options });
  return offer && JSON.stringify(TERMS.map(({ of }) => of(offer) ?? null));
}

/** The virtual hosts of all served Ingresses, in the order in which they were first asked for. */
export function virtualHostsOfIngresses(manifests: Manifests, options: Options): Hosts {
  const { ingresses, problems: unserved } = servedIngresses(manifests, options);
  const drafts = new Map<string, Draft>();
  const problems = [
    ...unserved,
    ...ingresses.flatMap((ingress) =>
      guarded(Ingress, ingress, () => addIngress(drafts, ingress, { manifests, options })),
    ),
  ];
  problems.push(...[...drafts.values()].flatMap(slashProblems));
  return { hosts: [...drafts.values()].filter(hasSomething).map(virtualHost), problems };
}

interface Context {
  readonly manifests: Manifests;
  readonly options: Options;
}

/** What an Ingress says of each of its hosts. */
interface Offer {
  readonly first: IngressObject;
  readonly settings: EndpointSettings;
  readonly defaultDestination: Destination | undefined;
}

interface Slashed {
  readonly path: string;
  readonly destination: Destination;
  readonly ingress: IngressObject;
  readonly field: string;
}

/** A virtual host that grows with each Ingress that names it. */
interface Draft extends Offer {
  readonly host: string;
  readonly owners: string[];
  readonly routes: Route[];
  /** Prefixes that end in a slash. */
  readonly slashed: Slashed[];
}

function hasSomething({ settings, routes, defaultDestination }: Draft): boolean {
  return settings.trafficPolicy !== undefined || routes.length > 0 || defaultDestination !== undefined;
}

function virtualHost({ host, first, settings, defaultDestination, owners, routes }: Draft): VirtualHost {
  return {
    ...settings,
    namespace: first.metadata.namespace ?? "",
    listener: { hostname: host, port: 443, protocol: "HTTPS" },
    routes,
    ...(defaultDestination !== undefined && { defaultDestination }),
    clientCertRefs: [],
    labelsToAdd: {},
    annotationsToAdd: {},
    owningResources: owners,
  };
}

/** Without `offer` the Ingress is to be left out. */
function offerOf(
  ingress: IngressObject,
  context: Context,
): { readonly offer?: Offer; readonly problems: readonly Problem[] } {
  const { settings, problems } = endpointSettings(Ingress, ingress, { ...context, ownedBy: "ngrok-operator" });
  const backend = ingress.spec?.defaultBackend;
  if (settings === undefined || !backend)
    return { ...(settings && { offer: { first: ingress, settings, defaultDestination: undefined } }), problems };
  const fallback = ingressDestination(context.manifests, ingress, backend, "spec.defaultBackend");
  const offer = fallback.destination && { first: ingress, settings, defaultDestination: fallback.destination };
  return { ...(offer && { offer }), problems: [...problems, ...fallback.problems] };
}

type Path = Pick<NonNullable<Rule["http"]>["paths"][number], "path" | "pathType">;

/** Adds what one Ingress asks for to the drafts, and returns what is wrong with it. */
function addIngress(drafts: Map<string, Draft>, ingress: IngressObject, context: Context): readonly Problem[] {
  const { offer, problems: said } = offerOf(ingress, context);
  if (offer === undefined) return said;
  const problems = [...said];
  for (const [at, rule] of (ingress.spec?.rules ?? []).entries()) {
    const host = rule.host?.toLowerCase() ?? "";
    const field = `spec.rules[${at}]`;
    if (!isHost(host)) {
      const reason = `${JSON.stringify(host.slice(0, 100))} is not a host name: use letters, digits, - and dots, such as app.example.com or *.example.com`;
      problems.push(problemOf(Ingress, ingress, `${field}.host`, reason));
      continue;
    }
    const mine: Draft = { ...offer, host, owners: [], routes: [], slashed: [] };
    const draft = drafts.get(host) ?? mine;
    const differences = draft.first === ingress ? [] : differencesOf(draft, mine, field);
    problems.push(...differences);
    if (differences.some(({ effect }) => effect === "refused")) continue;
    drafts.set(host, draft);
    const owner = ownerOf(ingress);
    if (!draft.owners.includes(owner)) draft.owners.push(owner);
    problems.push(...addPaths(draft, ingress, rule, field, context));
  }
  return problems;
}

function ownerOf({ metadata }: IngressObject): string {
  return `Ingress ${metadata.namespace}/${metadata.name}`;
}

function addPaths(
  { routes, slashed }: Draft,
  ingress: IngressObject,
  rule: Rule,
  field: string,
  { manifests }: Context,
): readonly Problem[] {
  return (rule.http?.paths ?? []).flatMap((path, at) => {
    const writtenIn = { object: ownerOf(ingress), field: `${field}.http.paths[${at}]` };
    const { destination, problems } = ingressDestination(
      manifests,
      ingress,
      path.backend,
      `${writtenIn.field}.backend`,
    );
    if (destination === undefined) return problems;
    routes.push({ writtenIn, httpMatch: matchOf(path), trafficPolicies: [], destinations: [destination] });
    if (path.pathType === "Prefix" && /.\/$/.test(path.path ?? ""))
      slashed.push({ path: path.path ?? "", destination, ingress, field: `${writtenIn.field}.path` });
    if (!isPattern(path)) return problems;
    return [...problems, problemOf(Ingress, ingress, `${writtenIn.field}.path`, comparedPlainly("Prefix"), "ignored")];
  });
}

/**
 * Other controllers take such a prefix for the path without the slash too. No harm is done where another path of the host is
 * that one, or takes it to the same destination.
 */
function slashProblems({ routes, slashed, defaultDestination }: Draft): Problem[] {
  if (slashed.length === 0) return [];
  const sorted = sortRoutes(routes).map(({ httpMatch, destinations }) => ({
    ...httpMatch,
    destination: destinations[0],
  }));
  return slashed.flatMap(({ path, destination, ingress, field }) => {
    const bare = path.slice(0, -1);
    const taken = sorted.find((one) =>
      one.pathType === "prefix" ? bare.startsWith(one.path ?? "") : bare === one.path,
    );
    const instead = taken === undefined ? defaultDestination : taken.destination;
    if (taken?.path === bare || JSON.stringify(instead) === JSON.stringify(destination)) return [];
    const reason = `is compared as plain text, so that ${bare} does not match: write ${bare}, or add it as a path of type Exact`;
    return [problemOf(Ingress, ingress, field, reason, "ignored")];
  });
}

/**
 * Other controllers read a path of this type as a regular expression. What stands in paths that are none is no sign of one:
 * a single + (`/wiki/C++`), parentheses, a $ that does not end it.
 */
function isPattern({ path = "", pathType }: Path): boolean {
  return pathType === "ImplementationSpecific" && /[[*?^|\\]|\.\+|\$$/.test(path);
}

function matchOf({ path, pathType }: Path): HttpMatch {
  return {
    path: path === undefined || path === "" ? "/" : path,
    pathType: pathType === "Exact" ? "exact" : "prefix",
    headers: [],
    queryParams: [],
  };
}

interface Term {
  readonly of: (offer: Offer) => unknown;
  readonly what: string;
  readonly remedy: (first: IngressObject) => string;
}

/** Of these things there can be only one a host, and it would not do to take one of two. */
const TERMS: readonly Term[] = [
  {
    of: ({ first }) => first.metadata.namespace,
    what: "in another namespace",
    remedy: ({ metadata }) => `put both into ${metadata.namespace}`,
  },
  {
    of: ({ settings }) => settings.trafficPolicyRef,
    what: "with another traffic policy",
    remedy: () => "give both the same annotation traffic-policy",
  },
  {
    of: ({ settings }) => settings.poolingEnabled,
    what: "with another pooling",
    remedy: () => "give both the same annotation pooling-enabled",
  },
  {
    of: ({ defaultDestination }) => defaultDestination,
    what: "with another default backend",
    remedy: () => "give both the same spec.defaultBackend",
  },
];

/** What a further Ingress on a host says otherwise than the first. */
function differencesOf(draft: Draft, mine: Draft, field: string): Problem[] {
  const { first } = draft;
  const there = `Ingress ${first.metadata.namespace}/${first.metadata.name} serves ${draft.host} already`;
  const broken = TERMS.find(({ of }) => JSON.stringify(of(draft)) !== JSON.stringify(of(mine)));
  if (broken !== undefined) {
    const reason = `${there} ${broken.what}: ${broken.remedy(first)}, or choose another host`;
    return [problemOf(Ingress, mine.first, `${field}.host`, reason)];
  }
  const told = (reason: string): Problem => problemOf(Ingress, mine.first, `${field}.host`, reason, "ignored");
  const unlike = (["metadata", "description", "mappingStrategy"] as const).filter(
    (one) => JSON.stringify(draft.settings[one]) !== JSON.stringify(mine.settings[one]),
  );
  const [theirs, own] = [bindingOf(draft), bindingOf(mine)];
  const exposed = `${there} with the binding ${theirs}, and so are the paths of this one reached, not by its own, ${own}: give both the same annotation bindings, or choose another host`;
  return [
    ...unlike.map((one) => told(`${there} with another ${one}: its own is used; give both the same`)),
    ...(theirs === own ? [] : [told(exposed)]),
  ];
}

function bindingOf({ settings: { bindings } }: Offer): string {
  return bindings[0] ?? "public";
}
