import { describe, expect, test } from "vitest";
import { defineKind, type Schema } from "./define-kind.ts";
import { cidrPattern } from "./ip-policy.ts";
import { drainPolicyOf } from "./kubernetes-operator.ts";
import { ownKinds } from "./own-kinds.ts";
import { aDomain, aKubernetesOperator } from "#test/support/builders.ts";
import { Domain } from "./domain.ts";

/** Paths of the fields of a schema that do not say what they are. */
function mute(schema: Schema, path: string): string[] {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [`${path}.${name}`, field] as const);
  const inner = [schema.items, schema.additionalProperties].filter((one) => one !== undefined);
  return [
    ...(schema.description ? [] : [path]),
    ...fields.flatMap(([at, field]) => mute(field, at)),
    ...inner.flatMap((one) => mute(one, `${path}[]`)),
  ];
}

/** Paths of required fields that the schema does not have. */
function unknownRequired(schema: Schema, path: string): string[] {
  const properties = schema.properties ?? {};
  return [
    ...(schema.required ?? []).filter((name) => !Object.hasOwn(properties, name)).map((name) => `${path}.${name}`),
    ...Object.entries(properties).flatMap(([name, field]) => unknownRequired(field, `${path}.${name}`)),
    ...(schema.items ? unknownRequired(schema.items, `${path}[]`) : []),
  ];
}

test("there are seven, each with a name of its own", () => {
  expect(ownKinds.map((kind) => `${kind.plural}.${kind.group}`).toSorted()).toEqual([
    "agentendpoints.ngrok.k8s.ngrok.com",
    "boundendpoints.bindings.k8s.ngrok.com",
    "cloudendpoints.ngrok.k8s.ngrok.com",
    "domains.ingress.k8s.ngrok.com",
    "ippolicies.ingress.k8s.ngrok.com",
    "kubernetesoperators.ngrok.k8s.ngrok.com",
    "ngroktrafficpolicies.ngrok.k8s.ngrok.com",
  ]);
});

describe.for(ownKinds)("$kind", (kind) => {
  test("says of every field what it is, for kubectl explain", () => {
    expect([...mute(kind.spec, "spec"), ...mute(kind.status, "status")]).toEqual([]);
    expect(kind.description).not.toBe("");
  });

  test("requires only fields that it has", () => {
    expect([...unknownRequired(kind.spec, "spec"), ...unknownRequired(kind.status, "status")]).toEqual([]);
  });

  test("has a Ready condition, and reasons that the API server takes", () => {
    expect(Object.keys(kind.reasons)).toContain("Ready");
    for (const reason of Object.values(kind.reasons).flat()) {
      expect(reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
    }
  });
});

test("a kind with a column that shows nothing is refused before any cluster sees it", () => {
  const columns = [{ name: "ID", type: "string", jsonPath: "status.id" }] as const;
  expect(() => defineKind({ ...Domain, columns })).toThrow("Domain: column ID needs a path like .status.id");
});

describe("an address range", () => {
  test.for([
    "0.0.0.0/0",
    "203.0.113.7/32",
    "::/0",
    "::1/128",
    "2001:db8::/32",
    "2001:DB8:0:0:0:0:0:1/64",
    "1:2:3:4:5:6:7::/112",
    "::ffff:203.0.113.7/128",
    "64:ff9b::192.0.2.33/96",
    "fe80::1:2:3:4/64",
  ])("%s is one", (cidr, { expect }) => {
    expect(cidr).toMatch(new RegExp(cidrPattern));
  });

  test.for([
    "203.0.113.7",
    "203.0.113.256/24",
    "203.0.113/24",
    "203.0.113.0/33",
    "203.0.113.0/024",
    "::/129",
    "2001:db8::1::/64",
    "1:2:3:4:5:6:7/64",
    "1:2:3:4:5:6:7:8:9/64",
    "12345::/16",
    "example.com/24",
    "10.0.0.0/8 ",
    "",
  ])("%j is none", (cidr, { expect }) => {
    expect(cidr).not.toMatch(new RegExp(cidrPattern));
  });
});

test("a drain deletes only when the spec says exactly that", () => {
  expect(drainPolicyOf(aKubernetesOperator({ spec: { drain: { policy: "Delete" } } }))).toBe("Delete");
  expect(drainPolicyOf(aKubernetesOperator())).toBe("Retain");
  expect(drainPolicyOf(aKubernetesOperator({ spec: { drain: undefined } }))).toBe("Retain");
});

test("a builder's overrides go deep, replace lists, and take fields away", () => {
  const domain = aDomain({
    metadata: { labels: { a: "b" } },
    spec: { metadata: undefined, resolvesTo: [{ value: "eu" }] },
  });
  expect(domain.metadata).toEqual({ name: "web-example-com", namespace: "default", labels: { a: "b" } });
  expect(domain.spec).toMatchObject({ domain: "web.example.com", resolvesTo: [{ value: "eu" }] });
  expect(domain.spec).not.toHaveProperty("metadata");
});
