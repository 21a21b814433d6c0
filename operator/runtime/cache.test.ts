// The store shows the newest word about an object, whoever brought it, and finds objects by what they say.
import { describe, expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { ADOPTED, DRAIN_OWNER } from "#api/keys.ts";
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import { Ingress } from "#kube/kinds.ts";
import { writtenKeys, wroteLoadBalancer } from "#kube/written.ts";
import { aCloudEndpoint, aDomain, anIngress } from "#test/support/builders.ts";
import { Cache, type Change } from "./cache.ts";

function anEndpoint(resourceVersion: string, url = "https://a.internal", uid = "u1") {
  return aCloudEndpoint({ metadata: { resourceVersion, uid }, spec: { url } });
}

function aStore() {
  const cache = new Cache();
  const store = cache.add(CloudEndpoint, { url: ({ spec }) => [spec.url] });
  const changes: Change<CloudEndpoint>[] = [];
  store.onChange((change) => changes.push(change));
  return { cache, store, changes };
}

test("an older word than the one that is held is not taken, nor the same twice", () => {
  const { store, changes } = aStore();
  store.put(anEndpoint("10"));
  store.put(anEndpoint("9", "https://old.internal"));
  store.put(anEndpoint("10", "https://same.internal"));
  expect(store.at("default/web")?.spec.url).toBe("https://a.internal");
  expect(changes).toHaveLength(1);
});

test("a namesake with another uid is another object", () => {
  const { store } = aStore();
  store.put(anEndpoint("10"));
  store.put(anEndpoint("9", "https://new.internal", "u2"));
  store.remove(anEndpoint("11"));
  expect(store.at("default/web")?.spec.url).toBe("https://new.internal");
});

test("an index follows its objects", () => {
  const { cache, store } = aStore();
  store.put(anEndpoint("1"));
  store.put(anEndpoint("2", "https://b.internal"));
  expect(cache.by(CloudEndpoint, "url", "https://a.internal")).toEqual([]);
  expect(cache.by(CloudEndpoint, "url", "https://b.internal")).toHaveLength(1);
  store.remove(anEndpoint("3"));
  expect(cache.by(CloudEndpoint, "url", "https://b.internal")).toEqual([]);
});

test("a value that several objects have finds each of them, and the last one when the others are gone", () => {
  const { cache, store } = aStore();
  const named = (name: string, resourceVersion: string) =>
    aCloudEndpoint({ metadata: { name, resourceVersion, uid: name }, spec: { url: "https://a.internal" } });
  for (const name of ["a", "b", "c"]) store.put(named(name, "1"));
  const found = (): string[] =>
    cache.by(CloudEndpoint, "url", "https://a.internal").map(({ metadata }) => metadata.name);
  expect(found()).toEqual(["a", "b", "c"]);
  store.remove(named("a", "2"));
  store.remove(named("c", "2"));
  expect(found()).toEqual(["b"]);
  store.remove(named("b", "2"));
  expect(found()).toEqual([]);
});

test("what is cleared is told to nobody, and an index remembers nothing of it", () => {
  const { cache, store, changes } = aStore();
  store.put(anEndpoint("1"));
  store.clear();
  expect([...store.keys()]).toEqual([]);
  expect(changes).toHaveLength(1);
  store.put(anEndpoint("2", "https://b.internal"));
  expect(cache.by(CloudEndpoint, "url", "https://a.internal")).toEqual([]);
});

/** The CloudEndpoints of that description. */
function described(held: Pick<Cache, "by">, domain: KubeObject | undefined): string[] {
  const found = domain === undefined ? [] : held.by(CloudEndpoint, "description", keyOf(refOf(domain)));
  return found.map((one) => keyOf(refOf(one)));
}

test("an object belongs to a group while what it leans on is there, whichever of the two comes first", () => {
  const cache = new Cache();
  const domains = cache.add(Domain);
  const endpoints = cache.add(CloudEndpoint, {
    description: ({ spec }) => [`default/${spec.description}`],
    groups: {
      derives: ({ metadata, spec }, held) =>
        held.get(Domain, { namespace: "default", name: spec.description ?? "" }) === undefined
          ? []
          : [{ name: metadata.name, groups: [{ group: "all", part: "" }] }],
      leansOn: [{ kind: Domain, keys: ({ before, after }, held) => described(held, after ?? before) }],
    },
  });
  const leaning = (name: string, on: string, resourceVersion = "1") =>
    aCloudEndpoint({ metadata: { name, uid: name, resourceVersion }, spec: { description: on } });
  const domain = (name: string) => aDomain({ metadata: { name, uid: name } });
  const counted = (): string[] =>
    cache.inOrder(CloudEndpoint, "groups", "all").flatMap(({ names }) => [...names].map(({ name }) => name));
  domains.put(domain("one"));
  for (const [name, on] of [
    ["a", "one"],
    ["b", "two"],
    ["c", "two"],
  ] as const)
    endpoints.put(leaning(name, on));
  expect(counted()).toEqual(["a"]);
  domains.put(domain("two"));
  expect(counted()).toEqual(["a", "b", "c"]);
  domains.remove(domain("two"));
  endpoints.remove(leaning("b", "two"));
  endpoints.put(leaning("c", "one", "2"));
  expect(counted()).toEqual(["a", "c"]);
  domains.remove(domain("one"));
  expect(counted()).toEqual([]);
  endpoints.clear();
  domains.put(domain("one"));
  expect(counted()).toEqual([]);
});

test("managedFields are not kept", () => {
  const { store } = aStore();
  store.put(aCloudEndpoint({ metadata: { managedFields: [{ manager: "kubectl" }] } }));
  expect(store.at("default/web")?.metadata).not.toHaveProperty("managedFields");
});

test("of managedFields what is kept says which labels and annotations are ours; of most objects that is nothing", () => {
  const { store } = aStore();
  const fieldsV1 = (labels: object): object => ({
    "f:metadata": { "f:labels": { ".": {}, ...labels }, "f:finalizers": {} },
    "f:spec": { "f:url": {} },
  });
  const entry = { manager: "ngrok-operator", operation: "Update", time: "2026-01-01T00:00:00Z" };
  const generated = { "f:ngrok.com/controller-name": {} };
  const put = (name: string, labels: object): void =>
    store.put(aCloudEndpoint({ metadata: { name, managedFields: [{ ...entry, fieldsV1: fieldsV1(labels) }] } }));
  put("plain", generated);
  put("labelled", { ...generated, "f:team": {} });
  expect(store.at("default/plain")?.metadata).not.toHaveProperty("managedFields");
  expect(store.at("default/labelled")?.metadata.managedFields).toEqual([
    { manager: "ngrok-operator", operation: "Update", fieldsV1: { "f:metadata": { "f:labels": { "f:team": {} } } } },
  ]);
});

test("of who wrote whose a reservation is there is an account, none of the stamp, which is on every object", () => {
  const { store } = aStore();
  const keys = { [`f:${ADOPTED}`]: {}, [`f:${DRAIN_OWNER}`]: {} };
  const put = (name: string, manager: string): void => {
    const managedFields = [{ manager, operation: "Update", fieldsV1: { "f:metadata": { "f:annotations": keys } } }];
    store.put(aCloudEndpoint({ metadata: { name, managedFields } }));
  };
  put("ours", "ngrok-operator");
  put("theirs", "kubectl-edit");
  const ours = store.at("default/ours")?.metadata ?? { name: "" };
  expect(writtenKeys(ours, "annotations")).toEqual([ADOPTED]);
  expect(store.at("default/theirs")?.metadata).not.toHaveProperty("managedFields");
});

test("that we alone say where an Ingress is reached is kept, and that others do is not", () => {
  const store = new Cache().add(Ingress);
  const entry = (manager: string) => ({
    manager,
    operation: "Apply",
    subresource: "status",
    fieldsV1: { "f:status": { "f:loadBalancer": { ".": {}, "f:ingress": {} } } },
  });
  const keeps = (...managers: string[]): boolean => {
    store.put(anIngress({ metadata: { managedFields: managers.map(entry) } }));
    const { managedFields, ...rest } = store.at("default/shop")?.metadata ?? { name: "" };
    expect(wroteLoadBalancer({ ...rest, ...(managedFields && { managedFields }) })).toBe(managedFields !== undefined);
    return managedFields !== undefined;
  };
  expect([keeps("ngrok-operator"), keeps("nginx"), keeps("nginx", "ngrok-operator"), keeps()]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("what kubectl repeats of an object in an annotation is not kept; the others are, and where it was the only one it is still seen that there are some", () => {
  const { store } = aStore();
  const repeated = { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"password":"hunter2"}}' };
  store.put(aCloudEndpoint({ metadata: { annotations: { ...repeated, team: "shop" } } }));
  store.put(aCloudEndpoint({ metadata: { name: "alone", annotations: repeated } }));
  expect(store.at("default/web")?.metadata.annotations).toEqual({ team: "shop" });
  // Who adds the first annotation by a patch writes the whole map: it must not be taken for missing.
  expect(store.at("default/alone")?.metadata.annotations).toEqual({});
});

test("who asks for a kind or an index that nobody declared is told so", () => {
  const { cache } = aStore();
  expect(() => cache.get(Domain, { name: "x" })).toThrow("nobody watches domains.ingress.k8s.ngrok.com");
  expect(() => cache.by(CloudEndpoint, "name", "x")).toThrow("no index name");
});

test("a kind has one store: whoever makes a second is told so", () => {
  const { cache } = aStore();
  expect(() => cache.add(CloudEndpoint)).toThrow("a store for cloudendpoints.ngrok.k8s.ngrok.com is there already");
});

describe("an object for which something throws", () => {
  const named = (name: string, resourceVersion = "1") =>
    aCloudEndpoint({ metadata: { name, uid: name, resourceVersion } });
  const unless = (object: KubeObject | undefined): void => {
    if (object?.metadata.name === "bad") throw new TypeError("its text is hunter2");
  };
  function aScene() {
    const stumbles: string[] = [];
    const cache = new Cache({
      stumbled: (kind, { metadata }, error) => void stumbles.push(`${kind.kind} ${metadata.name}: ${String(error)}`),
    });
    const store = cache.add(CloudEndpoint, {
      description: (object) => (unless(object), ["all"]),
      groups: {
        derives: (object) => (unless(object), [{ name: object.metadata.name, groups: [{ group: "all", part: "" }] }]),
        leansOn: [],
      },
    });
    const heard: (string | undefined)[] = [];
    store.onChange(({ after }) => unless(after));
    store.onChange(({ after }) => heard.push(after?.metadata.name));
    return { cache, store, stumbles, heard };
  }

  test("is told of, missing in that index alone, and keeps no other object and no other listener from anything", () => {
    const { cache, store, stumbles, heard } = aScene();
    for (const name of ["a", "bad", "z"]) store.take(named(name));
    expect(heard).toEqual(["a", "bad", "z"]);
    expect([...store.keys()]).toEqual(["default/a", "default/bad", "default/z"]);
    expect(cache.by(CloudEndpoint, "description", "all").map(({ metadata }) => metadata.name)).toEqual(["a", "z"]);
    const names = cache
      .inOrder(CloudEndpoint, "groups", "all")
      .flatMap((part) => [...part.names].map(({ name }) => name));
    expect(names).toEqual(["a", "z"]);
    expect(new Set(stumbles)).toEqual(new Set(["CloudEndpoint bad: TypeError: its text is hunter2"]));
  });

  test("is told of when it goes like any other", () => {
    const { store, heard } = aScene();
    store.take(named("bad"));
    store.remove(named("bad", "2"));
    expect(heard).toEqual(["bad", undefined]);
    expect(store.size).toBe(0);
  });

  test("throws where nobody hears of it", () => {
    const store = new Cache().add(CloudEndpoint, { description: (object) => (unless(object), []) });
    expect(() => store.take(named("bad"))).toThrow(TypeError);
  });
});
