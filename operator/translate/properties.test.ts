// What holds for any Ingresses whatever: worlds of two namespaces whose Ingresses share hosts and Services at random, and
// texts that want to be something else.
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { parseEndpointUrl } from "#api/names.ts";
import type { KubeObject } from "#kube/kind.ts";
import { anIngressClass, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { literalsOf } from "#test/support/cel.ts";
import { backend, ingress, OPTIONS, type PathOf, rulesOf, translated } from "#test/support/translating.ts";
import { index } from "./manifests.ts";
import type { Translation } from "./model.ts";
import { translate } from "./translate.ts";

const NAMESPACES = ["alpha", "beta"];
const SERVICES = ["one", "two", "three"];
const namespace = fc.constantFrom(...NAMESPACES);
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "'",
    '"',
    "\\",
    "*",
    "') || true || ('",
    "${secrets.get('a')}",
    "\n",
    "\u2028",
    "é",
    "x".repeat(10_000),
  ),
);
const host = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      "a.example.com",
      "b.example.com",
      "*.example.com",
      "c.internal",
      "a-example.com",
      "wildcard.example.com",
      "a_example.com",
    ),
  },
  { weight: 1, arbitrary: hostile },
);
const path: fc.Arbitrary<PathOf> = fc.record({
  path: fc.oneof(
    fc.constantFrom("/", "/a", "/a/b"),
    hostile.map((text) => `/${text}`),
  ),
  type: fc.constantFrom("Exact", "Prefix", "ImplementationSpecific"),
  to: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...SERVICES) },
    fc.constantFrom("gone", { resource: { kind: "NgrokTrafficPolicy", name: "hello" } }),
  ),
});
const annotations = fc.record(
  {
    "ngrok.com/mapping-strategy": fc.oneof(fc.constantFrom("endpoints", "endpoints-verbose"), hostile),
    "ngrok.com/traffic-policy": fc.constantFrom("hello", "gone"),
    "k8s.ngrok.com/pooling-enabled": fc.constantFrom("true", "no"),
    "ngrok.com/bindings": fc.oneof(fc.constantFrom("public", "internal"), hostile),
    "ngrok.com/metadata": fc.oneof(fc.constant('{"a":"b"}'), hostile),
    "ngrok.com/description": hostile,
  },
  { requiredKeys: [] },
);
const anyIngress = fc
  .record({
    name: fc.constantFrom("x", "y", "z"),
    namespace,
    annotations,
    rules: fc.dictionary(host, fc.array(path, { maxLength: 4 }), { maxKeys: 3, noNullPrototype: true }),
    hasDefault: fc.boolean(),
  })
  .map(({ name, rules, hasDefault, ...over }) => {
    const defaultBackend = { service: { name: "one", port: { number: 80 } } };
    return ingress(name, rules, { ...over, ...(hasDefault && { defaultBackend }) });
  });

const ground: readonly KubeObject[] = NAMESPACES.flatMap((at) => [
  ...SERVICES.map((name) => backend(name, { namespace: at, uid: "" })),
  anNgrokTrafficPolicy({ metadata: { namespace: at } }),
]);
/** Of two Ingresses of one name only one can be there. */
const world = fc
  .uniqueArray(anyIngress, { maxLength: 5, selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}` })
  .map((ingresses): readonly KubeObject[] => [anIngressClass(), ...ground, ...ingresses]);

function holds(check: (result: Translation, objects: readonly KubeObject[]) => void): void {
  fc.assert(
    fc.property(world, (objects) => check(translate(index(objects), OPTIONS), objects)),
    { numRuns: 150 },
  );
}

test("the order of the input does not matter", () => {
  fc.assert(
    fc.property(
      world.chain((objects) =>
        fc.tuple(fc.constant(objects), fc.shuffledSubarray([...objects], { minLength: objects.length })),
      ),
      ([objects, shuffled]) => {
        expect(translate(index(shuffled), OPTIONS)).toEqual(translate(index(objects), OPTIONS));
      },
    ),
    { numRuns: 80 },
  );
});

test("translating twice is the same, and nothing of the input is changed", () => {
  holds((result, objects) => {
    const before = structuredClone(objects);
    expect(translate(index(objects), OPTIONS)).toEqual(result);
    expect(objects).toEqual(before);
  });
});

test("no two endpoints of a kind share a name, and no two share an address", () => {
  holds(({ endpoints, domains }) => {
    const names = [...endpoints, ...domains].map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`,
    );
    expect(new Set(names).size).toBe(names.length);
    const urls = endpoints.map(({ spec }) => spec.url);
    expect(new Set(urls).size).toBe(urls.length);
  });
});

