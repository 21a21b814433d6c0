// Each annotation of an Ingress, under both prefixes, good and bad.
import { describe, expect, test } from "vitest";
import { ADOPTED, DRAIN_OWNER, KEPT_WITH } from "#api/keys.ts";
import { Ingress, Service } from "#kube/kinds.ts";
import { anIngress, anNgrokTrafficPolicy, aService } from "#test/support/builders.ts";
import { nestedText } from "#test/support/nested.ts";
import {
  agentEndpoints,
  backend,
  cloudEndpoints,
  ingress,
  OPTIONS,
  rulesOf,
  said,
  shape,
  translated,
} from "#test/support/translating.ts";
import { unheeded } from "./annotations.ts";
import { index } from "./manifests.ts";
import type { Options } from "./model.ts";
import { translateAll } from "./translate.ts";

const VERBOSE = { "ngrok.com/mapping-strategy": "endpoints-verbose" };

function given(annotations: Record<string, string>, options: Partial<Options> = {}) {
  const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] }, { annotations });
  return translated([backend("shop", { uid: "" }), anNgrokTrafficPolicy(), one], options);
}

/** The one endpoint of the host. */
function hosts(annotations: Record<string, string>, options: Partial<Options> = {}) {
  const result = given(annotations, options);
  return { spec: result.endpoints[0]?.spec, said: said(result) };
}

