// What an Ingress shows: where its hosts are to be pointed at, and what people should know. Pure.
import type { Domain } from "#api/domain.ts";
import { findCondition } from "#api/conditions.ts";
import type { IngressObject } from "#kube/kinds.ts";
import { wroteLoadBalancer } from "#kube/written.ts";
import type { ObjectEvent } from "../../runtime/define-controller.ts";
import { CLASS_FIELD, type Judged } from "../../translate/ingress-class.ts";

/** The distinct hosts of its rules, in lower case. */
export function hostsOf({ spec }: IngressObject): string[] {
  const hosts = (spec?.rules ?? []).flatMap((rule) => rule?.host?.toLowerCase() ?? []);
  return [...new Set(hosts)].filter((host) => host !== "");
}

/** `domainOf`: the Domain of a host, wherever it is. */
export function loadBalancerOf(
  hosts: readonly string[],
  domainOf: (host: string) => Domain | undefined,
): { ingress: { hostname: string }[] } {
  const names = hosts.flatMap((host) => targetOf(domainOf(host)));
  return { ingress: [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1)).map((hostname) => ({ hostname })) };
}

/** Whether it shows where its hosts lead, and it is we who say so. */
export function says({ metadata, status }: IngressObject): boolean {
  return (status?.loadBalancer?.ingress?.length ?? 0) > 0 && wroteLoadBalancer(metadata);
}

/** An Ingress that is served no more says nothing of us: who makes DNS records of it would go on doing so. */
export function takenBack(ingress: IngressObject): { status?: NonNullable<IngressObject["status"]> } {
  return says(ingress) ? { status: { loadBalancer: {} } } : {};
}

/** The name that a DNS record has to lead to; a domain of ngrok's own leads there by itself. */
function targetOf(domain: Domain | undefined): string[] {
  const { cnameTarget, domain: name } = domain?.status ?? {};
  const target = cnameTarget || name?.replace(/^\*\./, "");
  return target ? [target] : [];
}

export function domainEvents(
  hosts: readonly string[],
  domainOf: (host: string) => Domain | undefined,
): ObjectEvent | undefined {
  const notes = hosts.flatMap((host) => {
    const ready = findCondition(domainOf(host)?.status?.conditions, "Ready");
    return ready?.status === "False" ? [`Domain "${host}" is not ready: ${ready.message}`] : [];
  });
  if (notes.length === 0) return undefined;
  // One host after the other comes to be ready, which is no news each time.
  return { type: "Warning", reason: "DomainNotReady", note: notes.join("; "), action: "Reconcile", byReason: true };
}

/** Of the Domains for one host, the one of the Ingress's own namespace, else the first by its namespace. */
export function pickDomain(domains: readonly Domain[], namespace: string | undefined): Domain | undefined {
  return (
    domains.find(({ metadata }) => metadata.namespace === namespace) ??
    domains.toSorted((a, b) => ((a.metadata.namespace ?? "") < (b.metadata.namespace ?? "") ? -1 : 1))[0]
  );
}

/** Why it is not served at all, or is although its class is not there. Of one that is served the translation tells the rest. */
export function unservedEvent({ served, problems }: Judged): ObjectEvent | undefined {
  const own = problems.filter(({ field }) => !served || field === CLASS_FIELD);
  const [first] = own;
  if (first === undefined) return undefined;
  const reason = first.field === CLASS_FIELD ? "NoDefaultIngressClassFound" : "InvalidIngressSpec";
  const note = own.map((problem) => `${problem.field}: ${problem.reason}`).join("; ");
  return { type: "Warning", reason, note, action: "Reconcile" };
}
