// The command line: what is given, what is not, and one clear line for what is wrong.
import { expect, test } from "vitest";
import type { Flag } from "./define-manager.ts";
import { arePairs, list, notEmpty, oneOf, pairs, parseFlags } from "./flags.ts";

const flags: readonly Flag[] = [
  { name: "name", default: "x", description: "", check: notEmpty("give one") },
  { name: "policy", default: "Retain", description: "", check: oneOf("Retain", "Delete") },
  { name: "on", default: "true", description: "" },
  { name: "labels", default: "", description: "", check: arePairs },
];

test("defaults, both ways of giving a value, and switches that stand alone", () => {
  expect(parseFlags(flags, [])).toEqual({ name: "x", policy: "Retain", on: "true", labels: "" });
  expect(parseFlags(flags, ["--name=a", "--policy", "Delete", "--on=false"])).toMatchObject({
    name: "a",
    policy: "Delete",
    on: "false",
  });
  expect(parseFlags(flags, ["--on", "--name", "a=b"])).toMatchObject({ on: "true", name: "a=b" });
});

test.for([
  [["--nmae=a"], "Unknown option '--nmae'"],
  [["--policy=Purge"], "--policy=Purge: it is neither Retain nor Delete"],
  [["--name="], "--name=: it is empty: give one"],
  [["--on=yes"], "--on=yes: write true or false"],
  [["--labels=a,b=c"], '"a" is not of the form key=value'],
  [["stray"], "stray"],
  [["--name"], "--name"],
] as const)("%j is refused: %s", ([argv, said], { expect }) => {
  expect(() => parseFlags(flags, argv)).toThrow(said);
});

test("lists and pairs", () => {
  expect(list('["true"]')).toEqual(["true"]);
  expect(list("a, b")).toEqual(["a", "b"]);
  expect(list(`["endpoint.proto in ['http', 'tls']","true"]`)).toEqual(["endpoint.proto in ['http', 'tls']", "true"]);
  expect(list("")).toEqual([]);
  expect(pairs("a=b,c=d=e")).toEqual({ a: "b", c: "d=e" });
  expect(pairs("")).toEqual({});
});
