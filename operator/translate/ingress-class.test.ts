// What is told of an Ingress's class although the Ingress is served: that nobody would see why otherwise.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { IngressObject } from "#kube/kinds.ts";
import { anIngressClass } from "#test/support/builders.ts";
import { backend, ingress, OPTIONS, said, translated } from "#test/support/translating.ts";

const shop = backend("shop", { uid: "" });
const stamp = "ops/ngrok";

/** Held by this install; `className`: undefined for none. */
function held(className: string | undefined): IngressObject {
  const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
  Object.assign(one.metadata, { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: stamp } });
  const { ingressClassName: _, ...spec } = one.spec ?? {};
  return { ...one, spec: { ...spec, ...(className !== undefined && { ingressClassName: className }) } };
}

describe("an Ingress whose class is taken away, while one of ours is there, goes on being served and is told so", () => {
  test.for([
    ["disabled", "there is no IngressClass disabled"],
    [undefined, "no class is named and none is the default"],
  ] as const)("with the class %s", ([className, missing]) => {
    const result = translated([shop, held(className)], { ...OPTIONS, stamp });
    expect(result.endpoints).toHaveLength(1);
    expect(said(result)).toEqual([
      `ignored Ingress default/shop spec.ingressClassName: ${missing}, and the Ingress goes on being served as before: name ngrok if that is right, else another controller's class that is there, or delete the Ingress`,
    ]);
  });

  test("but not with another controller's class, which ends it, nor with ours", () => {
    const nginx = anIngressClass({ metadata: { name: "nginx" }, spec: { controller: "k8s.io/nginx" } });
    for (const [className, count] of [
      ["nginx", 0],
      ["ngrok", 1],
    ] as const) {
      const result = translated([nginx, shop, held(className)], { ...OPTIONS, stamp });
      expect({ count: result.endpoints.length, said: said(result) }).toEqual({ count, said: [] });
    }
  });

  test("nor where it cannot be served as it is written: then that is told, and nothing goes on", () => {
    const bare: IngressObject = { ...held("disabled"), spec: { ingressClassName: "disabled" } };
    expect(said(translated([shop, bare], { ...OPTIONS, stamp }))).toEqual([
      expect.stringMatching(/^refused .*spec\.rules: the Ingress has no rules/),
    ]);
  });
});

describe("the annotation that named a class before there was a field for it, where ours is the default", () => {
  const byDefault = anIngressClass({
    metadata: { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
  });
  const annotated = (name: string, className?: string) => {
    const one = held(className);
    return { ...one, metadata: { ...one.metadata, annotations: { "kubernetes.io/ingress.class": name } } };
  };

  test("is told when it names another, by which the Ingress's writer may take it for theirs", () => {
    const result = translated([byDefault, shop, annotated("nginx")]);
    expect(result.endpoints).toHaveLength(1);
    expect(said(result)).toEqual([
      'ignored Ingress default/shop metadata.annotations["kubernetes.io/ingress.class"]: is not read, so the default class ngrok serves it: write spec.ingressClassName: nginx in its place',
    ]);
  });

  test.for([
    ["it names the default itself", annotated("ngrok")],
    ["it names nothing", annotated("")],
    ["the field says which", annotated("nginx", "ngrok")],
  ] as const)("is nothing to say a word about when %s", ([, one]) => {
    const result = translated([byDefault, shop, one]);
    expect({ count: result.endpoints.length, said: said(result) }).toEqual({ count: 1, said: [] });
  });
});
