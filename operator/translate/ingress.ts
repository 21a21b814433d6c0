// Ingress: which ones are ours to serve, and the virtual hosts that they ask for. One host name is one virtual host, over
// all Ingresses of a namespace.
import { isDefaultClass, isOurIngress, isOurIngressClass } from "#api/classes.ts";
import { DRAIN_OWNER, FINALIZERS } from "#api/keys.ts";
import { isHost } from "#api/names.ts";
import { Ingress, IngressClass, type IngressClassObject, type IngressObject } from "#kube/kinds.ts";
import { type EndpointSettings, endpointSettings } from "./annotations.ts";
import { ingressDestination } from "./ingress-backend.ts";
import type { Destination, Hosts, HttpMatch, Manifests, Options, Problem, Route, VirtualHost } from "./model.ts";
import { problemOf } from "./model.ts";
import { guarded } from "./guarded.ts";

type ClassOptions = Pick<Options, "ingressControllerName" | "stamp">;
type Rule = NonNullable<NonNullable<IngressObject["spec"]>["rules"]>[number];

/** The Ingresses of our classes that say what a virtual host needs, sorted; a deleting one is on its way out already. */
export function servedIngresses(
  manifests: Manifests,
  options: ClassOptions,
): { readonly ingresses: readonly IngressObject[]; readonly problems: readonly Problem[] } {
  const classes = manifests.list(IngressClass);
  const problems: Problem[] = [];
  const ingresses = manifests.list(Ingress).filter((ingress) => {
    const judged = judgeIngress(ingress, classes, options);
    problems.push(...judged.problems);
    return judged.served;
  });
  return { ingresses, problems };
}

/** Whether one Ingress is served, and what to tell about it. `classes`: all IngressClasses of the cluster. */
export function judgeIngress(
  ingress: IngressObject,
  classes: readonly IngressClassObject[],
  options: ClassOptions,
): Judged {
  if (ingress.metadata.deletionTimestamp !== undefined) return { served: false, problems: [] };
  if (isOurIngress(ingress, classes, options.ingressControllerName)) return incompleteness(ingress);
  const { problems } = classFault(ingress, classes, options.ingressControllerName);
  if (!isLost(ingress, classes, options)) return { served: false, problems };
  const judged = incompleteness(ingress);
  return { ...judged, problems: [...problems, ...judged.problems] };
}

/**
 * Whether nobody has its class, and it is ours by our stamp. An uninstall takes the IngressClass away first, and somebody may by
 * mistake: what is served goes on being served, and others see its Services in use.
 */
function isLost(ingress: IngressObject, classes: readonly IngressClassObject[], { stamp }: ClassOptions): boolean {
  return stamp !== undefined && holderOf(ingress) === stamp && !isAnybodys(ingress, classes);
}

/** The stamp of whoever holds it. Without a finalizer of ours it says nothing: a copy in Git has it, too. */
export function holderOf({ metadata: { finalizers = [], annotations } }: IngressObject): string | undefined {
  return finalizers.some((one) => FINALIZERS.includes(one)) ? annotations?.[DRAIN_OWNER] : undefined;
}

/** Whether its class, or the default one, is there: where it is, nobody asks who holds the Ingress. */
export function isAnybodys({ spec }: IngressObject, classes: readonly IngressClassObject[]): boolean {
  const wanted = spec?.ingressClassName;
  return classes.some((one) => (wanted === undefined ? isDefaultClass(one) : one.metadata.name === wanted));
}

export interface Judged {
  readonly served: boolean;
  readonly problems: readonly Problem[];
}

/** How classes were named before Ingress had a field for it. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** Tells whoever meant us and did not say so in the way that counts; an Ingress that is another's hears nothing of us. */
function classFault(ingress: IngressObject, classes: readonly IngressClassObject[], controller: string): Judged {
  const told = (field: string, reason: string, effect?: Problem["effect"]): Judged => ({
    served: false,
    problems: [problemOf(Ingress, ingress, field, reason, effect)],
  });
  const wanted = ingress.spec?.ingressClassName;
  const ours = classes.filter((one) => isOurIngressClass(one, controller));
  const annotated = wanted === undefined ? ingress.metadata.annotations?.[CLASS_ANNOTATION] : undefined;
  if (ours.some(({ metadata }) => metadata.name === annotated)) {
    const reason = `is not read, so no class is named: write spec.ingressClassName: ${annotated}`;
    return told(`metadata.annotations["${CLASS_ANNOTATION}"]`, reason, "ignored");
  }
  if (isAnybodys(ingress, classes) || ours.length > 0) return { served: false, problems: [] };
  const named = wanted === undefined ? "annotate it as the default class" : `name it ${wanted}`;
  return told(
    "spec.ingressClassName",
    `there is no IngressClass of this operator: create one with spec.controller ${controller} and ${named}`,
  );
}

function incompleteness(ingress: IngressObject): Judged {
  const rules: unknown = ingress.spec?.rules;
  const refused = (field: string, reason: string): Judged => ({
    served: false,
    problems: [problemOf(Ingress, ingress, field, reason)],
  });
  if (!Array.isArray(rules) || rules.length === 0)
    return refused("spec.rules", "the Ingress has no rules: write one with a host and http.paths");
  for (const [at, rule] of (rules as (Rule | null)[]).entries()) {
    if (!rule?.host) return refused(`spec.rules[${at}].host`, "the rule has no host: write one like app.example.com");
    if (!rule.http) return refused(`spec.rules[${at}].http`, "the rule has no http: write http.paths with a backend");
  }
  return { served: true, problems: [] };
}

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

/** A virtual host that grows with each Ingress that names it. */
interface Draft extends Offer {
  readonly host: string;
  readonly owners: string[];
  readonly routes: Route[];
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
    const mine: Draft = { ...offer, host, owners: [], routes: [] };
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
  { routes }: Draft,
  ingress: IngressObject,
  rule: Rule,
  field: string,
  { manifests }: Context,
): readonly Problem[] {
  return (rule.http?.paths ?? []).flatMap((path, at) => {
    const { destination, problems } = ingressDestination(
      manifests,
      ingress,
      path.backend,
      `${field}.http.paths[${at}].backend`,
    );
    if (destination !== undefined) {
      const writtenIn = { object: ownerOf(ingress), field: `${field}.http.paths[${at}]` };
      routes.push({ writtenIn, httpMatch: matchOf(path), trafficPolicies: [], destinations: [destination] });
    }
    return problems;
  });
}

function matchOf({ path, pathType }: { path?: string; pathType: string }): HttpMatch {
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
  const unlike = (["metadata", "description", "mappingStrategy", "bindings"] as const).filter(
    (one) => JSON.stringify(draft.settings[one]) !== JSON.stringify(mine.settings[one]),
  );
  return unlike.map((one) =>
    problemOf(
      Ingress,
      mine.first,
      `${field}.host`,
      `${there} with another ${one}: its own is used; give both the same`,
      "ignored",
    ),
  );
}
