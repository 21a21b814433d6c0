// The Domains that reserve the hosts of Ingresses and Gateways. They are named by their host alone.
import { Domain } from "#api/domain.ts";
import { controllerLabels } from "#api/keys.ts";
import { distinctDomainName, domainName, isHost, isInternalHost } from "#api/names.ts";
import type { IngressObject } from "#kube/kinds.ts";
import { typeOf } from "./endpoints.ts";
import { compareText } from "./manifests.ts";
import type { DomainWish, Manifests, Options, VirtualHost } from "./model.ts";

/** Each rule's host, in the namespace of the Ingress that serves it; whether its backends are there does not matter yet. */
export function domainsOfIngresses(
  ingresses: readonly IngressObject[],
  hosts: readonly VirtualHost[],
): readonly DomainWish[] {
  const serving = new Map(hosts.map(({ listener, namespace }) => [listener.hostname, namespace]));
  const wishes = new Map<string, DomainWish>();
  for (const { spec, metadata } of ingresses) {
    for (const rule of spec?.rules ?? []) {
      const host = String(rule.host).toLowerCase();
      const namespace = serving.get(host) ?? metadata.namespace ?? "";
      if (!wishes.has(host) && isHost(host) && !isInternalHost(host)) wishes.set(host, { host, namespace });
    }
  }
  return [...wishes.values()];
}

/** One Domain a host, wherever it is asked for first; a host whose plain name is another's gets a longer one. */
export function domainsOf(wishes: readonly DomainWish[], manifests: Manifests, options: Options): readonly Domain[] {
  const first = new Map<string, DomainWish>();
  for (const wish of wishes) if (!first.has(wish.host)) first.set(wish.host, wish);
  const taken = new Map<string, string>();
  for (const { metadata, spec } of manifests.list(Domain))
    if (typeof spec?.domain === "string") taken.set(`${metadata.namespace}/${metadata.name}`, spec.domain);
  return [...first.values()]
    .toSorted((a, b) => compareText(a.host, b.host))
    .map(({ host, namespace }) => {
      const names = [domainName(host), distinctDomainName(host)];
      const [plain = "", distinct = ""] = names;
      const held = names.find((name) => taken.get(`${namespace}/${name}`) === host);
      const name = held ?? (taken.has(`${namespace}/${plain}`) ? distinct : plain);
      taken.set(`${namespace}/${name}`, host);
      return {
        ...typeOf(Domain),
        metadata: { name, namespace, labels: controllerLabels(options.managerNamespace, options.managerName) },
        spec: { domain: host, reclaimPolicy: options.domainReclaimPolicy ?? "Delete" },
      };
    });
}
