// values.schema.json is strict, and everything that we ship satisfies it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isGroup, leavesOf, resolved, valuesSchema, type ValueSchema } from "#scripts/generate/values-schema.ts";
import { REFUSED_BY_SCHEMA } from "./bad-values.ts";
import { CHART, valuesFiles } from "./helm.ts";

const schema = valuesSchema();
// Names that are required once more under `if` are defined beside it.
const validate = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(schema);
const defaults = read(join(CHART, "values.yaml"));

test("values.yaml satisfies the schema", () => {
  expect(validate(defaults), JSON.stringify(validate.errors)).toBe(true);
});

test.for(valuesFiles())("$name satisfies the schema on top of the defaults", ({ path }) => {
  expect(validate(merged(defaults, read(path) ?? {})), JSON.stringify(validate.errors)).toBe(true);
});

test.for(REFUSED_BY_SCHEMA)("$set does not satisfy the schema", ({ set }) => {
  const [path = "", value = ""] = set.split("=");
  expect(validate(withValue(defaults, path.split("."), parse(value)))).toBe(false);
});

describe("the schema", () => {
  test("closes every object that is no open map", () => {
    const open = Object.entries({ "": schema, ...schema.definitions }).flatMap(([name, one]) => openObjects(one, name));
    expect(open).toEqual([]);
  });

  test("says of every value what it is", () => {
    const silent = leavesOf(schema).filter((leaf) => !leaf.schema.description?.endsWith("."));
    expect(silent.map((leaf) => leaf.path.join("."))).toEqual([]);
  });

  test("says a default, or that there is none, and the default satisfies it", () => {
    const ajv = new Ajv({ strict: true });
    for (const { path, schema: leaf } of leavesOf(schema)) {
      if (leaf.default === undefined) continue;
      const check = ajv.compile({ ...resolved(leaf, schema), definitions: schema.definitions });
      expect(check(leaf.default), path.join(".")).toBe(true);
    }
  });

  test.for(["drainPolicy", "installCRDs", "crds", "rbac", "cleanupHook"])(
    "requires %s, so that null is refused",
    (key) => {
      const { [key]: _, ...without } = defaults;
      expect(validate(without)).toBe(false);
      expect(validate.errors?.map(({ message }) => message).join()).toContain(`'${key}'`);
    },
  );

  test("says of every key that it requires what to do when an older chart's values lack it", () => {
    expect(schema.if?.required).toEqual(schema.required);
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining([...(schema.required ?? [])]));
  });

  test.for([
    ["crds", "keep"],
    ["rbac", "cluster"],
    ["cleanupHook", "timeout"],
    ["cleanupHook", "enabled"],
  ] as const)("requires %s.%s", ([group, key]) => {
    const { [key]: _, ...inner } = groupOf(group);
    expect(validate({ ...defaults, [group]: inner })).toBe(false);
  });
});

function groupOf(name: string): Record<string, unknown> {
  const group = defaults[name];
  if (!isMap(group)) throw new Error(`${name} is no group of values`);
  return group;
}

/** Objects that would take any key although nobody said that they are open. */
function openObjects(one: ValueSchema, path: string): string[] {
  const own = one.type === "object" && one.additionalProperties === undefined ? [path] : [];
  const parts: Record<string, ValueSchema> = {
    ...one.properties,
    ...(one.items === undefined ? {} : { items: one.items }),
    ...Object.fromEntries((one.anyOf ?? []).map((part, index) => [`anyOf${index}`, part])),
  };
  if (isGroup(one) && one.additionalProperties === true && !path.endsWith("global")) own.push(path);
  return [...own, ...Object.entries(parts).flatMap(([key, part]) => openObjects(part, `${path}.${key}`))];
}

function read(path: string): Record<string, unknown> {
  return parse(readFileSync(path, "utf8"));
}

/** Values laid over others, as Helm does it: maps merge, all else is replaced. */
function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    result[key] = isMap(below) && isMap(value) ? merged(below, value) : value;
  }
  return result;
}

/** The values with one more set; null takes the key away, as it does in Helm. */
function withValue(
  values: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const { [key]: below, ...others } = values;
  if (rest.length > 0) return { ...others, [key]: withValue(isMap(below) ? below : {}, rest, value) };
  return value === null ? others : { ...others, [key]: value };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
