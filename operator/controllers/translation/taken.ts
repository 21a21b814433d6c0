// What the hosts of an Ingress lead to, as the translator has it: of thousands of Ingresses on one Service the first few that do
// use it are found without a look at the rest.
import { isDefaultClass } from "#api/classes.ts";
import { isHost, shortHash } from "#api/names.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type Kind, refOf } from "#kube/kind.ts";
import { Ingress, IngressClass, type IngressClassObject, type IngressObject, Service } from "#kube/kinds.ts";
import { ingressClasses } from "../../endpoint/ingress-class.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import type { Change } from "../../runtime/cache.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { Derivation } from "../../runtime/derived-index.ts";
import { withLists } from "../../translate/held.ts";
import { holderOf } from "../../translate/ingress-class.ts";
import { termsOf } from "../../translate/ingress.ts";
import { isNews, nameOf } from "../../translate/news.ts";
import { BY_CLASS, BY_FALLBACK, BY_POLICY } from "./indexes.ts";
import { hostsByService } from "./keys.ts";

/** Only of Ingresses that have their hosts; that one is refused on a host for what another says there, its terms tell. */
export const taken: Derivation<IngressObject> = {
  derives(ingress, cached, install) {
    if (install === undefined) throw new Error("whose an Ingress is cannot be told without the install");
    const options = translationOptions(install.release, install.options, install.clusterWide);
    const classes = ingressClasses(cached, install.clusterWide, options.ingressControllerName);
    const said = termsOf(ingress, withLists(cached, [[IngressClass, classes]]), options);
    if (said === undefined) return [];
    // A policy as the default backend is part of them, however long.
    const terms = shortHash(said, 32);
    return hostsByService(ingress).flatMap((one) => (isHost(one.name) ? { ...one, terms } : []));
  },
  isNews: (before, after) =>
    before === undefined || after === undefined || isNews(before, after) || holderOf(before) !== holderOf(after),
  leansOn: [
    { kind: IngressClass as Kind, keys: (change, cached) => named(cached, BY_CLASS, classNames(change), change) },
    { kind: NgrokTrafficPolicy, keys: (change, cached) => named(cached, BY_POLICY, [nameOf(change)], change) },
    { kind: Service, keys: (change, cached) => named(cached, BY_FALLBACK, [nameOf(change)], change) },
  ],
};

/** As Ingresses may name the class: those that name none ask for the default one. */
export function classNames({ before, after }: Change<IngressClassObject>): string[] {
  const isDefault = [before, after].some((one) => one !== undefined && isDefaultClass(one));
  return [nameOf({ before, after }), ...(isDefault ? [""] : [])];
}

/** The Ingresses that name one of these in that way, if the change says anything new. */
function named(cached: Cached, index: string, names: readonly string[], { before, after }: Change): string[] {
  if (!isNews(before, after)) return [];
  return names.flatMap((one) => cached.by(Ingress, index, one)).map((one) => keyOf(refOf(one)));
}