describe.for(["ngrok.com", "k8s.ngrok.com"])("%s/", (prefix) => {
  const COLLAPSED = ["https://shop.example.com -> http://shop.default:80"];
  const TWO = ["https://e3b0c-shop-default-80.internal -> http://shop.default:80", "https://shop.example.com"];

  test.for([
    ["endpoints", COLLAPSED],
    ["endpoints-collapsed", COLLAPSED],
    ["endpoints-verbose", TWO],
    [" endpoints-verbose\n", TWO],
  ] as const)("mapping-strategy %j", ([value, endpoints], { expect }) => {
    const result = given({ [`${prefix}/mapping-strategy`]: value.trimEnd() });
    expect(shape(result)).toEqual(endpoints);
    expect(result.problems).toEqual([]);
  });

  test.for(["edges", "", "Endpoints"])("mapping-strategy %j is ignored and said", (value, { expect }) => {
    const result = given({ [`${prefix}/mapping-strategy`]: value });
    expect(shape(result)).toEqual(COLLAPSED);
    expect(said(result)).toEqual([
      `ignored Ingress default/shop metadata.annotations["${prefix}/mapping-strategy"]: ${JSON.stringify(value)} is not a mapping strategy: write endpoints, endpoints-collapsed or endpoints-verbose; endpoints is used`,
    ]);
  });

  test("traffic-policy puts the named policy before our rules", () => {
    const [endpoint] = given({ [`${prefix}/traffic-policy`]: "hello" }).endpoints;
    expect(rulesOf(endpoint).map(({ name, actions: [action] }) => name ?? action?.type)).toEqual([
      "custom-response",
      "Initialize-Local-Service-Match",
      "Generated-Local-Service-Route",
      "Fallback-404",
    ]);
  });

  test.for([
    ["hello,other", '"hello,other" is not exactly one name: write that of one NgrokTrafficPolicy'],
    ["", '"" is not exactly one name: write that of one NgrokTrafficPolicy'],
    ["gone", "NgrokTrafficPolicy gone is not in namespace default: create it or name another"],
  ] as const)(
    "traffic-policy %j refuses the Ingress: better no endpoint than an open one",
    ([value, reason], { expect }) => {
      const result = given({ [`${prefix}/traffic-policy`]: value });
      expect(result.endpoints).toEqual([]);
      expect(said(result)).toEqual([
        `refused Ingress default/shop metadata.annotations["${prefix}/traffic-policy"]: ${reason}`,
      ]);
      expect(result.domains).toHaveLength(1);
    },
  );

  test.for([
    ["true", true],
    ["True", true],
    ["false", false],
  ] as const)("pooling-enabled %j", ([value, pooled], { expect }) => {
    const { spec, said } = hosts({ ...VERBOSE, [`${prefix}/pooling-enabled`]: value });
    expect(spec).toMatchObject({ poolingEnabled: pooled });
    expect(said).toEqual([]);
  });

  test.for(["yes", "1", ""])("pooling-enabled %j counts as false, which is said", (value, { expect }) => {
    const { spec, said } = hosts({ ...VERBOSE, [`${prefix}/pooling-enabled`]: value });
    expect(spec).toMatchObject({ poolingEnabled: false });
    expect(said).toEqual([
      `ignored Ingress default/shop metadata.annotations["${prefix}/pooling-enabled"]: ${JSON.stringify(value)} is neither true nor false: write one of the two; false is used`,
    ]);
  });

  const NOBODY = "nobody reads it on an Ingress";
  test.for([
    ["traffic-polcy", `${NOBODY}: write ngrok.com/traffic-policy`],
    ["url", `${NOBODY}: remove it, or write it on a Service`],
    [
      "modules",
      `${NOBODY}: remove it; what it was to do may be said in an NgrokTrafficPolicy, which ngrok.com/traffic-policy names`,
    ],
  ] as const)(
    "%s is said to be nobody's: without a word the endpoint would be open",
    ([suffix, reason], { expect }) => {
      const { spec, said } = hosts({ [`${prefix}/${suffix}`]: "hello" });
      expect(spec).toHaveProperty("url", "https://shop.example.com");
      expect(said).toEqual([`ignored Ingress default/shop metadata.annotations["${prefix}/${suffix}"]: ${reason}`]);
    },
  );

  test.for(["public", "internal", "kubernetes"])("bindings %s", (value, { expect }) => {
    for (const strategy of [{}, VERBOSE]) {
      const result = given({ ...strategy, [`${prefix}/bindings`]: value });
      expect(result.endpoints[0]?.spec.bindings).toEqual([value]);
      // Only the host's own endpoint has them.
      expect(result.endpoints.slice(1).map(({ spec }) => spec.bindings)).toEqual(
        strategy === VERBOSE ? [undefined] : [],
      );
    }
  });

  test.for(["public,internal", "", "everywhere"])("bindings %j refuses the Ingress", (value, { expect }) => {
    const result = given({ [`${prefix}/bindings`]: value });
    expect(result.endpoints).toEqual([]);
    expect(said(result)).toEqual([
      `refused Ingress default/shop metadata.annotations["${prefix}/bindings"]: ${JSON.stringify(value)} is not exactly one binding: write public, internal or kubernetes`,
    ]);
  });

  test("description", () => {
    expect(hosts({ [`${prefix}/description`]: "  the shop \n  of mine" }).spec).toMatchObject({
      description: "the shop\nof mine",
    });
  });

  test("metadata", () => {
    expect(hosts({ [`${prefix}/metadata`]: '{"team":"shop","env":"prod"}' }).spec).toMatchObject({
      metadata: '{"env":"prod","team":"shop"}',
    });
  });

  test("metadata that are nested deeper than a walk can go are ignored and said", () => {
    const { spec, said } = hosts({ [`${prefix}/metadata`]: nestedText() });
    expect(spec).toHaveProperty("url", "https://shop.example.com");
    expect(spec).not.toHaveProperty("metadata");
    expect(said).toEqual([
      `ignored Ingress default/shop metadata.annotations["${prefix}/metadata"]: is nested more than 100 levels deep: write it flatter; it is left out`,
    ]);
  });

  test.for(["text", "[1]", ""])("metadata %j is ignored and said", (value, { expect }) => {
    const { spec, said } = hosts({ [`${prefix}/metadata`]: value });
    expect(spec).not.toHaveProperty("metadata");
    expect(said).toEqual([
      expect.stringContaining(
        `ignored Ingress default/shop metadata.annotations["${prefix}/metadata"]: is not a JSON object`,
      ),
    ]);
  });
});

test("without annotations the fields that the schema fills are left to it", () => {
  const result = given(VERBOSE);
  expect(cloudEndpoints(result).map(({ spec }) => Object.keys(spec))).toEqual([["url", "trafficPolicy"]]);
  expect(agentEndpoints(result).map(({ spec }) => Object.keys(spec))).toEqual([["url", "upstream"]]);
});

