// Which Ingresses become endpoints, what two of them do with one host, and where their backends lead.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { anIngress, anIngressClass, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { nested, nestedText } from "#test/support/nested.ts";
import {
  backend,
  cloudEndpoints,
  ingress,
  OPTIONS,
  rulesOf,
  said,
  shape,
  toService,
  translated,
} from "#test/support/translating.ts";
import { index } from "./manifests.ts";
import { translate } from "./translate.ts";

const shop = backend("shop", { uid: "" });
const DEFAULT_CLASS = { "ingressclass.kubernetes.io/is-default-class": "true" };

describe("an Ingress is translated", () => {
  const OURS = "ngrok.com/ingress-controller";
  const LEGACY = "k8s.ngrok.com/ingress-controller";
  test.for([
    ["its class is ours", { class: "ngrok" }, { name: "ngrok", controller: OURS }, true],
    [
      "its class is ours under the name of earlier releases",
      { class: "ngrok" },
      { name: "ngrok", controller: LEGACY },
      true,
    ],
    ["it has no class and ours is the default", {}, { name: "ngrok", controller: OURS, default: true }, true],
    ["it has no class and ours is no default", {}, { name: "ngrok", controller: OURS }, false],
    ["its class is another one", { class: "nginx" }, { name: "ngrok", controller: OURS, default: true }, false],
    [
      "the class of that name is another controller's",
      { class: "ngrok" },
      { name: "ngrok", controller: "k8s.io/nginx" },
      false,
    ],
  ] as const)("when %s", ([, wanted, of, isOurs], { expect }) => {
    const ingressClass = anIngressClass({
      metadata: { name: of.name, ...("default" in of && { annotations: DEFAULT_CLASS }) },
      spec: { controller: of.controller },
    });
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    one.spec = { ...one.spec, ...("class" in wanted && { ingressClassName: wanted.class }) };
    if (!("class" in wanted)) delete one.spec.ingressClassName;
    const { endpoints, problems } = translate(index([ingressClass, shop, one]), OPTIONS);
    expect({ endpoints: endpoints.length, problems }).toEqual({ endpoints: isOurs ? 1 : 0, problems: [] });
  });

  test("for a controller of another name, by that name exactly", () => {
    const mine = anIngressClass({ spec: { controller: "example.com/mine" } });
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    const options = { ...OPTIONS, ingressControllerName: "example.com/mine" };
    expect(translate(index([mine, shop, one]), options).endpoints).toHaveLength(1);
    expect(translate(index([anIngressClass(), shop, one]), options).endpoints).toEqual([]);
  });

  test("not by an annotation of old, which is said to who names a class of ours by it", () => {
    for (const [name, lines] of [
      ["ngrok", 1],
      ["nginx", 0],
    ] as const) {
      const one = ingress(
        "shop",
        { "shop.example.com": [{ to: "shop" }] },
        { annotations: { "kubernetes.io/ingress.class": name } },
      );
      delete one.spec?.ingressClassName;
      const result = translated([shop, one]);
      expect(result.endpoints).toEqual([]);
      expect(said(result)).toEqual(
        [
          'ignored Ingress default/shop metadata.annotations["kubernetes.io/ingress.class"]: is not read, so no class is named: write spec.ingressClassName: ngrok',
        ].slice(0, lines),
      );
    }
  });

  const HELD = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
  test.for([
    ["this install holds it", HELD, "ops/ngrok", 1],
    ["a copy of it has the stamp alone", { annotations: HELD.annotations }, "ops/ngrok", 0],
    ["another install holds it", HELD, "team/ngrok", 0],
    ["nobody may read classes, so none is known to have gone", HELD, undefined, 0],
  ] as const)("when its class has gone, as far as it was served: %s", ([, metadata, stamp, count], { expect }) => {
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    Object.assign(one.metadata, structuredClone(metadata));
    const options = { ...OPTIONS, ...(stamp === undefined ? {} : { stamp }) };
    expect(translate(index([shop, one]), options).endpoints).toHaveLength(count);
  });

  test("not while it is being deleted", () => {
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    one.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    expect(translated([shop, one])).toEqual({ endpoints: [], domains: [], problems: [] });
  });
});

