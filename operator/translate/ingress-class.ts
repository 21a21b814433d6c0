// Which Ingresses are ours to serve, and what is told of those that are not.
import { isDefaultClass, isOurIngress, isOurIngressClass } from "#api/classes.ts";
import { DRAIN_OWNER, FINALIZERS } from "#api/keys.ts";
import { Ingress, IngressClass, type IngressClassObject, type IngressObject } from "#kube/kinds.ts";
import { type Manifests, type Options, type Problem, problemOf } from "./model.ts";

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
  const ours = classes.filter((one) => isOurIngressClass(one, options.ingressControllerName));
  if (isOurIngress(ingress, classes, options.ingressControllerName)) {
    const judged = incompleteness(ingress);
    return { ...judged, problems: [...passedOver(ingress, ours), ...judged.problems] };
  }
  const { problems } = classFault(ingress, classes, options.ingressControllerName);
  if (!isLost(ingress, classes, options)) return { served: false, problems };
  const judged = incompleteness(ingress);
  const kept = judged.served && ours.length > 0 ? [keptOn(ingress, ours)] : [];
  return { ...judged, problems: [...kept, ...problems, ...judged.problems] };
}

/** Who takes its class away, and not all of ours, most likely wants an end of it: nobody would see why it goes on. */
function keptOn(ingress: IngressObject, ours: readonly IngressClassObject[]): Problem {
  const wanted = ingress.spec?.ingressClassName;
  const missing =
    wanted === undefined ? "no class is named and none is the default" : `there is no IngressClass ${wanted}`;
  const names = ours.map(({ metadata }) => metadata.name).join(" or ");
  const reason = `${missing}, and the Ingress goes on being served as before: name ${names} if that is right, else another controller's class that is there, or delete the Ingress`;
  return problemOf(Ingress, ingress, CLASS_FIELD, reason, "ignored");
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

export const CLASS_FIELD = "spec.ingressClassName";
/** How classes were named before Ingress had a field for it. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const ANNOTATED_CLASS = `metadata.annotations["${CLASS_ANNOTATION}"]`;

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
    return told(ANNOTATED_CLASS, reason, "ignored");
  }
  if (isAnybodys(ingress, classes) || ours.length > 0) return { served: false, problems: [] };
  const named = wanted === undefined ? "annotate it as the default class" : `name it ${wanted}`;
  return told(
    CLASS_FIELD,
    `there is no IngressClass of this operator: create one with spec.controller ${controller} and ${named}`,
  );
}

/** Where ours is the default, who names another's class by the annotation of old is served by us, and did not ask for it. */
function passedOver({ spec, metadata }: IngressObject, ours: readonly IngressClassObject[]): Problem[] {
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  const defaults = ours.filter(isDefaultClass).map((one) => one.metadata.name);
  if (spec?.ingressClassName !== undefined || !annotated || defaults.includes(annotated)) return [];
  const reason = `is not read, so the default class ${defaults[0]} serves it: write spec.ingressClassName: ${annotated} in its place`;
  return [problemOf(Ingress, { metadata }, ANNOTATED_CLASS, reason, "ignored")];
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
