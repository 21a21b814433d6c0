// An Ingress that is served no more: what its status said of us is taken back, and nobody else's word is touched.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { Kind, ObjectMeta } from "#kube/kind.ts";
import { IngressClass, type IngressObject } from "#kube/kinds.ts";
import { anIngress, anIngressClass } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { isHeld } from "../../endpoint/claimed.ts";
import type { Context } from "../../runtime/define-controller.ts";
import { ingressController } from "./controller.ts";

const classes = [
  anIngressClass(),
  anIngressClass({ metadata: { name: "nginx" }, spec: { controller: "k8s.io/nginx" } }),
];
const around = {
  cached: { ...nothingCached, all: (kind: Kind) => (kind.kind === IngressClass.kind ? classes : []) },
  release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
  options: { metadata: {}, managerName: "ngrok", clusterDomain: "svc.cluster.local" },
  clusterWide: true,
  event: () => undefined,
  unchanged: () => false,
} as Partial<Record<keyof Context, unknown>> as Context;

type Entry = NonNullable<ObjectMeta["managedFields"]>[number];
const fieldsV1 = { "f:status": { "f:loadBalancer": { "f:ingress": {} } } };
const ours: Entry = { manager: "ngrok-operator", operation: "Apply", subresource: "status", fieldsV1 };
const held = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
const theirs: Entry = { manager: "nginx", operation: "Update", subresource: "status", fieldsV1 };

/** Without a host, so that nobody serves it, whatever its class; its status says where it once led. */
function left(className: string, managedFields: Entry[], metadata: Partial<ObjectMeta> = {}): IngressObject {
  return anIngress({
    metadata: { managedFields, ...metadata },
    spec: { ingressClassName: className, rules: [] },
    status: { loadBalancer: { ingress: [{ hostname: "shop.ngrok.app" }] } },
  });
}

/** The status that one pass leaves behind, as the runtime makes it; "passed over" where there is none. */
async function after(ingress: IngressObject): Promise<unknown> {
  if (ingressController.serves?.(ingress, around) === false) return "passed over";
  if (isHeld(ingress, around.release) && ingressController.claims?.(ingress, around) === false)
    return ingressController.takesBack?.(ingress).status;
  return (await ingressController.apply(ingress, around)).status;
}

describe("where an Ingress that is not served was once reached", () => {
  test.for([
    ["whose spec cannot be served", "ngrok"],
    ["of another controller's class", "nginx"],
    ["of a class that is not there", "gone"],
  ] as const)("is taken back from one of ours %s", async ([, className]) => {
    expect(await after(left(className, [ours], structuredClone(held)))).toEqual({ loadBalancer: {} });
  });

  test("stays on one that another install has freed under Retain: every install writes under one name", async () => {
    expect(await after(left("nginx", [ours]))).toBe("passed over");
    expect(await after(left("gone", [ours]))).toBeUndefined();
  });

  test("stays where others have said it, alone or as well, and nobody looks at what is another controller's", async () => {
    for (const said of [[theirs], [theirs, ours], []]) {
      expect(await after(left("nginx", said))).toBe("passed over");
      for (const name of ["ngrok", "nginx"])
        expect(await after(left(name, said, structuredClone(held)))).toBeUndefined();
    }
  });

  test.for([
    ["stamped", { annotations: { [DRAIN_OWNER]: "ops/other" } }],
    ["held, without a stamp", { finalizers: [FINALIZER] }],
  ] as const)("stays on one that another install has %s: it may be that one's word", async ([, metadata]) => {
    expect(await after(left("nginx", [ours], structuredClone(metadata) as Partial<ObjectMeta>))).toBe("passed over");
  });

  test("is nothing to write about where the status says nothing", async () => {
    const one = { ...left("ngrok", [ours], structuredClone(held)), status: { loadBalancer: {} } };
    expect(await after(one)).toBeUndefined();
    expect(await after({ ...one, spec: { ...one.spec, ingressClassName: "nginx" } })).toBeUndefined();
  });
});