describe("an Ingress is refused with the remedy", () => {
  test("when no class of ours is there and it names nobody else's", () => {
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    expect(said(translate(index([shop, one]), OPTIONS))).toEqual([
      "refused Ingress default/shop spec.ingressClassName: there is no IngressClass of this operator: create one with spec.controller ngrok.com/ingress-controller and name it ngrok",
    ]);
  });

  test("when it has no class, none is the default, and none is ours", () => {
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
    delete one.spec?.ingressClassName;
    const nginx = anIngressClass({ metadata: { name: "nginx" }, spec: { controller: "k8s.io/nginx" } });
    expect(said(translate(index([shop, one, nginx]), OPTIONS))).toEqual([
      "refused Ingress default/shop spec.ingressClassName: there is no IngressClass of this operator: create one with spec.controller ngrok.com/ingress-controller and annotate it as the default class",
    ]);
    nginx.metadata.annotations = DEFAULT_CLASS;
    expect(said(translate(index([shop, one, nginx]), OPTIONS))).toEqual([]);
  });

  const http = { paths: [{ path: "/", pathType: "Prefix" as const, backend: toService("shop") }] };
  test.for([
    ["no rules", undefined, "spec.rules: the Ingress has no rules"],
    ["an empty list of rules", [], "spec.rules: the Ingress has no rules"],
    ["a rule without host", [{ http }], "spec.rules[0].host: the rule has no host"],
    [
      "a rule without http",
      [{ host: "a.example.com", http }, { host: "b.example.com" }],
      "spec.rules[1].http: the rule has no http",
    ],
    [
      "a host that is none",
      [{ host: "a b.example.com", http }],
      'spec.rules[0].host: "a b.example.com" is not a host name',
    ],
  ] as const)("when it has %s", ([, rules, problem], { expect }) => {
    const one = anIngress({ spec: { rules: undefined } });
    if (rules !== undefined) one.spec = { ...one.spec, rules: [...rules] };
    const result = translated([shop, one]);
    expect(result.endpoints).toEqual([]);
    expect(said(result)[0]).toContain(`refused Ingress default/shop ${problem}`);
  });

  test("and takes no other with it, whatever types its fields have", () => {
    const broken = anIngress({ metadata: { name: "broken" } });
    (broken as { spec: unknown }).spec = { ingressClassName: "ngrok", rules: [{ host: 7, http: { paths: "none" } }] };
    const result = translated([shop, broken, ingress("shop", { "shop.example.com": [{ to: "shop" }] })]);
    expect(shape(result)).toEqual(["https://shop.example.com -> http://shop.default:80"]);
    expect(said(result)).toEqual([
      expect.stringMatching(
        /^refused Ingress default\/broken spec: has fields of types that Ingress does not have .*--dry-run=server/,
      ),
    ]);
  });
});

