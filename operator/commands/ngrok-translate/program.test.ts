// The command line by itself: what it reads, what it prints where, and its exit codes.
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { VERSION } from "#api/version.ts";
import { aGateway, aGatewayClass, anHTTPRoute, anIngressClass, aService } from "#test/support/builders.ts";
import { shop as gatewayShop } from "#test/support/gateway-ground.ts";
import { backend, ingress, LABELS } from "#test/support/translating.ts";
import { ngrokTranslate } from "./program.ts";

const classes = anIngressClass();
const shop = backend("shop", { uid: "" });
const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });

async function typed(files: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  return await typedInto({ isTTY: true }, files, ...argv);
}

async function typedInto(stdout: { isTTY: boolean }, files: Readonly<Record<string, string>>, ...argv: string[]) {
  let [out, err] = ["", ""];
  const code = await ngrokTranslate([...Object.keys(files), ...argv], {
    stdout: { ...stdout, write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    read: async (file) => {
      const text = files[file];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return await Promise.resolve(text);
    },
  });
  return { code, out, err };
}

function documents(...objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}

function items(text: string): { kind: string; metadata: { name: string; namespace: string; labels: unknown } }[] {
  return (parse(text) as { items: [] }).items;
}

const names = (text: string): string[] =>
  items(text).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
const SHOP = ["AgentEndpoint default/e3b0c-shop-default-80", "Domain default/shop-example-com"];

describe("reads", () => {
  test.for([
    ["a file of many documents", { "a.yaml": documents(classes, shop, one) }],
    [
      "several files, in any order",
      { "a.yaml": documents(one), "b.yaml": documents(shop), "c.yaml": documents(classes) },
    ],
    ["standard input", { "-": documents(classes, shop, one) }],
    ["JSON", { "a.json": JSON.stringify(one), "b.json": JSON.stringify(shop), "c.json": JSON.stringify(classes) }],
    [
      "a List, as kubectl get prints it",
      { "-": stringify({ apiVersion: "v1", kind: "List", items: [classes, shop, one] }) },
    ],
    [
      "a list of one kind, whose items do not say it",
      {
        "-": documents(classes, shop, {
          apiVersion: "networking.k8s.io/v1",
          kind: "IngressList",
          items: [{ metadata: one.metadata, spec: one.spec }],
        }),
      },
    ],
    [
      "empty documents and other people's kinds beside them",
      {
        "a.yaml": `---\n---\n${documents(classes, shop, one, { apiVersion: "apps/v1", kind: "Deployment" }, { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "shop" } })}---\n`,
      },
    ],
    [
      "anchors and merge keys",
      { "a.yaml": `${documents(classes, shop)}---\n${stringify(one).replace("metadata:", "metadata: &m\n  <<: {}")}` },
    ],
  ] as const)("%s", async ([, files], { expect }) => {
    const { code, out, err } = await typed(files as Readonly<Record<string, string>>);
    expect({ code, err, names: names(out) }).toEqual({ code: 0, err: "", names: SHOP });
  });

  test("objects without a namespace as kubectl would: they are in default", async () => {
    const bare = { ...one, metadata: { name: "shop" } };
    expect(names((await typed({ a: documents(classes, shop, bare) })).out)).toEqual(SHOP);
  });
});

describe("prints", () => {
  const files = { a: documents(classes, shop, one) };

  test("the same objects as YAML and as JSON, and nothing but them", async () => {
    const yaml = await typed(files);
    const json = await typed(files, "-o", "json");
    expect(JSON.parse(json.out)).toEqual(parse(yaml.out));
    expect(Object.keys(JSON.parse(json.out) as object)).toEqual(["items"]);
    expect(yaml.out).not.toMatch(/[&*]a1/);
  });

  test("JSON where no person reads it", async () => {
    const { out } = await typedInto({ isTTY: false }, { a: documents(classes, shop, one) });
    expect(JSON.parse(out)).toHaveProperty("items");
  });

  test("a table for people", async () => {
    expect((await typed(files, "-o", "table")).out).toBe(
      "KIND            NAMESPACE   NAME                    URL                        UPSTREAM\n" +
        "AgentEndpoint   default     e3b0c-shop-default-80   https://shop.example.com   http://shop.default:80\n" +
        "Domain          default     shop-example-com        shop.example.com\n",
    );
  });

  test("the labels of the operator that is named", async () => {
    const { out } = await typed(files, "--manager-namespace", "edge", "--manager-name", "mine");
    expect(items(out).map(({ metadata }) => metadata.labels)).toEqual(
      [0, 1].map(() => ({
        "ngrok.com/controller-namespace": "edge",
        "ngrok.com/controller-name": "mine",
        "k8s.ngrok.com/controller-namespace": "edge",
        "k8s.ngrok.com/controller-name": "mine",
      })),
    );
    expect(items((await typed(files)).out)[0]?.metadata.labels).toEqual(LABELS);
  });

  test("neither stamp nor finalizer: they come when the object is made", async () => {
    expect((await typed(files)).out).not.toMatch(/finalizer|drain-owner/);
  });

  test("what is asked for by the other flags", async () => {
    expect((await typed(files, "--cluster-domain", "svc.k8s.example")).out).toContain(
      "http://shop.default.svc.k8s.example:80",
    );
    expect((await typed(files, "--metadata", "team=shop")).out).toContain(
      '{"owned-by":"ngrok-operator","team":"shop"}',
    );
    expect(items((await typed(files, "--watch-namespace", "other")).out)).toEqual([]);
    expect(names((await typed(files, "--watch-namespace", "default")).out)).toEqual(SHOP);
    expect(items((await typed(files, "--ingress-controller", "example.com/mine")).out)).toEqual([]);
  });

  test("the Domains with the reclaimPolicy that the operator's flag would give them", async () => {
    expect((await typed(files)).out).toContain("reclaimPolicy: Delete");
    const { out } = await typed(files, "--default-domain-reclaim-policy", "Retain");
    expect(out).toContain("reclaimPolicy: Retain");
    expect(out).not.toContain("reclaimPolicy: Delete");
  });

  test("what Gateways become, of the controller that is named, and without grants where none are asked for", async () => {
    const backendRefs = [{ name: "shop", namespace: "vault", port: 80 }];
    const matches = [{ path: { type: "PathPrefix", value: "/" } }];
    const afar = anHTTPRoute({ spec: { parentRefs: [{ name: "edge" }], rules: [{ matches, backendRefs }] } });
    const gateways = { a: documents(aGatewayClass(), aGateway(), gatewayShop("vault"), afar) };
    const refused = await typed(gateways);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining("create a ReferenceGrant in namespace vault"),
    ]);
    expect(refused.out).not.toContain("http://shop.vault:80");
    const { code, out } = await typed(gateways, "--no-reference-grants");
    expect([code, out]).toEqual([0, expect.stringContaining("http://shop.vault:80")]);
    const others = await typed(gateways, "--no-reference-grants", "--gateway-controller", "example.com/mine");
    expect(items(others.out)).toEqual([]);
    const mine = { a: gateways.a.replace("ngrok.com/gateway-controller", "example.com/mine") };
    expect((await typed(mine, "--no-reference-grants", "--gateway-controller", "example.com/mine")).out).toBe(out);
  });

  test("its version", async () => {
    expect(await typed({}, "--version")).toEqual({ code: 0, err: "", out: `${VERSION}\n` });
  });

  test("that there is nothing to make, where nobody asks", async () => {
    const { code, out, err } = await typed({ a: documents(classes, shop) });
    expect({ code, out }).toEqual({ code: 0, out: "items: []\n" });
    expect(err).toBe("nothing to make: of the 2 objects that were read, none asks this operator for an endpoint\n");
  });
});

