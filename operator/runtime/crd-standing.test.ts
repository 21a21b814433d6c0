// What the refusal of a rehearsed creation says about the kind's CRD.
import { test } from "vitest";
import { KnownError } from "#wire/errors.ts";
import { standingFrom } from "./crd-standing.ts";

test.for([
  [405, "create not allowed while custom resource definition is terminating", "terminating"],
  [422, "CloudEndpoint is invalid: spec.url: Required value", "there"],
  [403, "unable to create new content in namespace shop because it is being terminated", "there"],
  [403, 'admission webhook "x.example.com" denied the request: no', "there"],
  [400, 'admission webhook "x.example.com" does not support dry run', "there"],
  [500, 'Internal error occurred: failed calling webhook "x.example.com": no route to host', "there"],
  [403, "cloudendpoints is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no", "there"],
  [403, 'kubernetesoperators "x" is forbidden: exceeded quota: x, requested: 1, used: 1, limited: 1', "there"],
  [403, 'cloudendpoints is forbidden: User "x" cannot create resource', "unknown"],
  [503, "not now", "unknown"],
] as const)("%i %s: %s", ([status, message, is], { expect }) => {
  expect(standingFrom(new KnownError("invalid", message, { status })).is).toBe(is);
});