test("every generated route points at an endpoint that is there", () => {
  holds(({ endpoints }) => {
    const urls = endpoints.map(({ spec }) => spec.url);
    const targets = endpoints
      .flatMap((endpoint) => rulesOf(endpoint))
      .filter(({ name }) => name?.startsWith("Generated-"))
      .flatMap(({ actions }) => actions.filter(({ type }) => type === "forward-internal"))
      .map(({ config }) => (config as { url: string }).url);
    for (const target of targets) expect(urls).toContain(target);
  });
});

test("nothing of one namespace appears in the objects of another", () => {
  holds((result) => {
    for (const endpoint of result.endpoints) {
      const [other = ""] = NAMESPACES.filter((one) => one !== endpoint.metadata.namespace);
      const led = JSON.stringify([
        rulesOf(endpoint).map(({ actions }) => actions),
        "upstream" in endpoint.spec && endpoint.spec.upstream,
      ]);
      expect(led).not.toContain(`-${other}-`);
      expect(led).not.toContain(`.${other}:`);
    }
  });
});

const ajv = new Ajv({ strict: false, formats: { int64: true } });
const schemas = new Map([AgentEndpoint, CloudEndpoint, Domain].map((kind) => [kind.kind, ajv.compile(kind.spec)]));

test("every object is one that the API server takes, however hostile the texts", () => {
  holds(({ endpoints, domains }) => {
    for (const { kind = "", metadata, spec } of [...endpoints, ...domains]) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      const valid = schemas.get(kind);
      expect([valid?.(spec), valid?.errors]).toEqual([true, null]);
    }
    for (const { spec } of endpoints) expect(parseEndpointUrl(spec.url)).toHaveProperty("url");
  });
});

test("every expression is one of the few that we write, whatever its texts hold", () => {
  const frames = new Set([
    "req.url.path == ?",
    "req.url.path.startsWith(?)",
    "vars.request_matched_local_svc == false",
  ]);
  const paths = (objects: readonly KubeObject[]): unknown[] =>
    objects.flatMap((one) => (one.kind === "Ingress" ? pathsOf(one as ReturnType<typeof ingress>) : []));
  holds(({ endpoints }, objects) => {
    const written = new Set(paths(objects));
    for (const expression of endpoints.flatMap((one) => rulesOf(one)).flatMap(({ expressions = [] }) => expressions)) {
      const { frame, literals } = literalsOf(expression);
      expect(frames).toContain(frame);
      for (const literal of literals) expect(written).toContain(literal);
    }
  });
});

function pathsOf({ spec }: ReturnType<typeof ingress>): string[] {
  return (spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map((one) => (one.path ?? "/").toWellFormed()));
}

test("any JSON under spec is an endpoint or a problem, never an error", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.json(), fc.constant('{"rules":[{"host":"a.example.com","http":{"paths":[null]}}]}')), {
        maxLength: 3,
      }),
      (specs) => {
        const broken = specs.map((text, at) => {
          const spec = JSON.parse(text) as object | null;
          return {
            ...ingress(`broken-${at}`, {}),
            spec: { ...spec, ingressClassName: "ngrok" },
          } as unknown as KubeObject;
        });
        const good = ingress("good", { "good.example.com": [{ to: "one" }] });
        const { endpoints, problems } = translated([backend("one"), good, ...broken]);
        expect(endpoints).toHaveLength(1);
        expect(problems.map(({ object }) => object)).toEqual(
          broken.map(({ metadata }) => `Ingress default/${metadata.name}`),
        );
      },
    ),
  );
});
