// Paths of an Ingress that are compared otherwise than their writer may think, which is told although they stand as ever.
import { describe, expect, test } from "vitest";
import { backend, ingress, type PathOf, rulesOf, said, translated } from "#test/support/translating.ts";

const shop = backend("shop", { uid: "" });
const cart = backend("cart", { uid: "" });
const onHost = (...paths: PathOf[]) => translated([shop, cart, ingress("shop", { "shop.example.com": paths })]);
const FIRST = "ignored Ingress default/shop spec.rules[0].http.paths[0].path: ";

describe("a path of type ImplementationSpecific that is written as a pattern", () => {
  test.for(["/api(/|$)(.*)", "/v[12]", "/app/*", "/a/.+", "/a?", "^/a", "/a$", String.raw`/a\.b`])(
    "is compared as plain text and told so: %s",
    (path) => {
      const result = onHost({ path, type: "ImplementationSpecific", to: "shop" });
      const expressions = result.endpoints.flatMap((one) => rulesOf(one)).flatMap((one) => one.expressions ?? []);
      const quoted = path.replace("\\", String.raw`\\`);
      expect(expressions).toContain(`req.url.path.startsWith('${quoted}')`);
      expect(said(result)).toEqual([
        `${FIRST}a regular expression of a path is compared as the plain beginning of it, as it has always been: write Prefix, or Exact for each path`,
      ]);
    },
  );

  test.for([
    ["ImplementationSpecific", "/.well-known/acme-challenge/t0k-en_1~x"],
    ["ImplementationSpecific", "/wiki/C++"],
    ["ImplementationSpecific", "/a(b)"],
    ["ImplementationSpecific", "/x/$metadata"],
    ["Prefix", "/app/*"],
    ["Exact", "/a*b"],
  ] as const)("is none, in a path of type %s, in %s", ([type, path]) => {
    expect(said(onHost({ path, type, to: "shop" }))).toEqual([]);
  });
});

describe("a prefix that ends in a slash", () => {
  const slashed = { path: "/cart/", to: "cart" };
  const reason =
    "is compared as plain text, so that /cart does not match: write /cart, or add it as a path of type Exact";

  test("leaves out the path without it, and is told so, also where another prefix takes that", () => {
    expect(said(onHost(slashed))).toEqual([`${FIRST}${reason}`]);
    expect(said(onHost(slashed, { path: "/", to: "shop" }))).toEqual([`${FIRST}${reason}`]);
  });

  test("is nothing to say a word about where the path without it comes to the same Service", () => {
    const root = { path: "/", to: "cart" };
    expect(said(onHost(slashed, root))).toEqual([]);
    expect(said(onHost(slashed, root, { path: "/ca", type: "ImplementationSpecific", to: "shop" }))).toHaveLength(1);
    expect(said(onHost(slashed, root, { path: "/ca", type: "Exact", to: "shop" }))).toEqual([]);
    const rest = (name: string) => ({ defaultBackend: { service: { name, port: { number: 80 } } } });
    const above = (name: string) => ingress("shop", { "shop.example.com": [slashed] }, rest(name));
    expect(said(translated([shop, cart, above("cart")]))).toEqual([]);
    expect(said(translated([shop, cart, above("shop")]))).toHaveLength(1);
  });

  test("is nothing to say a word about where a path of the host is the one without, be it another Ingress's", () => {
    for (const type of ["Exact", "Prefix"] as const)
      expect(said(onHost(slashed, { path: "/cart", type, to: "shop" }))).toEqual([]);
    const other = ingress("other", { "shop.example.com": [{ path: "/cart", to: "shop" }] });
    expect(said(translated([shop, cart, other, ingress("a", { "shop.example.com": [slashed] })]))).toEqual([]);
    const elsewhere = ingress("other", { "b.example.com": [{ path: "/cart", to: "shop" }] });
    expect(said(translated([shop, cart, elsewhere, ingress("a", { "a.example.com": [slashed] })]))).toHaveLength(1);
  });

  test.for([
    { path: "/", to: "shop" },
    { path: "/cart/", type: "Exact", to: "shop" },
    { path: "/cart/", type: "ImplementationSpecific", to: "shop" },
    { path: "/cart", to: "shop" },
  ] as const)("is not what stands in %o", (path) => {
    expect(said(onHost(path))).toEqual([]);
  });
});
