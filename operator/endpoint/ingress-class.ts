// Whose an Ingress is by its class: ours, another controller's, or nobody's because the class is not there. The last is not
// the same as another's: an uninstall takes the IngressClass away first, and that must not take endpoints with it.
import {
  INGRESS_CONTROLLER,
  isOurIngress,
  isOurIngressClass,
  type IngressClassLike,
  LOAD_BALANCER_CLASS,
} from "#api/classes.ts";
import { keyOf } from "#kube/kind.ts";
import { IngressClass, type IngressClassObject, type IngressObject } from "#kube/kinds.ts";
import type { Cached } from "../runtime/define-controller.ts";

/**
 * - ours: its class, or the default one, is ours.
 * - foreign: its class, or the default one, is another controller's.
 * - unknown: the class that it names is not there, or it names none and there is no default.
 */
export type ClassVerdict = "ours" | "foreign" | "unknown";

const DEFAULT = "ingressclass.kubernetes.io/is-default-class";

/** Pure. `classes`: all IngressClasses of the cluster. */
export function classVerdict(
  ingress: IngressObject,
  classes: readonly IngressClassLike[],
  controller: string = INGRESS_CONTROLLER,
): ClassVerdict {
  if (isOurIngress(ingress, classes, controller)) return "ours";
  const wanted = ingress.spec?.ingressClassName;
  const theirs = classes.filter((one) => !isOurIngressClass(one, controller));
  const isTheirs = theirs.some(({ metadata }) =>
    wanted === undefined ? metadata.annotations?.[DEFAULT] === "true" : metadata.name === wanted,
  );
  return isTheirs ? "foreign" : "unknown";
}

/** The name that the chart gives its IngressClass: all that is known of classes where none may be read. */
const assumed: IngressClassObject = {
  metadata: { name: LOAD_BALANCER_CLASS },
  spec: { controller: INGRESS_CONTROLLER },
};

/** The IngressClasses of the cluster, sorted by name. Without rights outside the namespaces: the one that is assumed. */
export function ingressClasses(
  cached: Cached,
  clusterWide: boolean,
  controller: string,
): readonly IngressClassObject[] {
  if (!clusterWide) return [{ ...assumed, spec: { controller } }];
  const sorted = [...cached.all(IngressClass)].map((one) => ({ one, key: keyOf(one.metadata) }));
  return sorted.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ one }) => one);
}