test("what the operator writes itself, and what stands under another prefix, is nothing to say a word about", () => {
  const own = { [DRAIN_OWNER]: "ops/ngrok", [ADOPTED]: "true", [KEPT_WITH]: "default/shop" };
  const others = { "example.com/url": "x", "bindings.k8s.ngrok.com/x": "y", "nginx.ingress.kubernetes.io/proxy": "z" };
  expect(hosts({ ...own, ...others }).said).toEqual([]);
});

describe("on a LoadBalancer Service", () => {
  const toldOf = (annotations: Record<string, string>): string[] =>
    unheeded(Service, aService({ metadata: { annotations } })).map(({ field, reason }) => `${field}: ${reason}`);
  const NOBODY = "nobody reads it on a Service";

  test("what is read, and written down by the operator, is nothing to say a word about", () => {
    const read = ["app-protocols", "bindings", "computed-url", "mapping-strategy", "traffic-policy", "url"];
    const both = read.flatMap((one) => [`ngrok.com/${one}`, `k8s.ngrok.com/${one}`]);
    const annotations = Object.fromEntries([...both, DRAIN_OWNER].map((key) => [key, "x"]));
    expect(toldOf({ ...annotations, "ngrok.com/pooling-enabled": "TRUE" })).toEqual([]);
  });

  test("it is told, and served as if it were not there", () => {
    const result = translateAll(
      index([aService({ metadata: { annotations: { "ngrok.com/traffic-polcy": "office" } } })]),
      OPTIONS,
    );
    expect(result.endpoints).toHaveLength(1);
    expect(said(result)).toContain(
      `ignored Service default/database metadata.annotations["ngrok.com/traffic-polcy"]: ${NOBODY}: write ngrok.com/traffic-policy`,
    );
  });

  test("what the operator writes down itself is not what anybody is told to write", () => {
    const ownOnes = /write ngrok.com\/computed-url|write it on/;
    expect(toldOf({ "ngrok.com/computed-uri": "x" })).toEqual([expect.not.stringMatching(ownOnes)]);
    const onIngress = anIngress({ metadata: { annotations: { "ngrok.com/computed-url": "x" } } });
    expect(unheeded(Ingress, onIngress).map(({ reason }) => reason)).toEqual([expect.not.stringMatching(ownOnes)]);
  });

  test("what is not is said to be nobody's", () => {
    const annotations = { "ngrok.com/metadata": "{}", "ngrok.com/uri": "tls://db", "ngrok.com/pooling-enabled": "on" };
    expect(toldOf(annotations)).toEqual([
      `metadata.annotations["ngrok.com/metadata"]: ${NOBODY}: remove it, or write it on an Ingress or a Gateway`,
      `metadata.annotations["ngrok.com/uri"]: ${NOBODY}: write ngrok.com/url`,
      'metadata.annotations["ngrok.com/pooling-enabled"]: "on" is neither true nor false: write one of the two; false is used',
    ]);
  });
});

test("the canonical prefix wins as soon as it is there, whatever it holds", () => {
  const both = { "ngrok.com/bindings": "internal", "k8s.ngrok.com/bindings": "public" };
  expect(hosts(both).spec).toMatchObject({ bindings: ["internal"] });
  expect(hosts({ ...both, "ngrok.com/bindings": "nonsense" }).spec).toBeUndefined();
});

describe("the operator's own metadata", () => {
  const ngrokMetadata = { env: "prod", team: "platform" };
  test.for([
    [
      "stand on every endpoint, with who owns it",
      ngrokMetadata,
      {},
      '{"env":"prod","owned-by":"ngrok-operator","team":"platform"}',
    ],
    ["say themselves who owns it", { "owned-by": "me" }, {}, '{"owned-by":"me"}'],
    [
      "give way to those of the annotation",
      ngrokMetadata,
      { team: "shop" },
      '{"env":"prod","owned-by":"ngrok-operator","team":"shop"}',
    ],
  ] as const)("%s", ([, own, annotated, metadata], { expect }) => {
    const annotations = {
      ...VERBOSE,
      ...(Object.keys(annotated).length > 0 && { "ngrok.com/metadata": JSON.stringify(annotated) }),
    };
    for (const { spec } of given(annotations, { ngrokMetadata: own }).endpoints) expect(spec.metadata).toBe(metadata);
  });
});
