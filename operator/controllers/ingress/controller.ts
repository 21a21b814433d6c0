// Ingress: whose it is, our claim on it, and what it shows. The endpoints of its hosts are the translation's work.
import { Domain } from "#api/domain.ts";
import { allow } from "#api/rbac.ts";
import { Ingress, IngressClass, type IngressObject } from "#kube/kinds.ts";
import type { Undone } from "#drain/hands.ts";
import { refOf } from "#kube/kind.ts";
import { isClaimed, isHeld } from "../../endpoint/claimed.ts";
import { BY_HOST as DOMAINS_BY_HOST, hostsOfDomain } from "../../endpoint/domain.ts";
import { classVerdict, ingressClasses, type ClassVerdict } from "../../endpoint/ingress-class.ts";
import { legacyAnnotations, legacyEvents } from "../../endpoint/legacy-keys.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import {
  type Cached,
  type Context,
  defineController,
  done,
  type Outcome,
  type Surroundings,
  watching,
} from "../../runtime/define-controller.ts";
import { readOn } from "../../translate/annotations.ts";
import { judgeIngress } from "../../translate/ingress-class.ts";
import { domainEvents, hostsOf, loadBalancerOf, pickDomain, takenBack, unservedEvent } from "./plan.ts";

const BY_HOST = "ingress-host";
const BY_CLASS = "ingress-class";

export const ingressController = defineController<IngressObject>({
  name: "ingress",
  manager: "api-manager",
  role: "leader",
  kind: Ingress,
  when: "ingress",
  concurrency: 8,
  indexes: {
    [BY_HOST]: hostsOf,
    [BY_CLASS]: ({ spec }) => [spec?.ingressClassName ?? ""],
  },
  watches: [
    watching(Domain, ({ spec }, cached) => cached.by(Ingress, BY_HOST, spec?.domain?.toLowerCase() ?? "").map(refOf), {
      [DOMAINS_BY_HOST]: hostsOfDomain,
    }),
    watching(IngressClass, ({ metadata }, cached) =>
      [metadata.name, ""].flatMap((name) => cached.by(Ingress, BY_CLASS, name).map(refOf)),
    ),
  ],
  rbac: [
    allow(Ingress, ["get", "list", "watch", "patch"], {
      why: "holds the Ingresses that it serves with a finalizer, and lets go of them with the feature off as well",
    }),
    allow(Ingress, ["patch"], { part: "status", when: "ingress", why: "shows where the hosts of an Ingress lead" }),
    allow(IngressClass, ["list", "watch"], {
      scope: "cluster",
      when: "ingress",
      why: "knows by its class whose an Ingress is",
    }),
    allow(Domain, ["list", "watch"], { why: "shows the Domains of an Ingress's hosts" }),
  ],
  serves(ingress, around) {
    if (isClaimed(ingress, around.release)) return true;
    const verdict = verdictOf(ingress, around);
    // What another install may hold is not ours to take, nor to let go of, because of a class that nobody has.
    return verdict === "ours" || (verdict === "unknown" && !isHeld(ingress, around.release));
  },
  claims(ingress, around) {
    const verdict = verdictOf(ingress, around);
    return verdict === "ours" || (verdict === "unknown" && isClaimed(ingress, around.release));
  },
  apply,
  letsGo: true,
  takesBack: takenBack,
  // What was made for it is found by its hosts, and goes as soon as it is seen to be going.
  cleanup: (): Promise<Undone> => Promise.resolve({ remote: "none" }),
});

function verdictOf(ingress: IngressObject, { cached, options, release, clusterWide }: Surroundings): ClassVerdict {
  const { ingressControllerName } = translationOptions(release, options);
  return classVerdict(ingress, ingressClasses(cached, clusterWide, ingressControllerName), ingressControllerName);
}

function apply(ingress: IngressObject, context: Context): Promise<Outcome<IngressObject>> {
  const { cached, release, options: flags, clusterWide } = context;
  const options = translationOptions(release, flags, clusterWide);
  const classes = ingressClasses(cached, clusterWide, options.ingressControllerName);
  const judged = judgeIngress(ingress, classes, options);
  const unserved = unservedEvent(judged);
  if (unserved !== undefined) context.event(unserved);
  // Every install writes under one name: of what nobody holds the word may be another's, whose uninstall under Retain leaves it.
  if (!judged.served) return Promise.resolve(done(isClaimed(ingress, release) ? takenBack(ingress) : {}));
  return Promise.resolve(shown(ingress, context));
}

function shown(ingress: IngressObject, { cached, event, unchanged }: Context): Outcome<IngressObject> {
  const hosts = hostsOf(ingress);
  const domainOf = (host: string): Domain | undefined => domainAt(host, ingress, cached);
  const notReady = domainEvents(hosts, domainOf);
  if (notReady !== undefined) event(notReady);
  const read = readOn(Ingress);
  const sent = legacyAnnotations(ingress, read).join(" ");
  if (!unchanged(sent)) for (const one of legacyEvents(ingress, read)) event(one);
  return done({ status: { loadBalancer: loadBalancerOf(hosts, domainOf) }, sent });
}

function domainAt(host: string, { metadata }: IngressObject, cached: Cached): Domain | undefined {
  return pickDomain(cached.by(Domain, DOMAINS_BY_HOST, host), metadata.namespace);
}