test("a Service of type LoadBalancer becomes what the Service controller makes of it; what is not known before is said", async () => {
  const { code, out, err } = await typed({ a: documents(aService()) }, "-o", "table");
  expect({ code, out }).toEqual({
    code: 0,
    out:
      "KIND            NAMESPACE   NAME         URL      UPSTREAM\n" +
      "AgentEndpoint   default     database-*   tcp://   tcp://database.default.svc.cluster.local:5432\n",
  });
  expect(err).toMatch(/^pending: Service default\/database: .*: ngrok gives a TCP address .* tcp:\/\/ stands for it/);
});

describe("ends with 1 and says on standard error", () => {
  test("what the operator would refuse; the rest is printed", async () => {
    const broken = ingress("broken", { "broken.example.com": [{ to: "gone" }] });
    const { code, out, err } = await typed({ a: documents(classes, shop, one, broken) });
    expect(code).toBe(1);
    expect(names(out)).toEqual([SHOP[0], "Domain default/broken-example-com", SHOP[1]]);
    expect(err).toBe(
      "refused: Ingress default/broken: spec.rules[0].http.paths[0].backend.service: Service default/gone does not exist: create it or name another\n",
    );
  });

  test.for([
    ["YAML that cannot be read", "a: [1\nb: 2", /^refused: a:2:1: .*: correct the YAML\n/],
    ["text", "just text", /^refused: a:1: is not a Kubernetes object: write apiVersion, kind and metadata\n/],
    ["no kind", "apiVersion: v1", /^refused: a:1: has no apiVersion and kind: write both as text\n/],
    [
      "a version of old",
      "---\n---\napiVersion: networking.k8s.io/v1beta1\nkind: Ingress",
      /^refused: a:3: Ingress of networking.k8s.io\/v1beta1 is not known: write networking.k8s.io\/v1\n/,
    ],
    ["no metadata", "apiVersion: v1\nkind: Service", /^refused: a:1: Service has no metadata: write metadata.name\n/],
    [
      "a name that is none",
      'apiVersion: v1\nkind: Service\nmetadata: {name: "a/b"}',
      /^refused: a:1: Service has no metadata.name that Kubernetes takes/,
    ],
    [
      "a namespace that is none",
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: a.b}",
      /^refused: a:1: Service a has no metadata.namespace that Kubernetes takes/,
    ],
    [
      "an annotation that is no text",
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {ngrok.com/pooling-enabled: true}}",
      /^refused: a:1: Service a: metadata.annotations is not a map of texts: put quotes around its values\n/,
    ],
    [
      "a spec that is none",
      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: x",
      /^refused: a:1: Service a: spec is not a map: write one\n/,
    ],
    [
      "items that are none",
      "apiVersion: v1\nkind: List\nitems: x",
      /^refused: a:1: items of the List is not a list: write one\n/,
    ],
    [
      "an item that is none",
      "apiVersion: v1\nkind: List\nitems: [x]",
      /^refused: a:1, items\[0\]: is not a Kubernetes object/,
    ],
    [
      "a bomb of aliases",
      `a: &a [x]\nb: &b [${"*a,".repeat(30)}]\nc: &c [${"*b,".repeat(30)}]`,
      /^refused: a:1: .*: write the objects out\n/,
    ],
  ] as const)("%s", async ([, text, said], { expect }) => {
    const { code, err } = await typed({ a: text });
    expect(err).toMatch(said);
    expect(code).toBe(1);
  });

  test("a file that is not there; the others are read", async () => {
    const { code, out, err } = await typed({ a: documents(classes, shop, one) }, "gone.yaml");
    expect({ code, err, names: names(out) }).toEqual({
      code: 1,
      err: "refused: gone.yaml: cannot be read (ENOENT): name a file, or - for standard input\n",
      names: SHOP,
    });
  });
});

