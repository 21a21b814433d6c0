// How the translation finds in the caches what belongs together: the Ingresses of a host, the hosts of a Service.
import { Domain } from "#api/domain.ts";
import { distinctDomainName, domainName } from "#api/names.ts";
import { Ingress, IngressClass, type IngressClassObject, type IngressObject } from "#kube/kinds.ts";
import { keyOf, type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { endpointSettings } from "../../translate/annotations.ts";
import { ingressDestination } from "../../translate/ingress-backend.ts";
import { servedIngresses, virtualHostsOfIngresses } from "../../translate/ingress.ts";
import { byKey, compareText } from "../../translate/manifests.ts";
import type { Manifests, Options, VirtualHost } from "../../translate/model.ts";
import { backendsOf, hostsOfIngress, servicesOfIngress } from "./keys.ts";
import type { Look, Seed } from "./slice.ts";

/** Names of the indexes over Ingresses. */
export const BY_HOST = "translation-host";
export const BY_SERVICE = "translation-service";

export class ClusterLook implements Look {
  readonly #cached: Cached;
  readonly #classes: readonly IngressClassObject[];
  readonly #options: Options;
  readonly #taken = new Map<string, boolean>();

  constructor(cached: Cached, classes: readonly IngressClassObject[], options: Options) {
    this.#cached = cached;
    this.#classes = classes;
    this.#options = options;
  }

  hostsNamed(host: string): readonly VirtualHost[] {
    const { hosts } = virtualHostsOfIngresses(this.view(this.ingressesOf([host])), this.#options);
    return hosts.filter(({ listener }) => listener.hostname.toLowerCase() === host);
  }

  together(host: string): Seed {
    const ingresses = this.ingressesOf([host]);
    return { hosts: ingresses.flatMap(hostsOfIngress), services: ingresses.flatMap(servicesOfIngress) };
  }

  usersOf(service: string): readonly (readonly string[])[] {
    const users = byKey(this.#cached.by(Ingress, BY_SERVICE, service));
    const groups = new Map<string, Set<string>>();
    for (const ingress of users) {
      for (const named of backendsOf(ingress)) {
        if (named.service !== service) continue;
        const group = groups.get(named.port) ?? new Set();
        groups.set(named.port, group);
        for (const host of hostsOfIngress(ingress)) group.add(host);
      }
    }
    return [...groups.values()].map((group) => this.#ranked([...group]));
  }

  /** Those of all hosts, sorted, each once. */
  ingressesOf(hosts: Iterable<string>): readonly IngressObject[] {
    const found = new Map<string, IngressObject>();
    for (const host of hosts)
      for (const ingress of this.#cached.by(Ingress, BY_HOST, host)) found.set(keyOf(refOf(ingress)), ingress);
    return byKey(found.values());
  }

  /** The cluster as it would be with these Ingresses alone. */
  view(ingresses: readonly IngressObject[]): Manifests {
    const cached = this.#cached;
    const lists = new Map<string, readonly KubeObject[]>([
      [Ingress.plural, ingresses],
      [IngressClass.plural, this.#classes],
      [Domain.plural, this.#domainsOf(ingresses)],
    ]);
    return {
      get: <T extends KubeObject>(kind: Kind<T>, at: Ref) => (cached.has(kind) ? cached.get(kind, at) : undefined),
      list: <T extends KubeObject>(kind: Kind<T>) => (lists.get(kind.plural) ?? []) as readonly T[],
    };
  }

  /** Whether the translator takes the Ingress, be its paths of use or not: then its hosts have their place by it. */
  #isTaken(ingress: IngressObject): boolean {
    const name = keyOf(refOf(ingress));
    const known = this.#taken.get(name);
    if (known !== undefined) return known;
    const manifests = this.view([ingress]);
    const context = { manifests, options: this.#options, ownedBy: "ngrok-operator" as const };
    const fallback = ingress.spec?.defaultBackend;
    const isTaken =
      servedIngresses(manifests, this.#options).ingresses.length > 0 &&
      endpointSettings(Ingress, ingress, context).settings !== undefined &&
      (!fallback || ingressDestination(manifests, ingress, fallback, "").destination !== undefined);
    this.#taken.set(name, isTaken);
    return isTaken;
  }

  /** Those that have, or stand under, a name that a host of these would get. */
  #domainsOf(ingresses: readonly IngressObject[]): readonly Domain[] {
    return ingresses.flatMap((ingress) =>
      hostsOfIngress(ingress).flatMap((host) =>
        [domainName(host), distinctDomainName(host)].flatMap(
          (name) => this.#cached.get(Domain, { name, namespace: ingress.metadata.namespace }) ?? [],
        ),
      ),
    );
  }

  /** In the order in which the translator comes to them: that of the first Ingress that names each. */
  #ranked(hosts: readonly string[]): readonly string[] {
    if (hosts.length < 2) return hosts;
    const ranks = hosts.map((host) => {
      const first = this.ingressesOf([host]).find((ingress) => this.#isTaken(ingress));
      const at = first === undefined ? "" : keyOf(refOf(first));
      return { host, at, rule: first === undefined ? 0 : hostsOfIngress(first).indexOf(host) };
    });
    return ranks.toSorted((a, b) => compareText(a.at, b.at) || a.rule - b.rule).map(({ host }) => host);
  }
}