describe("two Ingresses on one host", () => {
  const first = (over = {}) => ingress("a", { "shop.example.com": [{ path: "/a", to: "shop" }] }, over);
  const second = (over = {}) => ingress("b", { "shop.example.com": [{ path: "/b", to: "shop" }] }, over);
  const paths = (objects: Parameters<typeof translated>[0]) =>
    rulesOf(
      translated([shop, anNgrokTrafficPolicy(), anNgrokTrafficPolicy({ metadata: { name: "other" } }), ...objects])
        .endpoints[0],
    )
      .flatMap(({ expressions = [] }) => expressions)
      .filter((one) => one.includes("path"));

  test("are one endpoint with the paths of both", () => {
    expect(paths([second(), first()])).toEqual(["req.url.path.startsWith('/a')", "req.url.path.startsWith('/b')"]);
  });

  test.for([
    [
      "traffic policy",
      { annotations: { "ngrok.com/traffic-policy": "hello" } },
      { annotations: { "ngrok.com/traffic-policy": "other" } },
    ],
    ["pooling", { annotations: { "ngrok.com/pooling-enabled": "true" } }, {}],
    ["default backend", { defaultBackend: toService("shop") }, {}],
  ] as const)("are not merged with another %s: the second is refused", ([what, one, other], { expect }) => {
    const objects = [first(one), second(other)];
    expect(paths(objects)).toEqual(["req.url.path.startsWith('/a')"]);
    const policies = [anNgrokTrafficPolicy(), anNgrokTrafficPolicy({ metadata: { name: "other" } })];
    expect(said(translated([shop, ...policies, ...objects]))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^refused Ingress default/b spec.rules\\[0\\].host: Ingress default/a serves shop.example.com already with another ${what}: give both the same .*, or choose another host$`,
        ),
      ),
    ]);
  });

  test("of two namespaces are not merged: the second is refused", () => {
    const elsewhere = [
      ingress("b", { "shop.example.com": [{ to: "shop" }] }, { namespace: "other" }),
      backend("shop", { namespace: "other" }),
    ];
    const result = translated([shop, first(), ...elsewhere]);
    expect(said(result)).toEqual([
      "refused Ingress other/b spec.rules[0].host: Ingress default/a serves shop.example.com already in another namespace: put both into default, or choose another host",
    ]);
    expect(result.domains.map(({ metadata }) => metadata.namespace)).toEqual(["default"]);
  });

  test("with another binding are merged, and the second is told by which its paths are reached", () => {
    const bound = (value: string) => ({ annotations: { "ngrok.com/bindings": value } });
    const result = translated([shop, first(), second(bound("internal"))]);
    expect(result.endpoints[0]?.spec.bindings).toBeUndefined();
    expect(said(result)).toEqual([
      "ignored Ingress default/b spec.rules[0].host: Ingress default/a serves shop.example.com already with the binding public, and so are the paths of this one reached, not by its own, internal: give both the same annotation bindings, or choose another host",
    ]);
    expect(said(translated([shop, first(), second(bound("public"))]))).toEqual([]);
  });

  test.for(["metadata", "description", "mapping-strategy"] as const)(
    "with another %s are merged: the first one's is used",
    (what, { expect }) => {
      const value = {
        metadata: '{"a":"b"}',
        description: "mine",
        "mapping-strategy": "endpoints-verbose",
      }[what];
      const objects = [first(), second({ annotations: { [`ngrok.com/${what}`]: value } })];
      expect(paths(objects)).toHaveLength(2);
      expect(said(translated([shop, ...objects]))).toEqual([
        expect.stringContaining("ignored Ingress default/b spec.rules[0].host: "),
      ]);
    },
  );
});

test.for([
  ["Prefix", "/app", "req.url.path.startsWith('/app')"],
  ["ImplementationSpecific", "/app", "req.url.path.startsWith('/app')"],
  ["Exact", "/app", "req.url.path == '/app'"],
  ["Prefix", "/it's", String.raw`req.url.path.startsWith('/it\'s')`],
] as const)("the path type %s of %s becomes %s", ([type, path, expression], { expect }) => {
  const one = ingress(
    "shop",
    { "shop.example.com": [{ path, type, to: "shop" }] },
    { annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } },
  );
  const [endpoint] = cloudEndpoints(translated([shop, one]));
  expect(rulesOf(endpoint)[0]?.expressions).toEqual([expression]);
});

test("an operator that watches one namespace sees the others' objects as if they were not there", () => {
  const elsewhere = [
    ingress("b", { "b.example.com": [{ to: "shop" }] }, { namespace: "other" }),
    backend("shop", { namespace: "other" }),
  ];
  const here = ingress("a", { "a.example.com": [{ to: "shop" }] });
  expect(shape(translated([shop, here, ...elsewhere], { watchNamespace: "other" }))).toEqual([
    "https://b.example.com -> http://shop.other:80",
  ]);
});

describe("who writes what is nested deeper than a walk can go keeps nobody else from being served", () => {
  const served = [shop, ingress("shop", { "shop.example.com": [{ to: "shop" }] })];
  const alone = shape(translated(served));
  const deep = {
    ...anNgrokTrafficPolicy({ metadata: { name: "deep", namespace: "zoo" } }),
    spec: { policy: { on_http_request: [{ actions: [{ type: "deny", config: nested() }] }] } },
  };

  test.for([
    ["metadata", nestedText()],
    ["traffic-policy", "deep"],
  ] as const)("by the annotation %s, on a host that is theirs", ([suffix, value], { expect }) => {
    const annotations = { [`ngrok.com/${suffix}`]: value };
    const theirs = ingress("thief", { "shop.example.com": [{ to: "shop" }] }, { namespace: "zoo", annotations });
    const result = translated([...served, deep, theirs]);
    expect(shape(result)).toEqual(alone);
    expect(said(result).join()).toContain(
      `Ingress zoo/thief metadata.annotations["ngrok.com/${suffix}"]: ${suffix === "metadata" ? "is nested" : "NgrokTrafficPolicy zoo/deep cannot be used, since its spec.policy is nested"} more than 100 levels deep: write it flatter`,
    );
  });

  test("by what only a file can hold", () => {
    const deepPort = { service: { name: "shop", port: { name: nested() } } };
    const rules = [{ host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend: deepPort }] } }];
    const odd = { ...anIngress({ metadata: { name: "odd" } }), spec: { ingressClassName: "ngrok", rules } } as never;
    const result = translated([...served, odd]);
    expect(shape(result)).toEqual(alone);
    expect(said(result).join()).toContain("Ingress default/odd spec: has fields of types that Ingress does not have");
  });
});
