// An index by what comes out for an object together with others: worked out once, when somebody reads.
import { expect, test } from "vitest";
import { keyOf, refOf } from "#kube/kind.ts";
import { type IngressObject, Ingress, Service } from "#kube/kinds.ts";
import { anIngress, aService } from "#test/support/builders.ts";
import { Cache } from "./cache.ts";
import type { Derivation } from "./derived-index.ts";

/** Ingresses by their Service, as long as that is there. */
function aCluster(more: Pick<Derivation<IngressObject>, "rank"> = {}) {
  const cache = new Cache();
  const asked: string[] = [];
  const shop: Derivation<IngressObject> = {
    ...more,
    derives(ingress, cached) {
      asked.push(ingress.metadata.name);
      const found = cached.get(Service, { name: "shop", namespace: "default" });
      return found === undefined ? [] : [{ name: ingress.metadata.name, groups: [{ group: "shop", part: "" }] }];
    },
    isNews: (before, after) => before?.metadata.generation !== after?.metadata.generation,
    leansOn: [{ kind: Service, keys: (_, cached) => [...cached.all(Ingress)].map((one) => keyOf(refOf(one))) }],
  };
  const ingresses = cache.add(Ingress, { shop });
  const services = cache.add(Service);
  const names = (): string[] =>
    cache.inOrder(Ingress, "shop", "shop").flatMap((part) => [...part.names].map(({ name }) => name));
  return { ingresses, services, names, asked };
}

const service = aService({ metadata: { name: "shop" } });
const ingress = (name: string, generation = 1): IngressObject => anIngress({ metadata: { name, generation } });

test("however much comes and changes, each object is worked out once, when somebody reads", () => {
  const { ingresses, services, names, asked } = aCluster();
  for (const name of ["b", "a"]) ingresses.put(ingress(name));
  for (const one of [service, { ...service, metadata: { ...service.metadata, labels: {} } }]) services.put(one);
  ingresses.put(ingress("b", 2));
  expect(asked).toEqual([]);
  expect(names()).toEqual(["a", "b"]);
  expect(names()).toEqual(["a", "b"]);
  expect(asked.toSorted()).toEqual(["a", "b"]);
});

test("what changes beside an object changes what comes out for it; a change that is no news does not ask again", () => {
  const { ingresses, services, names, asked } = aCluster();
  ingresses.put(ingress("a"));
  expect(names()).toEqual([]);
  services.put(service);
  expect(names()).toEqual(["a"]);
  const before = asked.length;
  ingresses.put({ ...ingress("a"), status: { loadBalancer: {} } });
  expect(names()).toEqual(["a"]);
  expect(asked).toHaveLength(before);
  ingresses.remove(ingress("a"));
  expect(names()).toEqual([]);
});

test("after a clear nothing is known, and a new list is worked out again", () => {
  const { ingresses, services, names } = aCluster();
  services.put(service);
  ingresses.put(ingress("a"));
  expect(names()).toEqual(["a"]);
  ingresses.clear();
  expect(names()).toEqual([]);
  ingresses.put(ingress("a"));
  expect(names()).toEqual(["a"]);
});

test("objects stand by their rank, and a namesake of another rank by its own", () => {
  const rank = ({ metadata }: IngressObject): string => `${metadata.creationTimestamp} ${metadata.name}`;
  const { ingresses, services, names } = aCluster({ rank });
  const born = (name: string, year: number, uid = name): IngressObject =>
    anIngress({ metadata: { name, uid, creationTimestamp: `${year}-01-01T00:00:00Z`, generation: year } });
  services.put(service);
  for (const one of [born("a", 2003), born("b", 2001), born("c", 2002)]) ingresses.put(one);
  expect(names()).toEqual(["b", "c", "a"]);
  ingresses.remove(born("b", 2001));
  ingresses.put(born("b", 2004, "again"));
  expect(names()).toEqual(["c", "a", "b"]);
  ingresses.put(born("c", 2005, "again"));
  expect(names()).toEqual(["a", "b", "c"]);
});