test("what is only ignored ends with 0", async () => {
  const annotated = { ...one, metadata: { ...one.metadata, annotations: { "ngrok.com/metadata": "text" } } };
  const { code, err } = await typed({ a: documents(classes, shop, annotated) });
  expect(code).toBe(0);
  expect(err).toMatch(
    /^ignored: Ingress default\/shop: metadata.annotations\["ngrok.com\/metadata"\]: is not a JSON object/,
  );
});

test("an object that is there twice is taken from where it stands last, and that is said", async () => {
  const { code, err } = await typed({ a: documents(classes, shop, one), b: documents(one) });
  expect({ code, err }).toEqual({
    code: 0,
    err: "ignored: b:1: Ingress default/shop is there twice: the last one is used, remove the other\n",
  });
});

test.for([
  [[], "missing required argument 'file'"],
  [["a", "-o", "xml"], "Allowed choices are yaml, json, table"],
  [["a", "--manager-name", ""], "It is empty"],
  [["a", "--default-domain-reclaim-policy", "retain"], "Allowed choices are Delete, Retain"],
  [["a", "--metadata", "x"], "Write key=value,key=value"],
  [["a", "--no-such"], "unknown option '--no-such'"],
] as const)("%j is a command line that cannot be followed", async ([argv, said], { expect }) => {
  const { code, out, err } = await typed({}, ...argv);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(said);
});

test("--help teaches by example", async () => {
  const { code, out, err } = await typed({}, "--help");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/Examples:\n +ngrok-translate /);
  expect(out).toContain("--default-domain-reclaim-policy <policy>");
  expect(out).toMatch(/Exit codes:\n +0 /);
});
